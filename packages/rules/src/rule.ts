/**
 * The rule language as data. A rule is compiled once and evaluated per reading; nothing here knows a clock or does I/O, so that
 * the same code runs in the stream, in replay, in backtests and (later) on a gateway.
 */
import type { EpochMs, SignalCode } from '@careloop/contract'

export type Comparator = '>' | '>=' | '<' | '<='

/** One comparison. `limit` is in the signal's canonical unit. */
export interface Limit {
  readonly signal: SignalCode
  readonly is: Comparator
  readonly limit: number
}

/** Any or all of several comparisons. */
export interface Condition {
  readonly mode: 'any' | 'all'
  readonly limits: readonly Limit[]
}

/** How long a condition must stand before it counts. All parts must be met. */
export interface Hold {
  /** From the first to the newest reading of an unbroken breach, ms. 0 = at once. */
  readonly forMs: number
  /** How many measurements in a row, 1..32. */
  readonly inARow: number
  /** The measurements in a row lie within this span, ms; null = any span. */
  readonly withinMs: number | null
}

/**
 * A threshold with duration, hysteresis and a clear condition of its own.
 * `match`: `measurement` judges the readings of one measurement together (systolic and diastolic of one cuff inflation);
 * `latest` judges each signal's newest value, as long as it is valid.
 */
export interface ThresholdRule {
  readonly kind: 'threshold'
  readonly when: Condition
  readonly match: 'measurement' | 'latest'
  readonly hold: Hold
  /** How long one reading speaks, ms. A longer gap breaks a breach: a missing reading is not the last value repeated. */
  readonly validForMs: number
  readonly clear: { readonly when: Condition; readonly forMs: number; readonly inARow: number }
  /** What an alert is about beside the subject: `device` keeps two probes in one fridge apart. */
  readonly per: 'subject' | 'device'
}

/** The union grows (rate of change, count in window, absence): each kind brings its own machine. */
export type RuleBody = ThresholdRule

/** Where a reading came from; shared by all readings of one log entry. */
export interface Source {
  readonly partition: number
  readonly position: number
  /** Place of the entry inside its commit. */
  readonly index: number
  readonly device: string
  /** When a door heard it, by the door's clock. */
  readonly receivedAt: EpochMs
  readonly storedAt: EpochMs
  /** Brought in again by an operator: `receivedAt` tells when it was heard for the first time. */
  readonly replayed?: true
}

/**
 * What lateness is measured against. Log time is held back from running backwards, so it may stand ahead of every clock after a
 * clock was put right; the door's own clock does not.
 */
export const heardAt = (source: Source): EpochMs => (source.replayed ? source.storedAt : source.receivedAt)

/** The clear condition of a rule that names none: the opposite of what raises it. */
export function opposite(when: Condition): Condition {
  const flipped: Record<Comparator, Comparator> = { '>': '<=', '>=': '<', '<': '>=', '<=': '>' }
  return {
    mode: when.mode === 'any' ? 'all' : 'any',
    limits: when.limits.map((limit) => ({ ...limit, is: flipped[limit.is] })),
  }
}
