/** What may be done with a task now, and why not: decided from its row, so that a key acts before anything more is read. */
import type { WorklistRow } from '@careloop/contract'
import { momentText } from '../../parts/words.ts'

export type ActName = 'claim' | 'acknowledge' | 'complete' | 'snooze' | 'handOff' | 'release'

export interface Around {
  /** User id. */
  readonly me: string
  readonly mayAct: boolean
  readonly isConnected: boolean
  readonly now: number
}

/** Why an act is not possible; null = it is. */
export type WhyNot = Readonly<Record<ActName, string | null>>

export type ActedRow = Pick<
  WorklistRow,
  'status' | 'priority' | 'dueAt' | 'raisedAt' | 'limitFrom' | 'handling' | 'claimedBy'
> & {
  readonly claimedAt?: number | undefined
}

const minuteMs = 60_000
/** The shortest that the server takes; see SnoozeTask. */
const leastSnoozeMs = 5 * minuteMs

export function whyNot(row: ActedRow, around: Around): WhyNot {
  const forAll = whyNothing(row, around)
  if (forAll !== null) return { ...all(forAll), ...(isTakenOver(row, around) ? { claim: null } : {}) }
  const isMine = row.claimedBy?.id === around.me
  return {
    claim: isMine ? 'You have it.' : null,
    acknowledge: isMine && row.handling !== 'new' ? 'You have acknowledged it.' : null,
    complete: null,
    handOff: null,
    release: isMine ? null : 'Nobody has it: there is nothing to give back.',
    snooze: whyNoSnooze(row, isMine, around.now),
  }
}

const all = (why: string): WhyNot => ({
  ...{ claim: why, acknowledge: why, complete: why },
  ...{ snooze: why, handOff: why, release: why },
})

function whyNothing(row: ActedRow, { me, mayAct, isConnected, now }: Around): string | null {
  if (!mayAct) return 'Your role may look at tasks and not act on them.'
  if (row.status === 'completed') return 'It is completed.'
  if (!isConnected) return 'Not connected: acting waits until the connection is back.'
  if (row.claimedBy !== undefined && row.claimedBy.id !== me) {
    const since = row.claimedAt === undefined ? '' : ` since ${momentText(row.claimedAt, now)}`
    return `${row.claimedBy.name} has this${since}.`
  }
  return null
}

/** A colleague has it and its limit has passed: they may have gone home, so it may be taken over. */
export const isTakenOver = (row: ActedRow, { me, mayAct, isConnected, now }: Around): boolean =>
  mayAct &&
  isConnected &&
  row.status === 'claimed' &&
  row.claimedBy !== undefined &&
  row.claimedBy.id !== me &&
  row.dueAt < now

/**
 * Whoever has a task had it before they acted on it: giving it back would undo more than the act. That they have seen what came back
 * is not unseen again; a task that is too much is released or handed off.
 */
export const wasTheirs = (before: Pick<ActedRow, 'claimedBy'>, after: Pick<ActedRow, 'claimedBy'>): boolean =>
  before.claimedBy !== undefined && before.claimedBy.id === after.claimedBy?.id

function whyNoSnooze(row: ActedRow, isMine: boolean, now: number): string | null {
  if (row.priority === 'high') return 'High priority is not put off. Act, or hand it off.'
  if (!isMine) return 'Claim it first: only what is yours can be put off.'
  if (row.dueAt - now < leastSnoozeMs) return 'Too little time is left to put it off.'
  return null
}

/** Spans that may be chosen, in minutes: none reaches beyond the due time. */
export const snoozeChoices = (dueAt: number, now: number): number[] =>
  [5, 15, 30, 60, 120, 240, 480].filter((minutes) => now + minutes * minuteMs < dueAt - 10_000)
