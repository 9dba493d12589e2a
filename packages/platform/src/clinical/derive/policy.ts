/**
 * What becomes of the readings of a signal in the record, as data. A stream never becomes a resource a reading: of each span of time
 * (a window) the first few readings are Observations of their own, at once; when more came, a summary of all of them follows.
 */
import { signal } from '@careloop/contract'
import { spanStart } from '../../telemetry/index.ts'

export interface SignalPolicy {
  /** `samples`: the values themselves, as SampledData; `summary`: mean, least, greatest, count. */
  readonly form: 'summary' | 'samples'
  /** ms; windows of each device begin at another second of it. */
  readonly windowMs: number
  /** So many readings of a window become an Observation each, as they come. */
  readonly each: number
}

const FIVE_MINUTES = 300_000
/** Expected less often than this, a reading is a spot value: five of them in five minutes are told one by one. */
const SELDOM_MS = 60_000

/** Values every few ms mean something only together. At most 10 s in one Observation: more is a burden to whoever receives it. */
const samples: ReadonlySet<string> = new Set(['blood-volume-pulse'])

/** Of the device's working, or of no person: not in the record. */
const notTold: ReadonlySet<string> = new Set(['cuff-pressure', 'sensor-contact', 'glucose-control', 'glucose-quality'])

const known = new Map<string, SignalPolicy | null>()

/** Null: readings of it are not in the record, and stay in telemetry. */
export function policyOf(code: string): SignalPolicy | null {
  const found = known.get(code)
  if (found !== undefined) return found
  const made = decide(code)
  known.set(code, made)
  return made
}

function decide(code: string): SignalPolicy | null {
  const row = signal(code)
  const plain = plainOf(code)
  if (row === undefined || row.kind === 'device' || notTold.has(plain)) return null
  if (samples.has(plain)) return { form: 'samples', windowMs: 10_000, each: 0 }
  if (row.kind === 'environment')
    // States of rooms and things change all day and matter to rules, not to a record.
    return row.meanings === undefined ? { form: 'summary', windowMs: 12 * FIVE_MINUTES, each: 1 } : null
  const isSeldom = row.intervalMs === null || row.intervalMs >= SELDOM_MS
  return { form: 'summary', windowMs: FIVE_MINUTES, each: isSeldom ? 5 : 1 }
}

/** The code without the number of a second sensor of its kind; `pm2-5` is a code of its own, and no vital has such a one. */
export const plainOf = (code: string): string => code.replace(/-\d+$/, '')

/** No window is longer, ms: a correction looks so far back. */
export const longestWindowMs = 12 * FIVE_MINUTES

/** A window is summarised so long after its end, by the log's time: what comes later is late, and rewrites it. */
export const graceMs = 10_000
/** Late readings of a window rewrite it together, once in this time. */
export const lateSlotMs = 60_000

/** By the log's time, the moment at which what was stored at `storedAt` is in the window's summary. */
export function dueOf(windowFrom: number, windowMs: number, storedAt: number): number {
  const closes = windowFrom + windowMs + graceMs
  return storedAt < closes ? closes : (Math.floor(storedAt / lateSlotMs) + 1) * lateSlotMs
}

/** The beginning of a device's window, ms: of each device at another second, so that not all of them are told of at once. */
export const windowOf = (device: string, at: number, { windowMs }: Pick<SignalPolicy, 'windowMs'>): number =>
  spanStart(device, at, windowMs)
