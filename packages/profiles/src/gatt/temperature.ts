/**
 * Temperature Measurement (2A1C) and Intermediate Temperature (2A1E), one format.
 * Flags: 0 Fahrenheit, 1 time, 2 site of the body. Source: Bluetooth Health Thermometer Service 1.0.
 */
import type { DecodedFrame } from '@careloop/contract'
import { ByteReader } from '../byte-reader.ts'
import { readDateTime, timeOf } from './date-time.ts'
import { gattFrame, reservedBits } from './frame.ts'
import { float } from './ieee-11073.ts'

const SITES = [
  'reserved',
  'armpit',
  'body',
  'ear',
  'finger',
  'gastro-intestinal',
  'mouth',
  'rectum',
  'toe',
  'tympanum',
] as const

export function temperature(bytes: Uint8Array): DecodedFrame {
  const reader = new ByteReader(bytes)
  const flags = reader.u8('flags')
  const value = float(reader.u32('temperature'))
  const time = flags & 2 ? readDateTime(reader) : undefined
  const site = flags & 4 ? reader.u8('temperature type') : undefined
  const rest = reader.endPadded((flags & 0xf8) !== 0)
  const unit = flags & 1 ? '[degF]' : 'Cel'
  return gattFrame([{ signal: 'body-temperature', value, unit, ...timeOf(time), group: 0 }], {
    time,
    warnings: [reservedBits('flags', flags, 0xf8), rest],
    attributes: site === undefined ? {} : { site: SITES[site] ?? 'reserved' },
  })
}
