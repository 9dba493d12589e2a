/**
 * Heart Rate Measurement (2A37). Flags: 0 16-bit rate, 1-2 skin contact, 3 energy, 4 RR intervals.
 * Source: Bluetooth Heart Rate Service 1.0. RR intervals are in 1/1024 s, oldest first, to the end of the packet.
 */
import type { DecodedFrame, DecodedReading } from '@careloop/contract'
import { ByteReader } from '../byte-reader.ts'
import { fail } from '../errors.ts'
import { gattFrame, reservedBits } from './frame.ts'

export function heartRate(bytes: Uint8Array): DecodedFrame {
  const reader = new ByteReader(bytes)
  const flags = reader.u8('flags')
  const rate = flags & 1 ? reader.u16('heart rate') : reader.u8('heart rate')
  const energy = flags & 8 ? reader.u16('energy expended') : undefined
  const intervals = flags & 16 ? rrIntervals(reader) : []
  const rest = reader.endPadded((flags & 0xe0) !== 0)
  // 0 is what a strap says that has lost the heart; it is not asystole.
  const readings: DecodedReading[] = [
    { signal: 'heart-rate', value: rate === 0 ? { absent: 'unsuccessful' } : rate, unit: '/min', group: 0 },
  ]
  // Contact: 0 and 1 = the device cannot tell, 2 = not detected, 3 = detected.
  const contact = (flags >> 1) & 3
  if (contact >= 2) readings.push({ signal: 'sensor-contact', value: contact - 2, unit: '1', group: 0 })
  if (energy !== undefined) readings.push({ signal: 'energy-expended', value: energy, unit: 'kJ', group: 0 })
  for (const [ordinal, interval] of intervals.entries()) {
    readings.push({ signal: 'rr-interval', value: (interval * 1000) / 1024, unit: 'ms', ordinal, group: 0 })
  }
  return gattFrame(readings, { warnings: [reservedBits('flags', flags, 0xe0), rest] })
}

function rrIntervals(reader: ByteReader): readonly number[] {
  if (reader.remaining === 0) {
    throw fail('frame-truncated', 'RR intervals are announced and none is there.', { pointer: reader.at() })
  }
  const intervals: number[] = []
  while (reader.remaining > 0) intervals.push(reader.u16('RR interval'))
  return intervals
}
