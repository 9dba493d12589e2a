/**
 * A reading is one measured value. What a codec makes of a device's bytes (`DecodedReading`), what the log holds
 * (`LoggedReading`), and what may stand in the place of a number.
 */

/** Milliseconds since 1970-01-01T00:00:00Z. Three clocks are never one name: `measuredAt`, `receivedAt`, `storedAt`. */
export type EpochMs = number

/** Code of a signal in our vocabulary, e.g. `heart-rate`, `systolic`, `temperature-probe`. See `vocabulary/`. */
export type SignalCode = string

/**
 * Why there is no number. A missing value is a state, never the last value repeated and never 0.
 * Source: IEEE 11073-20601 special values and FHIR data-absent-reason.
 */
export type AbsentReason =
  | 'not-a-number' // NaN
  | 'not-at-this-resolution' // NRes
  | 'positive-infinity'
  | 'negative-infinity'
  | 'reserved'
  | 'unsuccessful' // the device says that it could not measure
  | 'not-supported'

/** A value that is known not to be a number. */
export interface Absent {
  readonly absent: AbsentReason
}

/** A value known only to lie beyond a limit: a glucose meter's LOW (`<` 40) or HIGH (`>` 400). Never a plain number. */
export interface Censored {
  readonly comparator: '<' | '>'
  readonly limit: number
}

export type Value = number | Absent | Censored

export const isAbsent = (value: Value): value is Absent => typeof value === 'object' && 'absent' in value
export const isCensored = (value: Value): value is Censored => typeof value === 'object' && 'comparator' in value

/**
 * A time as a device tells it. `epochMs` when the format carries an instant; `local` (`YYYY-MM-DDTHH:mm:ss`, no zone)
 * when it carries a wall clock that is resolved with the subject's time zone.
 */
export type DeviceTime = { readonly epochMs: EpochMs } | { readonly local: string }

/** One reading as a codec gives it: in the unit the device used, with the time the device gave, if any. */
export interface DecodedReading {
  readonly signal: SignalCode
  readonly value: Value
  /** UCUM code of the unit the device used; conversion to the signal's canonical unit comes after. */
  readonly unit: string
  readonly time?: DeviceTime
  /** What an unset clock said. Good to recognise a record that is sent again, never to say when it was measured. */
  readonly untrustedTime?: DeviceTime
  /** Place among readings of one signal at one device time (RR intervals of one packet): 0, 1, 2 ... */
  readonly ordinal?: number
  /** Readings of one measurement carry the same small number within a frame (systolic, diastolic, pulse). */
  readonly group?: number
}

/** What a codec makes of one frame. Attributes are facts about the device (battery, firmware), not readings of a subject. */
export interface DecodedFrame {
  readonly readings: readonly DecodedReading[]
  readonly attributes?: Readonly<Record<string, string | number | boolean>>
  /** The device's own message number, where its protocol has one. */
  readonly sequence?: number
  /** What was odd and yet not wrong: unknown flag bits, an unset clock. In plain words, without values. */
  readonly warnings?: readonly string[]
  /** The device's user slot (a shared cuff's user 1 or 2), where it tells one. */
  readonly userIndex?: number
  /** The device said that its clock is not set, or told a date that cannot be: readings carry no `time`. */
  readonly clockUnset?: boolean
}

/** Who made the value: a device by itself, a person who typed it, or another record system. */
export type Origin = 'automatic' | 'typed' | 'ehr'

/** One reading as the log holds it: canonical unit, corrected time, identity settled. */
export interface LoggedReading {
  readonly signal: SignalCode
  /** In the signal's canonical unit. */
  readonly value: Value
  readonly measuredAt: EpochMs
  /** The device's own time before correction; absent when the device gave none (then measuredAt is receivedAt). */
  readonly deviceTime?: EpochMs
  /**
   * What the device's wall clock showed, where it told no instant: `deviceTime` then depends on the zone it was read in, and a
   * record that is sent again after its wearer moved must still be the same.
   */
  readonly deviceLocal?: string
  readonly ordinal: number
  readonly groupId?: string
  /** As the device said it, when that was another unit. */
  readonly original?: { readonly value: number; readonly unit: string }
  readonly flags?: readonly ReadingFlag[]
}

/**
 * - `clock-in-future`: device time was > 2 min ahead; measuredAt is receivedAt, the raw time is kept.
 * - `clock-unset`: the device said that its clock was not set.
 * - `implausible`: outside the signal's plausible range; kept, and never used by rules or billing.
 * - `historic`: measured more than 15 min before it was stored.
 */
export type ReadingFlag = 'clock-in-future' | 'clock-unset' | 'implausible' | 'historic'
