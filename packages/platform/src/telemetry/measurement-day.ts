/**
 * Which civil days something was measured on, in memory: decides in two comparisons that a reading tells nothing new, which is so
 * of all but the first of a day. Pure.
 */
import { type EpochMs, isAbsent, type LoggedReading, type Origin, type ReadingFlag } from '@careloop/contract'
import { type CivilDay, civilDay } from './civil-day.ts'

/** A day on which a device measured something of a person: one row. */
export interface MeasurementDay {
  readonly subject: string
  readonly device: string
  readonly origin: Origin
  readonly localDate: string
  readonly timeZone: string
  readonly firstMeasuredAt: EpochMs
  /** Only by a clock that was not set or ran ahead: `firstMeasuredAt` is when it came. */
  readonly clockSuspect: boolean
}

/** A reading that makes a day: one with a value that can be. What a cuff could not measure is no measurement. */
export const countsAsMeasured = ({ value, flags }: Pick<LoggedReading, 'value' | 'flags'>): boolean =>
  !isAbsent(value) && !flags?.includes('implausible')

/** Nobody knows when it was measured: its `measuredAt` is when it came, and so is its day. */
export const isClockSuspect = (flags: readonly ReadingFlag[] | undefined): boolean =>
  flags?.some((flag) => flag === 'clock-unset' || flag === 'clock-in-future') ?? false

/** A stretch of one day in one zone, and what is recorded of it. */
interface Span {
  readonly from: EpochMs
  readonly to: EpochMs
  readonly first: EpochMs
  readonly suspect: boolean
}

/** A late upload interleaved with live readings touches a few days at once; more are only written twice. */
const spansKept = 8
/** About 300 bytes each. Whoever is forgotten costs one write more. */
const subjectsKept = 200_000

/** What is known to stand in the database. Forgetting is always safe. */
export class SeenDays {
  /** By subject, then by device and origin. */
  readonly #spans = new Map<string, Map<string, readonly Span[]>>()
  readonly #others = new Set<string>()

  /** Whether a reading changes nothing: its day is recorded, with a first reading not later than this one. */
  covers(subject: string, device: string, origin: Origin, at: EpochMs, suspect: boolean): boolean {
    if (this.#others.has(subject)) return true
    const spans = this.#spans.get(subject)?.get(device + origin)
    if (spans === undefined) return false
    for (const span of spans) if (at >= span.first && at < span.to && (suspect || !span.suspect)) return true
    return false
  }

  /** @param within what of the day lies in its zone: [from, to) */
  add(day: MeasurementDay, within: { readonly from: EpochMs; readonly to: EpochMs }): void {
    let own = this.#spans.get(day.subject)
    if (own === undefined) {
      if (this.#spans.size >= subjectsKept) this.#spans.delete(this.#spans.keys().next().value!)
      own = new Map()
      this.#spans.set(day.subject, own)
    }
    const key = day.device + day.origin
    const others = (own.get(key) ?? []).filter((span) => span.from !== within.from)
    const { from, to } = within
    own.set(key, [{ from, to, first: day.firstMeasuredAt, suspect: day.clockSuspect }, ...others].slice(0, spansKept))
  }

  /** Not a person: no reading of theirs makes a day. A subject never changes its kind. */
  passOver(subject: string): void {
    if (this.#others.size >= subjectsKept) this.#others.clear()
    this.#others.add(subject)
  }

  /** They moved to another zone. */
  forget(subject: string): void {
    this.#spans.delete(subject)
  }

  /** A correction derived days anew. */
  forgetAll(): void {
    this.#spans.clear()
  }
}

/** Days that were computed once: thousands of devices live in few zones. */
export class Calendar {
  readonly #days = new Map<string, CivilDay[]>()

  dayOf(at: EpochMs, zone: string): CivilDay {
    const known = this.#days.get(zone) ?? []
    const found = known.find((day) => at >= day.from && at < day.to)
    if (found !== undefined) return found
    const day = civilDay(at, zone)
    this.#days.set(zone, [day, ...known].slice(0, 64))
    return day
  }
}
