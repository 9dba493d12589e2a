/**
 * Glucose Measurement (2A18). Flags: 0 time offset, 1 concentration with type and location, 2 mol/L (else kg/L), 3 status,
 * 4 context follows. Source: Bluetooth Glucose Service 1.0.1.
 *
 * The wire says kg/L or mol/L; every meter and every person says mg/dL or mmol/L. The two differ by a power of ten, which the
 * decimal exponent takes exactly, so readings carry the unit that people know.
 */
import type { DecodedFrame, DecodedReading } from '@careloop/contract'
import { ByteReader } from '../byte-reader.ts'
import { addMinutes, readDateTime, timeOf } from './date-time.ts'
import { gattFrame, reservedBits, someAttributes } from './frame.ts'
import { sfloat } from './ieee-11073.ts'

const CONTROL_SOLUTION = 10
const INTERSTITIAL = 9

const SAMPLES = [
  'reserved',
  'capillary-whole-blood',
  'capillary-plasma',
  'venous-whole-blood',
  'venous-plasma',
  'arterial-whole-blood',
  'arterial-plasma',
  'undetermined-whole-blood',
  'undetermined-plasma',
  'interstitial-fluid',
  'control-solution',
]
const LOCATIONS: ReadonlyMap<number, string> = new Map([
  [1, 'finger'],
  [2, 'alternate-site'],
  [3, 'earlobe'],
  [4, 'control-solution'],
  [15, 'not-available'],
])

export function glucose(bytes: Uint8Array): DecodedFrame {
  const reader = new ByteReader(bytes)
  const flags = reader.u8('flags')
  const sequence = reader.u16('sequence number')
  const base = readDateTime(reader)
  const offset = flags & 1 ? reader.i16('time offset') : 0
  const inMoles = (flags & 4) !== 0
  const concentration = flags & 2 ? sfloat(reader.u16('concentration'), inMoles ? 3 : 5) : undefined
  const typeAndLocation = flags & 2 ? reader.u8('type and sample location') : undefined
  const status = flags & 8 ? reader.u16('sensor status') : undefined
  const rest = reader.endPadded((flags & 0xe0) !== 0)
  const when = timeOf(addMinutes(base, offset))
  const type = (typeAndLocation ?? 0) & 15
  const readings: DecodedReading[] = []
  if (concentration !== undefined) {
    readings.push({
      signal: signalOf(type),
      value: concentration,
      unit: inMoles ? 'mmol/L' : 'mg/dL',
      ...when,
      group: 0,
    })
  }
  return gattFrame(readings, {
    time: base,
    sequence,
    warnings: [
      reservedBits('flags', flags, 0xe0),
      rest,
      reservedBits('sensor status', status ?? 0, 0xf000),
      concentration === undefined ? 'The record holds no concentration.' : undefined,
      flags & 16 ? 'A context record (meal, exercise, medication) belongs to this one.' : undefined,
    ],
    attributes: {
      sequenceNumber: sequence,
      ...(typeAndLocation === undefined ? {} : sampleAttributes(type, typeAndLocation >> 4)),
      ...(status === undefined ? {} : { sensorStatus: status, ...statusFlags(status) }),
      ...(flags & 16 ? { contextFollows: true } : {}),
    },
  })
}

function signalOf(type: number): string {
  if (type === CONTROL_SOLUTION) return 'glucose-control'
  return type === INTERSTITIAL ? 'glucose-interstitial' : 'glucose'
}

const sampleAttributes = (type: number, location: number) => ({
  sampleType: SAMPLES[type] ?? 'reserved',
  sampleLocation: LOCATIONS.get(location) ?? 'reserved',
})

const statusFlags = (status: number) =>
  someAttributes({
    batteryLowAtMeasurement: (status & 0x001) !== 0,
    sensorMalfunction: (status & 0x002) !== 0,
    sampleSizeInsufficient: (status & 0x004) !== 0,
    stripInsertionError: (status & 0x008) !== 0,
    stripTypeIncorrect: (status & 0x010) !== 0,
    resultTooHighForSensor: (status & 0x020) !== 0,
    resultTooLowForSensor: (status & 0x040) !== 0,
    temperatureTooHigh: (status & 0x080) !== 0,
    temperatureTooLow: (status & 0x100) !== 0,
    stripPulledTooSoon: (status & 0x200) !== 0,
    generalDeviceFault: (status & 0x400) !== 0,
    timeFault: (status & 0x800) !== 0,
  })
