/**
 * Bearer tokens that are not good cost a look into the database each. A token that was bad a moment ago is answered from memory; an
 * address that shows very many different ones has its unknown tokens looked up one after the other. Nobody is refused for what a
 * neighbour does: a hospital is one address, with a broken gateway in it and a nurse who has just come.
 *
 * Cookies cost nothing here: their signature is checked before the database is asked.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../engine/index.ts'
import { fail } from './errors.ts'

/** Different bad tokens a minute from one address, after which its unknown ones wait in line. */
export const badTokensPerMinute = 600
const windowMs = 60_000
/** So long a bad token is answered from memory. None becomes good: they are random, and made by us. */
const rememberedMs = 10_000
/** In line at one address; beyond it somebody is refused after all. */
export const longestLine = 200
/** Tokens that are remembered, and addresses. */
const most = 20_000

export interface StrangerRate {
  /**
   * Looks a bearer token up by `check`, at once or in line.
   * @throws Failure `too-many-requests` when the line of this address is too long; what `check` throws, also from memory
   */
  pass<T>(ip: string, token: string, check: () => Promise<T>): Promise<T>
}

interface Line {
  bad: number
  since: number
  waiting: number
  last: Promise<unknown>
}

/** @param isBad whether an error says that the token is not good */
export function makeStrangerRate(clock: Clock, isBad: (error: unknown) => boolean): StrangerRate {
  const good = new Set<string>()
  const bad = new Map<string, { until: number; error: unknown }>()
  const lines = new Map<string, Line>()

  const lineOf = (ip: string): Line => {
    const now = clock.now()
    const known = lines.get(ip)
    if (known !== undefined && (now - known.since < windowMs || known.waiting > 0)) return known
    if (lines.size >= most) for (const [each, { waiting }] of lines) if (waiting === 0) lines.delete(each)
    const made = { bad: 0, since: now, waiting: 0, last: Promise.resolve() }
    lines.set(ip, made)
    return made
  }

  async function look<T>(line: Line, mark: string, check: () => Promise<T>): Promise<T> {
    try {
      const found = await check()
      remember(good, mark)
      return found
    } catch (error) {
      if (isBad(error)) {
        line.bad += 1
        if (bad.size >= most) bad.clear()
        bad.set(mark, { until: clock.now() + rememberedMs, error })
        good.delete(mark)
      }
      throw error
    }
  }

  return {
    pass(ip, token, check) {
      const mark = markOf(token)
      const known = bad.get(mark)
      if (known !== undefined && clock.now() < known.until) return Promise.reject(known.error)
      const line = lineOf(ip)
      if (line.bad < badTokensPerMinute || good.has(mark)) return look(line, mark, check)
      if (line.waiting >= longestLine)
        throw fail('too-many-requests', 'Very many bad tokens come from this address. Wait and try again.', {
          retryAfterSeconds: Math.max(1, Math.ceil((line.since + windowMs - clock.now()) / 1000)),
        })
      line.waiting += 1
      const turn = line.last.then(() => look(line, mark, check))
      line.last = turn.then(
        () => {},
        () => {},
      )
      return turn.finally(() => {
        line.waiting -= 1
      })
    },
  }
}

/** Newest last; the oldest is forgotten, and is then looked up as anybody else's. */
function remember(good: Set<string>, mark: string): void {
  good.delete(mark)
  good.add(mark)
  if (good.size > most) good.delete(good.values().next().value!)
}

/** Enough to tell tokens apart; what is kept in memory opens nothing. */
const markOf = (token: string): string => createHash('sha256').update(token).digest('base64').slice(0, 22)
