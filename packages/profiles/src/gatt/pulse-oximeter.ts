/**
 * Pulse oximeter: PLX Spot-Check (2A5E) and PLX Continuous (2A5F) Measurement.
 * Source: Bluetooth Pulse Oximeter Service 1.0.1. Until the finger is found, devices send NaN: an absent value, never 2047.
 */
import type { DecodedFrame, DecodedReading } from '@careloop/contract'
import { ByteReader } from '../byte-reader.ts'
import { readDateTime, timeOf } from './date-time.ts'
import { gattFrame, reservedBits, someAttributes } from './frame.ts'
import { sfloat } from './ieee-11073.ts'

/** 2A5E. Flags: 0 time, 1 measurement status, 2 device and sensor status, 3 pulse amplitude index, 4 clock not set. */
export function plxSpot(bytes: Uint8Array): DecodedFrame {
  const reader = new ByteReader(bytes)
  const flags = reader.u8('flags')
  const spo2 = sfloat(reader.u16('SpO2'))
  const pulse = sfloat(reader.u16('pulse rate'))
  const time = flags & 1 ? readDateTime(reader) : undefined
  const status = statuses(reader, flags >> 1)
  const clockUnset = (flags & 16) !== 0
  const rest = reader.endPadded((flags & 0xe0) !== 0)
  const when = { ...timeOf(time, clockUnset), group: 0 }
  const readings: DecodedReading[] = [
    { signal: 'spo2', value: spo2, unit: '%', ...when },
    { signal: 'pulse-rate', value: pulse, unit: '/min', ...when },
  ]
  if (status.index !== undefined) readings.push({ signal: 'perfusion-index', value: status.index, unit: '%', ...when })
  return gattFrame(readings, {
    time,
    clockUnset,
    warnings: [reservedBits('flags', flags, 0xe0), rest, ...status.warnings],
    attributes: status.attributes,
  })
}

/** 2A5F. Flags: 0 fast, 1 slow, 2 measurement status, 3 device and sensor status, 4 pulse amplitude index. */
export function plxContinuous(bytes: Uint8Array): DecodedFrame {
  const reader = new ByteReader(bytes)
  const flags = reader.u8('flags')
  const readings = pair(reader, '')
  if (flags & 1) readings.push(...pair(reader, '-fast'))
  if (flags & 2) readings.push(...pair(reader, '-slow'))
  const status = statuses(reader, flags >> 2)
  const rest = reader.endPadded((flags & 0xe0) !== 0)
  if (status.index !== undefined) readings.push({ signal: 'perfusion-index', value: status.index, unit: '%', group: 0 })
  return gattFrame(readings, {
    warnings: [reservedBits('flags', flags, 0xe0), rest, ...status.warnings],
    attributes: status.attributes,
  })
}

function pair(reader: ByteReader, speed: '' | '-fast' | '-slow'): DecodedReading[] {
  return [
    { signal: `spo2${speed}`, value: sfloat(reader.u16('SpO2')), unit: '%', group: 0 },
    { signal: `pulse-rate${speed}`, value: sfloat(reader.u16('pulse rate')), unit: '/min', group: 0 },
  ]
}

/** The three optional fields that both characteristics end with. `flags` shifted so that bit 0 is the measurement status. */
function statuses(reader: ByteReader, flags: number) {
  const measurement = flags & 1 ? reader.u16('measurement status') : undefined
  const device = flags & 2 ? reader.u24('device and sensor status') : undefined
  const index = flags & 4 ? sfloat(reader.u16('pulse amplitude index')) : undefined
  const attributes = {
    ...(measurement === undefined ? {} : { measurementStatus: measurement, ...measurementFlags(measurement) }),
    ...(device === undefined ? {} : { deviceAndSensorStatus: device, ...sensorFlags(device) }),
  }
  const warnings = [
    (measurement ?? 0) & 0xac00
      ? 'The device marks this measurement as invalid, unavailable, or made for a demonstration or test.'
      : undefined,
    reservedBits('measurement status', measurement ?? 0, 0x001f),
    reservedBits('device and sensor status', device ?? 0, 0xff0000),
  ]
  return { index, attributes, warnings }
}

const measurementFlags = (status: number) =>
  someAttributes({
    measurementOngoing: (status & 0x0020) !== 0,
    earlyEstimate: (status & 0x0040) !== 0,
    validatedData: (status & 0x0080) !== 0,
    fullyQualifiedData: (status & 0x0100) !== 0,
    fromMeasurementStorage: (status & 0x0200) !== 0,
    dataForDemonstration: (status & 0x0400) !== 0,
    dataForTesting: (status & 0x0800) !== 0,
    calibrationOngoing: (status & 0x1000) !== 0,
    measurementUnavailable: (status & 0x2000) !== 0,
    questionableMeasurement: (status & 0x4000) !== 0,
    invalidMeasurement: (status & 0x8000) !== 0,
  })

const sensorFlags = (status: number) =>
  someAttributes({
    extendedDisplayUpdateOngoing: (status & 0x0001) !== 0,
    equipmentMalfunction: (status & 0x0002) !== 0,
    signalProcessingIrregularity: (status & 0x0004) !== 0,
    inadequateSignal: (status & 0x0008) !== 0,
    poorSignal: (status & 0x0010) !== 0,
    lowPerfusion: (status & 0x0020) !== 0,
    erraticSignal: (status & 0x0040) !== 0,
    nonPulsatileSignal: (status & 0x0080) !== 0,
    questionablePulse: (status & 0x0100) !== 0,
    signalAnalysisOngoing: (status & 0x0200) !== 0,
    sensorInterference: (status & 0x0400) !== 0,
    sensorUnconnectedToUser: (status & 0x0800) !== 0,
    unknownSensor: (status & 0x1000) !== 0,
    sensorDisplaced: (status & 0x2000) !== 0,
    sensorMalfunctioning: (status & 0x4000) !== 0,
    sensorDisconnected: (status & 0x8000) !== 0,
  })
