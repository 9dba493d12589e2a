import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesOf, someNames } from './decode.fixtures.ts'
import { parseJson } from './json.ts'
import { Unreadable } from './names.ts'

const CASES = Number(process.env.FUZZ_CASES ?? 10_000)
const ts = 1_795_305_600_000
const parse = (payload: unknown) => parseJson(bytesOf(payload), someNames)
const short = (payload: unknown) =>
  parse(payload).readings.map(({ signal, value, unit, time, ordinal, group }) => [
    signal,
    value,
    unit,
    time ?? null,
    ordinal,
    group,
  ])

describe('json payloads', () => {
  test('our own shape: time, number, values', () => {
    const parsed = parse({ ts, seq: 4, now: ts + 1, values: { hr: 72, spo2: 97.5 } })
    expect(parsed).toMatchObject({ sequence: 4, deviceNow: ts + 1, faults: [] })
    expect(parsed.readings).toEqual([
      {
        signal: 'heart-rate',
        value: 72,
        unit: '/min',
        time: { epochMs: ts },
        ordinal: 0,
        group: 0,
        pointer: '/values/hr',
      },
      { signal: 'spo2', value: 97.5, unit: '%', time: { epochMs: ts }, ordinal: 0, group: 0, pointer: '/values/spo2' },
    ])
  })

  test("ThingsBoard's shapes: a flat object, {ts, values}, an array of either", () => {
    expect(short({ hr: 72 })).toEqual([['heart-rate', 72, '/min', null, 0, 0]])
    expect(short({ ts, values: { hr: 72 } })).toEqual([['heart-rate', 72, '/min', { epochMs: ts }, 0, 0]])
    expect(short([{ hr: 72 }, { spo2: 97 }])).toEqual([
      ['heart-rate', 72, '/min', null, 0, 0],
      ['spo2', 97, '%', null, 0, 1],
    ])
    expect(
      short([
        { ts, values: { hr: 72 } },
        { ts: ts + 1, values: { hr: 73 } },
      ]),
    ).toEqual([
      ['heart-rate', 72, '/min', { epochMs: ts }, 0, 0],
      ['heart-rate', 73, '/min', { epochMs: ts + 1 }, 0, 1],
    ])
  })

  test('two values of one signal for one moment in a frame are two readings, told apart by their ordinal', () => {
    const twice = [
      { ts, values: { hr: 72 } },
      { ts, values: { hr: 72 } },
    ]
    expect(parse(twice).readings.map(({ ordinal }) => ordinal)).toEqual([0, 1])
  })

  test.each([
    ['a number', 72, 72, '/min'],
    ['true', true, 1, '/min'],
    ['false', false, 0, '/min'],
    ['null: the device could not measure', null, { absent: 'unsuccessful' }, '/min'],
    ['a quantity with its unit', { value: 1.2, unit: 'Hz' }, 1.2, 'Hz'],
    ['a quantity that is absent', { value: null, unit: 'Hz' }, { absent: 'unsuccessful' }, 'Hz'],
  ])('a value may be %s', (_, raw, value, unit) => {
    expect(parse({ values: { hr: raw } }).readings[0]).toMatchObject({ value, unit })
  })

  test('minus zero is zero', () => {
    expect(Object.is(parse('{"hr":-0}').readings[0]?.value, 0)).toBe(true)
  })

  test.each([
    ['nothing', '', ''],
    ['half an object', '{"values":{"hr":7', ''],
    ['text', '"hello"', ''],
    ['null', 'null', ''],
    ['an empty array', [], ''],
    ['an array of numbers', [1], '/0'],
    ['no values', {}, '/values'],
    ['values that are no object', { values: [1] }, '/values'],
    ['a time in seconds', { ts: 1_795_305_600, values: { hr: 1 } }, '/ts'],
    ['a time as text', { ts: '2026-11-22T00:00:00Z', values: { hr: 1 } }, '/ts'],
    ['a time in microseconds', { ts: ts * 1000, values: { hr: 1 } }, '/ts'],
    [
      'a wrong time inside an array',
      [
        { ts, values: { hr: 1 } },
        { ts: 5, values: { hr: 1 } },
      ],
      '/1/ts',
    ],
    ['a negative number', { seq: -1, values: { hr: 1 } }, '/seq'],
    ['a broken number', { seq: 1.5, values: { hr: 1 } }, '/seq'],
    [
      'message numbers inside an array',
      [
        { seq: 1, hr: 1 },
        { seq: 2, hr: 1 },
      ],
      '/0/seq',
    ],
    ['a wrong device clock', { now: 'noon', values: { hr: 1 } }, '/now'],
  ])('%s is refused as a whole, with a pointer', (_, payload, pointer) => {
    expect(() => parse(payload)).toThrow(expect.objectContaining({ name: 'Unreadable', pointer }))
  })

  test.each([
    ['an unknown key', { hr: 1, flux: 2 }, 'unknown-signal', '/flux'],
    ['text for a number', { hr: 1, spo2: '97' }, 'bad-frame', '/spo2'],
    ['a list for a number', { hr: 1, spo2: [97] }, 'bad-frame', '/spo2'],
    ['a quantity without a unit', { hr: 1, spo2: { value: 97 } }, 'bad-frame', '/spo2'],
    ['a quantity of quantities', { hr: 1, spo2: { value: { value: 1, unit: '%' }, unit: '%' } }, 'bad-frame', '/spo2'],
    ['a key with a slash and a tilde', { hr: 1, 'a/b~c': 2 }, 'unknown-signal', '/a~1b~0c'],
    ['a key of the language', '{"hr":1,"__proto__":5}', 'unknown-signal', '/__proto__'],
    ['infinity', '{"hr":1,"spo2":1e999}', 'bad-frame', '/spo2'],
  ])('%s is a fault of its own; the rest is kept', (_, payload, reason, pointer) => {
    const parsed = parse(payload)
    expect(parsed.readings).toHaveLength(1)
    expect(parsed.faults).toEqual([{ reason, pointer, message: expect.any(String) }])
  })

  test('more than ten thousand records are refused before any is read', () => {
    expect(() => parse(Array.from({ length: 10_001 }, () => ({ hr: 1 })))).toThrow(Unreadable)
  })

  test('whatever comes: readings with finite numbers and known signals, or a refusal with a pointer; never anything else', () => {
    const value = fc.oneof(
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.string(),
      fc.record({ value: fc.double(), unit: fc.string() }),
    )
    const record = fc.dictionary(
      fc.oneof(fc.constantFrom('hr', 'spo2', 'ts', 'seq', 'now', 'values'), fc.string()),
      value,
    )
    const payload = fc.oneof(
      fc.json(),
      fc.string(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
      record.map((one) => JSON.stringify(one)),
      fc.array(record).map((many) => JSON.stringify(many)),
      fc.record({ ts: fc.integer({ min: ts, max: ts + 1000 }), values: record }).map((one) => JSON.stringify(one)),
    )
    fc.assert(
      fc.property(payload, (text) => {
        try {
          const { readings, faults } = parseJson(Buffer.from(text), someNames)
          expect(readings.length + faults.length).toBeGreaterThan(0)
          for (const reading of readings) {
            expect(['heart-rate', 'spo2', 'body-temperature']).toContain(reading.signal)
            if (typeof reading.value === 'number') expect(Number.isFinite(reading.value)).toBe(true)
          }
        } catch (error) {
          if (!(error instanceof Unreadable)) throw error
        }
      }),
      { numRuns: CASES },
    )
  })
})
