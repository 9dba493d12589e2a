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

/** What clears an alert: a condition that stands for a while or for several measurements. */
export interface Clear {
  readonly when: Condition
  /** From the first to the newest clearing measurement, ms. */
  readonly forMs: number
  readonly inARow: number
}

/**
 * A first breach waits for a repeat measured `fromMs` to `toMs` after it: one that breaches raises at once, a good one ends it,
 * and when nobody repeats the rule raises at `toMs` by itself, saying so. What comes sooner decides nothing.
 */
export interface Confirm {
  readonly fromMs: number
  readonly toMs: number
}

/** What every kind of rule says. */
interface AnyRule {
  /** What an alert is about beside the subject: `device` keeps two probes in one fridge apart. */
  readonly per: 'subject' | 'device'
}

/**
 * A threshold with duration, hysteresis and a clear condition of its own.
 * `match`: `measurement` judges the readings of one measurement together (systolic and diastolic of one cuff inflation);
 * `latest` judges each signal's newest value, as long as it is valid.
 */
export interface ThresholdRule extends AnyRule {
  readonly kind: 'threshold'
  readonly when: Condition
  readonly match: 'measurement' | 'latest'
  readonly hold: Hold
  /** Never together with a hold. */
  readonly confirm?: Confirm
  /** How long one reading speaks, ms. A longer gap breaks a breach: a missing reading is not the last value repeated. */
  readonly validForMs: number
  readonly clear: Clear
  /** One step worse, in canonical units, for each limit of `when`: what re-arms an alert closed until it is worse. */
  readonly worseBy?: readonly number[]
}

/** Breaching measurements within a span, whatever was measured between them. */
export interface CountRule extends AnyRule {
  readonly kind: 'count'
  readonly when: Condition
  readonly match: 'measurement' | 'latest'
  /** 2..32 */
  readonly atLeast: number
  readonly withinMs: number
  /** For `match: latest`: how long one reading speaks, ms. */
  readonly validForMs: number
  readonly clear: Clear
  readonly worseBy?: readonly number[]
}

/**
 * A signal rises or falls by at least `by` within `withinMs`: the newest value against the lowest (highest) of the window before
 * it; `per: device` compares each device with itself only. Clears when the change is less than that, and when `clear` names a condition, by that instead.
 */
export interface RateRule extends AnyRule {
  readonly kind: 'rate'
  readonly signal: SignalCode
  readonly change: 'rise' | 'fall'
  /** A difference in the signal's canonical unit, above 0. */
  readonly by: number
  readonly withinMs: number
  readonly clear: { readonly when: Condition | null; readonly forMs: number; readonly inARow: number }
  /** Where this signal of the same subject was heard within that span, it decides, and this rule rests. */
  readonly unlessHeard?: { readonly signal: SignalCode; readonly withinMs: number }
  readonly worseBy?: readonly number[]
}

/**
 * Nothing usable was measured of any of these signals for `afterMs`; or, `of: connection`, a device or gateway said that it is
 * disconnected and has not come back for `afterMs`. The clock runs only while Careloop could have heard it.
 */
export interface AbsenceRule extends AnyRule {
  readonly kind: 'absence'
  readonly of: 'connection' | readonly SignalCode[]
  readonly afterMs: number
}

/** Each kind has its own machine; threshold, count and rate fold measurements in lanes, absence keeps clocks. */
export type RuleBody = ThresholdRule | CountRule | RateRule | AbsenceRule

/** The conditions of a rule, empty where its kind has none: what charts draw, and what may be overridden. */
export function limitsOf(body: RuleBody): { readonly when: readonly Limit[]; readonly clear: readonly Limit[] } {
  if (body.kind === 'absence') return { when: [], clear: [] }
  if (body.kind === 'rate') return { when: [], clear: body.clear.when?.limits ?? [] }
  return { when: body.when.limits, clear: body.clear.when.limits }
}

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
