import type { DecodedFrame, Value } from '@careloop/contract'
import { describe, expect, test } from 'vitest'
import { hex, refusal, vectorsOf } from '../testing/material.ts'
import { decodeCharacteristic } from './characteristic.ts'

interface Vector {
  readonly id: string
  readonly characteristic: string
  readonly input_hex: string
  readonly expected: 'reject' | Record<string, unknown>
}

const vectors = vectorsOf<Vector>('ble-gatt/gatt-vectors.json')

const numberOf = (frame: DecodedFrame, signal: string): Value | undefined =>
  frame.readings.find((reading) => reading.signal === signal)?.value

/** The material's names for our signals. */
const SIGNALS: Readonly<Record<string, string>> = {
  systolic: 'systolic',
  diastolic: 'diastolic',
  meanArterialPressure: 'mean-arterial-pressure',
  cuffPressure: 'cuff-pressure',
  pulseRate: 'pulse-rate',
  heartRate: 'heart-rate',
  temperature: 'body-temperature',
  spo2: 'spo2',
  weight: 'body-weight',
  bmi: 'bmi',
  height: 'body-height',
}

const UNITS: Readonly<Record<string, string>> = {
  mmHg: 'mm[Hg]',
  kPa: 'kPa',
  C: 'Cel',
  F: '[degF]',
  kg: 'kg',
  lb: '[lb_av]',
  m: 'm',
}

/** Compares one expected field; every field must be known here, so that a new one in the material cannot pass unseen. */
function expectField(frame: DecodedFrame, name: string, expected: unknown, all: Record<string, unknown>): void {
  const first = frame.readings[0]!
  const attributes = frame.attributes ?? {}
  if (SIGNALS[name] !== undefined) {
    const value = numberOf(frame, SIGNALS[name])
    if (expected === null) expect(value, name).toHaveProperty('absent')
    else expect(value, name).toBe(expected)
    return
  }
  switch (name) {
    case 'unit':
      if (all.concentration === undefined) expect(first.unit).toBe(UNITS[String(expected)])
      else expect(first.unit).toBe(expected === 'mol/L' ? 'mmol/L' : 'mg/dL')
      break
    case 'concentration':
      expect(Number(first.value) / (first.unit === 'mmol/L' ? 1e3 : 1e5)).toBeCloseTo(Number(expected), 12)
      break
    case 'mmolL':
    case 'mgdl':
      expect(first.value).toBe(expected)
      break
    case 'timestamp': {
      const time = (first.time ?? first.untrustedTime) as { local: string }
      expect(time.local).toBe(expected)
      expect(first.time === undefined).toBe(all.deviceClockNotSet === true || String(expected).startsWith('0000'))
      break
    }
    case 'deviceClockNotSet':
      expect(frame.clockUnset ?? false).toBe(expected)
      break
    case 'baseTime':
      expect(frame.readings[0]!.time).toEqual({ local: shifted(String(expected), Number(all.timeOffsetMinutes ?? 0)) })
      break
    case 'timeOffsetMinutes':
      break // with baseTime
    case 'rrIntervals1024':
      expect(
        frame.readings.filter((r) => r.signal === 'rr-interval').map((r) => (Number(r.value) * 1024) / 1000),
      ).toEqual(expected)
      break
    case 'sensorContact':
      expect(numberOf(frame, 'sensor-contact')).toBe(expected === null ? undefined : Number(expected))
      break
    case 'userId':
      expect(frame.userIndex).toBe(expected)
      break
    case 'sequenceNumber':
      expect(frame.sequence).toBe(expected)
      break
    case 'temperatureType':
      expect(attributes.site).toBe(['', 'armpit', 'body', 'ear', 'finger'][Number(expected)])
      break
    case 'type':
      expect(attributes.sampleType).toBe({ 1: 'capillary-whole-blood', 8: 'undetermined-plasma' }[Number(expected)])
      break
    case 'sampleLocation':
      expect(attributes.sampleLocation).toBe({ 1: 'finger', 15: 'not-available' }[Number(expected)])
      break
    case 'contextFollows':
      expect(attributes.contextFollows ?? false).toBe(expected)
      break
    case 'heightUnit':
      expect(frame.readings.find((r) => r.signal === 'body-height')?.unit).toBe(expected)
      break
    case 'records':
      expectCgm(frame, expected as Record<string, number>[])
      break
    default:
      expect(attributes[name], name).toBe(expected)
  }
}

function expectCgm(frame: DecodedFrame, records: readonly Record<string, number>[]): void {
  for (const [group, record] of records.entries()) {
    const of = (signal: string) => frame.readings.find((r) => r.group === group && r.signal === signal)?.value
    expect(of('glucose-interstitial')).toBe(record.glucoseMgDl)
    expect(of('glucose-trend')).toBe(record.trend)
    expect(of('glucose-quality')).toBe(record.quality)
    expect(frame.attributes).toMatchObject({
      timeOffsetMinutes: record.timeOffsetMinutes,
      sensorStatus: record.statusOctet,
      calibrationStatus: record.calTempOctet,
      warningStatus: record.warningOctet,
    })
  }
}

const shifted = (local: string, minutes: number) =>
  new Date(Date.parse(`${local}Z`) + minutes * 60_000).toISOString().slice(0, 19)

describe.skipIf(vectors.length === 0)('health characteristics of the shared material', () => {
  test.each(vectors)('$id decodes as expected or is refused', (vector) => {
    const decode = () => decodeCharacteristic(vector.characteristic, hex(vector.input_hex))
    if (vector.expected === 'reject') {
      expect(refusal(decode).code).toMatch(/^frame-(truncated|invalid)$/)
      return
    }
    const frame = decode()
    expect(Object.keys(vector.expected).length).toBeGreaterThan(0)
    for (const [name, expected] of Object.entries(vector.expected)) expectField(frame, name, expected, vector.expected)
  })
})
