/** Civil days in a time zone: what the wall calendar of a place shows, and from when to when it shows it. Pure. */
import type { EpochMs } from '@careloop/contract'

/** A day by the calendar of a zone: 23, 24 or 25 hours, and other lengths where a place changed its zone. */
export interface CivilDay {
  /** YYYY-MM-DD */
  readonly date: string
  /** [from, to) */
  readonly from: EpochMs
  readonly to: EpochMs
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** Date YYYY-MM-DD of an instant. @param zone IANA name, as subjects have it */
export function civilDate(at: EpochMs, zone: string): string {
  let format = formats.get(zone)
  if (format === undefined) {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit' } as const
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'iso8601',
      numberingSystem: 'latn',
      ...parts,
    })
    formats.set(zone, format)
  }
  const { year, month, day } = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
  return `${year!.padStart(4, '0')}-${month}-${day}`
}

const MORE_THAN_A_DAY = 36 * 3_600_000

/** The day that an instant lies in. */
export function civilDay(at: EpochMs, zone: string): CivilDay {
  const date = civilDate(at, zone)
  const isBefore = (ms: number) => civilDate(ms, zone) < date
  const isWithin = (ms: number) => civilDate(ms, zone) <= date
  return {
    date,
    from: boundary(at - MORE_THAN_A_DAY, Math.floor(at), isBefore),
    to: boundary(Math.floor(at), at + MORE_THAN_A_DAY, isWithin),
  }
}

/** The first ms at which it does not hold any more; it holds at `low` and ceases once until `high`. */
function boundary(low: number, high: number, holds: (ms: number) => boolean): number {
  let [holding, ceased] = [Math.floor(low), Math.ceil(high)]
  while (ceased - holding > 1) {
    const middle = Math.floor((holding + ceased) / 2)
    if (holds(middle)) holding = middle
    else ceased = middle
  }
  return ceased
}
