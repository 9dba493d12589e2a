/**
 * Blood Pressure Measurement (2A35) and Intermediate Cuff Pressure (2A36).
 * Flags: 0 kPa, 1 time, 2 pulse, 3 user, 4 status. Source: Bluetooth Blood Pressure Service 1.1, GATT Specification Supplement.
 */
import type { DecodedFrame, DecodedReading, Value } from '@careloop/contract'
import { ByteReader } from '../byte-reader.ts'
import { type GattTime, readDateTime, timeOf } from './date-time.ts'
import { gattFrame, reservedBits, someAttributes } from './frame.ts'
import { sfloat } from './ieee-11073.ts'

const PULSE_RANGE = ['in-range', 'too-high', 'too-low', 'reserved'] as const

/** 2A35: systolic, diastolic, mean, and what stands beside them. A mean of NaN or 0 from a cuff that gives none is absent. */
export function bloodPressure(bytes: Uint8Array): DecodedFrame {
  return pressure(bytes, (reader) => {
    const systolic = sfloat(reader.u16('systolic pressure'))
    const diastolic = sfloat(reader.u16('diastolic pressure'))
    const mean = sfloat(reader.u16('mean arterial pressure'))
    // Vendors without a mean send 0; nobody alive has one of 0, so it is what it means: not supported.
    const noMean: Value = mean === 0 && systolic !== 0 ? { absent: 'not-supported' } : mean
    return [
      ['systolic', systolic],
      ['diastolic', diastolic],
      ['mean-arterial-pressure', noMean],
    ]
  })
}

/** 2A36: the pressure in the cuff while it measures. The two words after it are unused and sent as anything. */
export function cuffPressure(bytes: Uint8Array): DecodedFrame {
  return pressure(bytes, (reader) => {
    const cuff = sfloat(reader.u16('cuff pressure'))
    reader.take(4, 'unused pressures')
    return [['cuff-pressure', cuff]]
  })
}

function pressure(bytes: Uint8Array, values: (reader: ByteReader) => readonly [string, Value][]): DecodedFrame {
  const reader = new ByteReader(bytes)
  const flags = reader.u8('flags')
  const unit = flags & 1 ? 'kPa' : 'mm[Hg]'
  const pressures = values(reader)
  const time: GattTime | undefined = flags & 2 ? readDateTime(reader) : undefined
  const pulse = flags & 4 ? sfloat(reader.u16('pulse rate')) : undefined
  const user = flags & 8 ? reader.u8('user id') : undefined
  const status = flags & 16 ? reader.u16('measurement status') : undefined
  const rest = reader.endPadded((flags & 0xe0) !== 0)
  const when = { ...timeOf(time), group: 0 }
  const readings: DecodedReading[] = pressures.map(([signal, value]) => ({ signal, value, unit, ...when }))
  if (pulse !== undefined) readings.push({ signal: 'pulse-rate', value: pulse, unit: '/min', ...when })
  if (status !== undefined) {
    readings.push({ signal: 'irregular-pulse', value: status & 4 ? 1 : 0, unit: '1', ...when })
  }
  return gattFrame(readings, {
    time,
    user,
    warnings: [reservedBits('flags', flags, 0xe0), rest, reservedBits('measurement status', status ?? 0, 0xffc0)],
    attributes: status === undefined ? {} : statusAttributes(status),
  })
}

function statusAttributes(status: number) {
  return {
    measurementStatus: status,
    ...someAttributes({
      bodyMovement: (status & 1) !== 0,
      cuffTooLoose: (status & 2) !== 0,
      improperPosition: (status & 32) !== 0,
    }),
    pulseRateRange: PULSE_RANGE[(status >> 3) & 3]!,
  }
}
