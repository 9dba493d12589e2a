/**
 * Weight Measurement (2A9D). Flags: 0 imperial, 1 time, 2 user, 3 BMI and height. Weight 0xFFFF = the scale could not measure.
 * Source: Bluetooth Weight Scale Service 1.0. Resolution 0.005 kg or 0.01 lb, 0.1 kg/m2, 0.001 m or 0.1 in.
 */
import type { DecodedFrame, DecodedReading, Value } from '@careloop/contract'
import { ByteReader } from '../byte-reader.ts'
import { readDateTime, timeOf } from './date-time.ts'
import { gattFrame, reservedBits } from './frame.ts'

const UNSUCCESSFUL = 0xffff

export function weight(bytes: Uint8Array): DecodedFrame {
  const reader = new ByteReader(bytes)
  const flags = reader.u8('flags')
  const raw = reader.u16('weight')
  const time = flags & 2 ? readDateTime(reader) : undefined
  const user = flags & 4 ? reader.u8('user id') : undefined
  const bmi = flags & 8 ? reader.u16('BMI') : undefined
  const height = flags & 8 ? reader.u16('height') : undefined
  const rest = reader.endPadded((flags & 0xf0) !== 0)
  const isImperial = (flags & 1) !== 0
  const when = { ...timeOf(time), group: 0 }
  const measured: Value = isImperial ? raw / 100 : raw / 200
  const readings: DecodedReading[] = [
    {
      signal: 'body-weight',
      value: raw === UNSUCCESSFUL ? { absent: 'unsuccessful' } : measured,
      unit: isImperial ? '[lb_av]' : 'kg',
      ...when,
    },
  ]
  if (bmi !== undefined) readings.push({ signal: 'bmi', value: bmi / 10, unit: 'kg/m2', ...when })
  if (height !== undefined) {
    const tall = isImperial ? height / 10 : height / 1000
    readings.push({ signal: 'body-height', value: tall, unit: isImperial ? '[in_i]' : 'm', ...when })
  }
  return gattFrame(readings, { time, user, warnings: [reservedBits('flags', flags, 0xf0), rest] })
}
