/**
 * The clock of an absence rule for one subject or device. It starts when something was last heard, stands while Careloop is deaf
 * to it, and after that leaves it a grace in which to speak. All times but `lastAt` and `since` are log time.
 */
import type { EpochMs } from '@careloop/contract'
import type { WatchedDevice } from './hearing.ts'
import { heardAt, type Source } from './rule.ts'

export interface Silence {
  readonly focus: string
  /** When what was heard last was measured; null: never since it is watched. */
  lastAt: EpochMs | null
  /** Which device that was, for a subject with several. */
  lastDevice: string | null
  /** Since when nothing was heard: `lastAt`, else the begin of the watch; of a connection, when it was lost. */
  since: EpochMs
  /** When the clock runs out; null while it does not run. */
  due: EpochMs | null
  /** Graces put `due` off at most until then: a connection that comes and goes must not put it off for ever. */
  latest: EpochMs
  /** Since when Careloop is deaf to it. */
  pausedAt: EpochMs | null
  active: boolean
  raisedAt: EpochMs | null
  /** While active: when it was last told, or handled by a person. Absent in a state of before this was kept: `raisedAt` counts. */
  toldAt?: EpochMs | null
  /** The device speaks, and of other things only: it is no probe of these signals. */
  speaksOtherwise: boolean
  /** Closed while active: told again then. */
  rearmAt: EpochMs | null
}

export const newSilence = (focus: string, since: EpochMs): Silence => ({
  ...{ focus, lastAt: null, lastDevice: null, since, due: null, latest: 0, pausedAt: null },
  ...{ active: false, raisedAt: null, toldAt: null, speaksOtherwise: false, rearmAt: null },
})

/** After being deaf, and after a backfill, a device may speak at its own pace. */
export const graceOf = (intervalMs: number | null, afterMs: number): number =>
  Math.max(2 * (intervalMs ?? Math.min(afterMs / 2, longestGuessMs)), shortestGraceMs)
/** Of a device whose pace nobody told, half of the rule's span is guessed, and no more than this. */
const longestGuessMs = 30 * 60_000
const shortestGraceMs = 60_000

/** The slowest of the devices that may speak; null when nobody told how often they do. */
export function slowest(devices: readonly WatchedDevice[]): number | null {
  const told = devices.flatMap(({ intervalMs }) => intervalMs ?? [])
  return told.length === 0 ? null : Math.max(...told)
}

export function startClock(silence: Silence, at: EpochMs, afterMs: number, graceMs: number): void {
  silence.due = at + afterMs
  silence.latest = silence.due + Math.max(afterMs, graceMs)
}

export function stopClock(silence: Silence): void {
  silence.due = null
  silence.pausedAt = null
}

export function pause(silence: Silence, at: EpochMs): void {
  silence.pausedAt ??= at
}

/** Time passed while the clock stood: what remains of it remains. */
export function standOn(silence: Silence, until: EpochMs): void {
  const by = Math.max(0, until - (silence.pausedAt ?? until))
  if (silence.pausedAt === null || silence.due === null) return
  silence.pausedAt += by
  silence.due += by
  silence.latest += by
}

/**
 * How long a clock may stand behind a gateway: since it was cut when nobody is told of the gateway, else since somebody was told of
 * it or handled that. Then whoever waits for the device is told after all: a gateway whose alert was closed may never come back.
 * Long enough for what is mended within a day, and for a device that measures more seldom.
 */
export const patienceMs = (afterMs: number): number => Math.max(dayMs, afterMs)
const dayMs = 24 * 60 * 60_000

/** Hears again: the clock goes on where it stood, and leaves at least a grace. */
export function resume(silence: Silence, at: EpochMs, graceMs: number): void {
  const deafMs = Math.max(0, at - (silence.pausedAt ?? at))
  silence.pausedAt = null
  if (silence.due === null) return
  silence.latest += deafMs
  silence.due = Math.min(Math.max(silence.due + deafMs, at + graceMs), silence.latest)
}

/** The clock went back from `was` to `now`: what remains remains, at least a grace. */
export function stepBackSilence(silence: Silence, was: EpochMs, now: EpochMs, graceMs: number): void {
  const back = (at: EpochMs) => Math.min(at, now)
  if (silence.lastAt !== null) silence.lastAt = back(silence.lastAt)
  silence.since = back(silence.since)
  if (silence.pausedAt !== null) silence.pausedAt = back(silence.pausedAt)
  if (silence.toldAt != null) silence.toldAt = back(silence.toldAt)
  if (silence.rearmAt !== null) silence.rearmAt -= Math.max(0, was - now)
  if (silence.due === null) return
  const by = was - now
  silence.latest -= by
  silence.due = Math.max(silence.due - by, now + graceMs)
  silence.latest = Math.max(silence.latest, silence.due)
}

/**
 * Something usable was measured.
 * @returns whether that ends an absence that was told
 */
export function hear(silence: Silence, measuredAt: EpochMs, source: Source, afterMs: number, graceMs: number): boolean {
  const ageMs = Math.max(0, heardAt(source) - measuredAt)
  const isNewer = silence.lastAt === null || measuredAt > silence.lastAt
  // What was measured just now was heard, even when the device's clock was set back and it tells an older time.
  if (!isNewer && ageMs > freshMs) return false
  if (silence.pausedAt !== null) resume(silence, source.storedAt, graceMs)
  // Of two devices at one time the same one, whichever is folded first.
  const isTie = measuredAt === silence.lastAt && source.device > (silence.lastDevice ?? '')
  if (isNewer || isTie) silence.lastDevice = source.device
  silence.lastAt = isNewer ? measuredAt : silence.lastAt
  silence.since = silence.lastAt!
  silence.speaksOtherwise = false
  const due = Math.max(source.storedAt - ageMs + afterMs, ageMs > freshMs ? source.storedAt + graceMs : 0)
  silence.due = Math.max(silence.due ?? 0, due)
  silence.latest = silence.due + Math.max(afterMs, graceMs)
  const ended = silence.active
  calm(silence)
  return ended
}
const freshMs = 60_000

export function raiseSilence(silence: Silence, at: EpochMs): void {
  silence.active = true
  silence.raisedAt = at
  silence.toldAt = at
  silence.due = null
  silence.pausedAt = null
}

export function calm(silence: Silence): void {
  silence.active = false
  silence.raisedAt = null
  silence.toldAt = null
  silence.rearmAt = null
}
