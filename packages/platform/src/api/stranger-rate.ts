/**
 * How often an address may show what is not good: tokens and cookies that are unknown, or none where one is needed. Each costs a look
 * into the database. A credential that was good a moment ago is never held up, so that one broken program behind a hospital's only
 * address takes nothing from the devices and people behind it.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../engine/index.ts'
import { fail } from './errors.ts'

/** Refusals a minute from one address, after which strangers from there wait. */
export const refusalsPerMinute = 600
const windowMs = 60_000
const maxAddresses = 50_000
/** Credentials that were good, newest last. */
const maxKnown = 20_000

export interface StrangerRate {
  /** Before anything is looked up. @throws Failure `too-many-requests` */
  assertWelcome(ip: string, shown: string | undefined): void
  wasGood(shown: string | undefined): void
  wasRefused(ip: string): void
}

export function makeStrangerRate(clock: Clock): StrangerRate {
  let windowStart = clock.now()
  const refused = new Map<string, number>()
  const known = new Set<string>()
  const turn = (): number => {
    const now = clock.now()
    if (now - windowStart >= windowMs || refused.size > maxAddresses) {
      windowStart = now
      refused.clear()
    }
    return now
  }
  return {
    assertWelcome(ip, shown) {
      const now = turn()
      if ((refused.get(ip) ?? 0) < refusalsPerMinute) return
      if (shown !== undefined && known.has(markOf(shown))) return
      throw fail('too-many-requests', 'Too many refused requests came from this address. Wait and try again.', {
        retryAfterSeconds: Math.max(1, Math.ceil((windowStart + windowMs - now) / 1000)),
      })
    },
    wasGood(shown) {
      if (shown === undefined) return
      const mark = markOf(shown)
      known.delete(mark)
      known.add(mark)
      if (known.size > maxKnown) known.delete(known.values().next().value!)
    },
    wasRefused(ip) {
      turn()
      refused.set(ip, (refused.get(ip) ?? 0) + 1)
    },
  }
}

/** Enough to tell credentials apart; what is kept in memory opens nothing. */
const markOf = (shown: string): string => createHash('sha256').update(shown).digest('base64').slice(0, 22)
