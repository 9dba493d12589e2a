import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesOf, someNames } from './decode.fixtures.ts'
import { type Names, Unreadable } from './names.ts'
import { parseSenml } from './senml.ts'

const CASES = Number(process.env.FUZZ_CASES ?? 10_000)
const now = 1_795_305_600_000
const parse = (pack: unknown, names: Names = someNames) => parseSenml(bytesOf(pack), names, now)
/** Takes every name, for the examples of the RFC. */
const anyNames: Names = { find: (signal) => ({ signal, unit: '1' }) }
const told = (pack: unknown) =>
  parse(pack, anyNames).readings.map(({ signal, value, unit, time, relativeMs }) => [
    signal,
    value,
    unit,
    time ?? relativeMs ?? null,
  ])

describe('SenML (RFC 8428)', () => {
  test('5.1.1: a single datapoint, measured now', () => {
    expect(told([{ n: 'urn:dev:ow:10e2073a01080063', u: 'Cel', v: 23.1 }])).toEqual([
      ['10e2073a01080063', 23.1, 'Cel', null],
    ])
  })

  test('5.1.2: several datapoints under a base name', () => {
    const pack = [
      { bn: 'urn:dev:ow:10e2073a01080063:', n: 'voltage', u: 'V', v: 120.1 },
      { n: 'current', u: 'A', v: 1.2 },
    ]
    expect(told(pack)).toEqual([
      ['voltage', 120.1, 'V', null],
      ['current', 1.2, 'A', null],
    ])
  })

  test('5.1.2: base time and unit, and times relative to the base', () => {
    const pack = [
      { bn: 'urn:dev:ow:10e2073a0108006:', bt: 1.276020076001e9, bu: 'A', bver: 5, n: 'voltage', u: 'V', v: 120.1 },
      { n: 'current', t: -5, v: 1.2 },
      { n: 'current', t: -4, v: 1.3 },
      { n: 'current', v: 1.7 },
    ]
    expect(told(pack)).toEqual([
      ['voltage', 120.1, 'V', { epochMs: 1_276_020_076_001 }],
      ['current', 1.2, 'A', { epochMs: 1_276_020_071_001 }],
      ['current', 1.3, 'A', { epochMs: 1_276_020_072_001 }],
      ['current', 1.7, 'A', { epochMs: 1_276_020_076_001 }],
    ])
  })

  test('5.1.3: below 2^28 s a time is relative to now, and recognises nothing', () => {
    const pack = [
      { bn: 'urn:dev:ow:10e2073a01080063', bu: '%RH', v: 20 },
      { v: 21.2, t: -60 },
      { v: 21.3, t: 10 },
    ]
    expect(told(pack).map(([, , unit, time]) => [unit, time])).toEqual([
      ['%', null],
      ['%', -60_000],
      ['%', 10_000],
    ])
  })

  test('base value is added, and true and false are numbers', () => {
    expect(
      told([
        { bv: 20, n: 'a', v: 1.5 },
        { n: 'b', v: -1 },
        { n: 'c', vb: true },
      ]),
    ).toEqual([
      ['a', 21.5, '1', null],
      ['b', 19, '1', null],
      ['c', 1, '1', null],
    ])
  })

  test('a label that must be understood and is not refuses the pack', () => {
    expect(() =>
      parse([
        { n: 'hr', v: 1 },
        { n: 'hr', v: 1, scale_: 10 },
      ]),
    ).toThrow(expect.objectContaining({ pointer: '/1/scale_' }))
  })

  test('other unknown labels are ignored', () => {
    expect(parse([{ n: 'hr', v: 1, ut: 5, note: 'x' }]).readings).toHaveLength(1)
  })

  test.each([
    ['no JSON', 'x', ''],
    ['no array', { n: 'hr', v: 1 }, ''],
    ['nothing', [], ''],
    ['base fields alone', [{ bn: 'urn:x:' }], ''],
    ['a record that is no object', [{ n: 'hr', v: 1 }, 5], '/1'],
    ['text for a number', [{ n: 'hr', v: '72' }], '/0/v'],
    ['a name without a value', [{ n: 'hr' }], '/0'],
    ['a text value', [{ n: 'hr', vs: 'high' }], '/0/vs'],
    ['a data value', [{ n: 'hr', vd: 'aGk' }], '/0/vd'],
    ['a sum', [{ n: 'hr', s: 5 }], '/0/s'],
    ['a later version', [{ bver: 11, n: 'hr', v: 1 }], '/0/bver'],
    ['a name that is no text', [{ n: 5, v: 1 }], '/0/n'],
    ['a time in milliseconds', [{ n: 'hr', v: 1, t: now }], '/0/t'],
    ['a time before there were such devices', [{ n: 'hr', v: 1, t: -2e9 }], '/0/t'],
    ['a sum beyond all numbers', [{ n: 'hr', bv: 1.5e308, v: 1.5e308 }], '/0/v'],
    ['a time that is no number', [{ n: 'hr', v: 1, t: 'now' }], '/0/t'],
    ['a unit that is no text', [{ n: 'hr', v: 1, u: 5 }], '/0/u'],
  ])('%s is refused with a pointer', (_, pack, pointer) => {
    expect(() => parse(pack)).toThrow(expect.objectContaining({ name: 'Unreadable', pointer }))
  })

  test('an unknown name is a fault of its own; the rest is kept', () => {
    const { readings, faults } = parse([
      { n: 'hr', v: 72 },
      { n: 'flux', v: 1 },
    ])
    expect(readings).toHaveLength(1)
    expect(faults).toEqual([{ reason: 'unknown-signal', pointer: '/1/n', message: expect.any(String) }])
  })

  test('whatever comes: readings with finite numbers, or a refusal with a pointer', () => {
    const label = fc.constantFrom(
      'bn',
      'bt',
      'bu',
      'bv',
      'bs',
      'bver',
      'n',
      'u',
      'v',
      'vs',
      'vb',
      'vd',
      's',
      't',
      'ut',
      'x_',
    )
    const record = fc.dictionary(
      label,
      fc.oneof(fc.double(), fc.constantFrom('hr', 'urn:dev:mac:1:', 'spo2', ''), fc.boolean(), fc.constant(1e308)),
    )
    const pack = fc.oneof(
      fc.json(),
      fc.array(record).map((many) => JSON.stringify(many)),
      fc.string(),
    )
    fc.assert(
      fc.property(pack, (text) => {
        try {
          for (const { value } of parseSenml(Buffer.from(text), someNames, now).readings)
            expect(typeof value === 'number' && Number.isFinite(value)).toBe(true)
        } catch (error) {
          if (!(error instanceof Unreadable)) throw error
        }
      }),
      { numRuns: CASES },
    )
  })
})
