/**
 * Bluetooth Date Time (7 bytes): a wall clock without zone. Year, month or day 0 means unknown. A device whose battery was
 * changed tells such dates; they recognise a record sent twice and say nothing about when it was measured.
 */
import type { DeviceTime } from '@careloop/contract'
import type { ByteReader } from '../byte-reader.ts'
import { fail } from '../errors.ts'

export interface GattTime {
  readonly time: DeviceTime & { readonly local: string }
  /** False when year, month or day is unknown. */
  readonly isKnown: boolean
}

const two = (value: number): string => String(value).padStart(2, '0')

/** @throws Failure `frame-invalid` for a month 13 or 31 February: such bytes were misread, and then so was the rest. */
export function readDateTime(reader: ByteReader): GattTime {
  const year = reader.u16('date and time')
  const [month, day, hours, minutes, seconds] = reader.take(5, 'date and time') as unknown as number[] as [
    number,
    number,
    number,
    number,
    number,
  ]
  const isKnown = year !== 0 && month !== 0 && day !== 0
  const isPossible =
    month <= 12 && day <= 31 && hours <= 23 && minutes <= 59 && seconds <= 59 && (!isKnown || isDate(year, month, day))
  if (!isPossible || (year !== 0 && (year < 1582 || year > 9999))) {
    throw fail('frame-invalid', 'The frame tells a date or time that does not exist.', { pointer: reader.at(7) })
  }
  const local = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hours)}:${two(minutes)}:${two(seconds)}`
  return { time: { local }, isKnown }
}

/** Adds minutes to a wall clock, as one does to a wall clock: without a zone and so without summer time. */
export function addMinutes(time: GattTime, minutes: number): GattTime {
  if (!time.isKnown || minutes === 0) return time
  const shifted = new Date(Date.parse(`${time.time.local}Z`) + minutes * 60_000).toISOString()
  return { ...time, time: { local: shifted.slice(0, 19) } }
}

function isDate(year: number, month: number, day: number): boolean {
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

/** How a reading carries a device's time: as its time when it can be trusted, else only to recognise the record. */
export function timeOf(time: GattTime | undefined, clockUnset = false) {
  if (time === undefined) return {}
  return time.isKnown && !clockUnset ? { time: time.time } : { untrustedTime: time.time }
}
