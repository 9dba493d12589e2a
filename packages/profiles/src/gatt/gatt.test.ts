import { describe, expect, test } from 'vitest'
import { profile } from '../catalog.ts'
import { hex, json, ownVectors, refusal, vectorsOf } from '../testing/material.ts'
import { decodeCharacteristic } from './characteristic.ts'
import { continuousGlucose } from './continuous-glucose.ts'
import { float, sfloat } from './ieee-11073.ts'

interface OwnVector {
  readonly name: string
  readonly characteristic: string
  readonly hex: string
  readonly readings?: Record<string, unknown>
  readonly rr?: number[]
  readonly unit?: string
  readonly time?: string
  readonly untrustedTime?: string
  readonly userIndex?: number
  readonly sequence?: number
  readonly warns?: boolean
  readonly refused?: string
  readonly pointer?: string
}

describe('our own vectors of health characteristics', () => {
  test.each(ownVectors<OwnVector>('gatt.json'))('$characteristic $name', (vector) => {
    const decode = () => decodeCharacteristic(vector.characteristic, hex(vector.hex))
    if (vector.refused !== undefined) {
      expect(refusal(decode)).toMatchObject({ code: vector.refused, pointer: vector.pointer })
      return
    }
    const frame = decode()
    const single = frame.readings.filter((reading) => reading.signal !== 'rr-interval')
    expect(Object.fromEntries(single.map((reading) => [reading.signal, reading.value]))).toEqual(vector.readings)
    const intervals = frame.readings.filter((reading) => reading.signal === 'rr-interval')
    expect(intervals.map((reading) => reading.value)).toEqual(vector.rr ?? [])
    expect(intervals.map((reading) => reading.ordinal)).toEqual(intervals.map((_, place) => place))
    if (vector.unit !== undefined) expect(frame.readings[0]!.unit).toBe(vector.unit)
    for (const reading of frame.readings) {
      expect(reading.time).toEqual(vector.time === undefined ? undefined : { local: vector.time })
      expect(reading.untrustedTime).toEqual(
        vector.untrustedTime === undefined ? undefined : { local: vector.untrustedTime },
      )
    }
    expect(frame.clockUnset ?? false).toBe(vector.untrustedTime !== undefined)
    expect(frame.userIndex).toBe(vector.userIndex)
    expect(frame.sequence).toBe(vector.sequence)
    if (vector.warns) expect(frame.warnings?.length).toBeGreaterThan(0)
  })
})

describe('IEEE 11073 numbers', () => {
  test.each([
    [0xf16c, 36.4],
    [0xb069, 0.00105],
    [0xc03a, 0.0058],
    [0xe7d0, 20],
    [0x1ff6, -100],
    [0x7001, 10_000_000],
  ])('SFLOAT %i is %d', (word, value) => expect(sfloat(word)).toBe(value))

  test('reserved words are states, never numbers', () => {
    const states = ['not-a-number', 'not-at-this-resolution', 'positive-infinity', 'negative-infinity', 'reserved']
    expect([0x07ff, 0x0800, 0x07fe, 0x0802, 0x0801].map((word) => sfloat(word))).toEqual(
      states.map((absent) => ({ absent })),
    )
    expect([0x007fffff, 0x00800000, 0x007ffffe, 0x00800002, 0x00800001].map((word) => float(word))).toEqual(
      states.map((absent) => ({ absent })),
    )
  })

  const words = vectorsOf<{ raw: string; expected: number | null }>('ble-gatt/sfloat-vectors.json')
  test.skipIf(words.length === 0)('every SFLOAT word of the shared material', () => {
    for (const { raw, expected } of words) {
      const value = sfloat(Number(raw))
      if (expected === null) expect(value, raw).toHaveProperty('absent')
      else expect(value, raw).toBe(expected)
    }
  })
})

describe('envelopes of gateways', () => {
  const cuff = profile('ble-blood-pressure')!
  const plain = '00 8E00 5800 6A00'

  test('name the characteristic and give the time that a device without a clock has not', () => {
    const frame = cuff.decode!(json({ characteristic: '2A36', hex: '00d7f000000000', ts: 1_795_336_215_000 }))
    expect(frame.readings).toEqual([
      { signal: 'cuff-pressure', value: 21.5, unit: 'mm[Hg]', group: 0, time: { epochMs: 1_795_336_215_000 } },
    ])
  })

  test('take the 128-bit UUID, base64 and RFC 3339', () => {
    const frame = cuff.decode!(
      json({
        characteristic: '00002a35-0000-1000-8000-00805f9b34fb',
        base64: Buffer.from(hex(plain)).toString('base64'),
        ts: '2026-11-22T08:30:15Z',
      }),
    )
    expect(frame.readings[0]).toMatchObject({
      signal: 'systolic',
      value: 142,
      time: { epochMs: Date.UTC(2026, 10, 22, 8, 30, 15) },
    })
  })

  test("do not replace the device's own time", () => {
    const frame = cuff.decode!(json({ hex: '02 8E00 5800 6A00 EA070B16081E0F', ts: 1_795_336_215_000 }))
    expect(frame.readings[0]!.time).toEqual({ local: '2026-11-22T08:30:15' })
  })

  test('date a record whose clock is not set, and keep what it said', () => {
    const frame = cuff.decode!(json({ hex: '02 8E00 5800 6A00 00000000000000', ts: 1_795_336_215_000 }))
    expect(frame.readings[0]).toMatchObject({
      time: { epochMs: 1_795_336_215_000 },
      untrustedTime: { local: '0000-00-00T00:00:00' },
    })
  })

  test.each([
    [{ characteristic: '2A99', hex: '00' }, 'frame-unsupported', '/characteristic'],
    [{ characteristic: '2A35', hex: '0' }, 'frame-invalid', '/hex'],
    [{ characteristic: '2A35', hex: 7 }, 'frame-invalid', '/hex'],
    [{ characteristic: '2A35', base64: '!' }, 'frame-invalid', '/base64'],
    [{ characteristic: '2A35' }, 'frame-invalid', '/hex'],
    [{ hex: plain, ts: '22.11.2026' }, 'frame-invalid', '/ts'],
    [{ hex: plain, ts: '2026-11-22T08:30:15' }, 'frame-invalid', '/ts'],
    [{ hex: plain, address: 'AA:BB:CC:DD:EE:00' }, 'frame-wrong-device', '/address'],
  ])('%j is refused with %s at %s', (envelope, code, pointer) => {
    const failure = refusal(() => cuff.decode!(json(envelope), { address: 'aabbccddeeff' }))
    expect(failure).toMatchObject({ code, pointer })
  })

  test('a device behind a gateway must name its characteristic', () => {
    const device = profile('ble-health-device')!
    expect(refusal(() => device.decode!(hex(plain))).code).toBe('frame-unsupported')
    expect(refusal(() => device.decode!(json({ hex: plain }))).pointer).toBe('/characteristic')
    expect(device.decode!(json({ characteristic: '2A35', hex: plain })).readings).toHaveLength(3)
  })
})

test('a CGM record is dated by its session', () => {
  const frame = continuousGlucose(hex('06 00 7800 0500 06 00 7900 0A00'), { sessionStart: 1_000_000 })
  expect(frame.readings.map(({ value, time }) => [value, time])).toEqual([
    [120, { epochMs: 1_300_000 }],
    [121, { epochMs: 1_600_000 }],
  ])
})
