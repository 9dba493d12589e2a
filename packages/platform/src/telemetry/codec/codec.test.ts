import { readFileSync } from 'node:fs'
import type { Value } from '@careloop/contract'
import { Failure } from '@careloop/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from './bytes.ts'
import { decodeReadings, encodeReadings } from './chunk.ts'
import { joined, type KeptReading, taken, toColumns, toReadings } from './columns.ts'
import { readNumbers, writeNumbers } from './number-column.ts'
import { decodeBuckets, encodeBuckets, mergeBuckets, rollUp } from './rollup.ts'

const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 3 })
const epoch = fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 })
const value: fc.Arbitrary<Value> = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -4000, max: 40000 }).map((i) => i / 10) },
  { weight: 2, arbitrary: fc.double({ noNaN: false }) },
  fc.constantFrom<Value>({ absent: 'unsuccessful' }, { absent: 'not-a-number' }, { comparator: '<', limit: 40 }),
  fc.double({ noNaN: true }).map((limit): Value => ({ comparator: '>', limit })),
)

const reading: fc.Arbitrary<KeptReading> = fc
  .record({
    measuredAt: fc.oneof(
      epoch,
      epoch.map((ms) => ms + 0.625),
    ),
    value,
    ordinal: fc.oneof(fc.constant(0), fc.nat(9)),
    origin: optional(fc.constantFrom('typed', 'ehr')),
    enteredBy: optional(fc.constantFrom('staff-1', 'staff-2')),
    storedAt: optional(epoch),
    deviceTime: optional(
      fc.oneof(
        epoch,
        fc.double({ noNaN: true }).map((time) => time || 0),
      ),
    ),
    groupId: optional(fc.oneof(fc.uuid(), fc.string())),
    original: optional(
      fc.record({ value: fc.double({ noNaN: true }), unit: fc.constantFrom('[degF]', 'kPa', 'mmol/L') }),
    ),
    flags: optional(
      fc.uniqueArray(fc.constantFrom('clock-in-future', 'clock-unset', 'implausible', 'historic'), { minLength: 1 }),
    ),
  })
  .map(({ origin, enteredBy, storedAt, deviceTime, groupId, original, flags, ...rest }) => {
    const order = ['clock-in-future', 'clock-unset', 'implausible', 'historic'] as const
    return {
      ...rest,
      ...(origin === undefined ? {} : { origin }),
      ...(enteredBy === undefined ? {} : { enteredBy }),
      ...(storedAt === undefined ? {} : { storedAt }),
      ...(deviceTime === undefined ? {} : { deviceTime }),
      ...(groupId === undefined ? {} : { groupId }),
      ...(original === undefined ? {} : { original }),
      ...(flags === undefined ? {} : { flags: order.filter((flag) => flags.includes(flag)) }),
    }
  })

const inOrder = (readings: readonly KeptReading[]) =>
  [...readings].sort((a, b) => a.measuredAt - b.measuredAt || a.ordinal - b.ordinal)

describe('telemetry codec', () => {
  it('gives back every double of a column bit for bit', () => {
    const columns = fc.oneof(
      fc.array(fc.double(), { maxLength: 80 }),
      fc.array(fc.constantFrom(0, -0, 1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1e-7, 36.6), { maxLength: 80 }),
      fc.array(fc.integer({ min: -(2 ** 53), max: 2 ** 53 }), { maxLength: 80 }),
      fc.array(
        fc.integer({ min: -99999, max: 99999 }).map((i) => Math.fround(i / 100)),
        { maxLength: 80 },
      ),
      fc.array(
        fc.tuple(fc.nat(9999), fc.nat(12)).map(([i, k]) => i / 10 ** k),
        { maxLength: 200 },
      ),
    )
    fc.assert(
      fc.property(columns, (numbers) => {
        const out = new ByteWriter()
        writeNumbers(out, Float64Array.from(numbers))
        const from = new ByteReader(out.peek())
        expect([...readNumbers(from, numbers.length)]).toEqual(numbers)
        from.end()
      }),
      { numRuns: 1000 },
    )
  })

  it('loses nothing of a reading: value, absence, limit, unit, clocks, group, flags, who typed it', () => {
    fc.assert(
      fc.property(
        fc.array(reading, { maxLength: 60 }),
        fc.constantFrom<'open' | 'sealed'>('open', 'sealed'),
        (readings, effort) => {
          expect(toReadings(decodeReadings(encodeReadings(toColumns(readings), effort)))).toEqual(inOrder(readings))
        },
      ),
      { numRuns: 400 },
    )
  })

  it('joins parts into one sorted whole, as if they had come together', () => {
    fc.assert(
      fc.property(fc.array(fc.array(reading, { maxLength: 12 }), { minLength: 1, maxLength: 5 }), (parts) => {
        expect(toReadings(joined(parts.map(toColumns)))).toEqual(toReadings(toColumns(parts.flat())))
      }),
      { numRuns: 200 },
    )
  })

  it('keeps an exact repeat once however it comes, and two values of one place both', () => {
    const few = fc.record({
      measuredAt: fc.integer({ min: 0, max: 3 }),
      ordinal: fc.integer({ min: 0, max: 1 }),
      value: fc.constantFrom<KeptReading['value']>(0, -0, 1, { absent: 'not-a-number' }, { comparator: '<', limit: 1 }),
    })
    const keyOf = ({ measuredAt, ordinal, value }: KeptReading) =>
      `${measuredAt}/${ordinal}/${Object.is(value, -0) ? '-0' : JSON.stringify(value)}`
    fc.assert(
      fc.property(fc.array(fc.array(few, { maxLength: 12 }), { minLength: 1, maxLength: 4 }), (parts) => {
        const kept = toReadings(joined(parts.map(toColumns))).map(keyOf)
        expect(kept.toSorted()).toEqual([...new Set(parts.flat().map(keyOf))].sort())
      }),
      { numRuns: 300 },
    )
  })

  it('rolls up as a plain loop would, in parts or whole', () => {
    const plain = fc.array(
      reading.map((one) => ({
        ...one,
        measuredAt: Math.floor(one.measuredAt / 1000),
        value: typeof one.value === 'number' ? Math.round((one.value % 1e6) * 100) / 100 || 0 : one.value,
      })),
      { minLength: 1, maxLength: 60 },
    )
    fc.assert(
      fc.property(plain, fc.nat(59), (drawn, cut) => {
        const width = 60_000_000 / 1000
        const columns = toColumns(drawn)
        const readings = toReadings(columns) // without repeats
        const indexes = Array.from({ length: columns.n }, (_, i) => i)
        const parts = [indexes.slice(0, cut), indexes.slice(cut)].filter((part) => part.length > 0)
        const whole = decodeBuckets(encodeBuckets(rollUp(columns, width), 'sealed'))
        const merged = mergeBuckets(
          parts.map((part) => rollUp(taken(columns, part), width)),
          width,
        )
        const numbers = inOrder(readings).filter((one) => typeof one.value === 'number')
        for (let i = 0; i < whole.size; i++) {
          const inside = numbers
            .filter((one) => Math.floor(one.measuredAt / width) * width === whole.start[i])
            .map((one) => one.value as number)
          expect(whole.n[i]).toBe(inside.length)
          if (inside.length > 0) {
            expect([whole.min[i], whole.max[i], whole.first[i], whole.last[i]]).toEqual([
              Math.min(...inside),
              Math.max(...inside),
              inside[0],
              inside.at(-1),
            ])
            expect(whole.sum[i]).toBeCloseTo(
              inside.reduce((a, b) => a + b, 0),
              4,
            )
          }
          expect([
            merged.start[i],
            merged.n[i],
            merged.min[i],
            merged.max[i],
            merged.first[i],
            merged.last[i],
            merged.absent[i],
            merged.below[i],
            merged.above[i],
          ]).toEqual([
            whole.start[i],
            whole.n[i],
            whole.min[i],
            whole.max[i],
            whole.first[i],
            whole.last[i],
            whole.absent[i],
            whole.below[i],
            whole.above[i],
          ])
        }
        expect(whole.n.reduce((a, b) => a + b, 0)).toBe(numbers.length)
      }),
      { numRuns: 200 },
    )
  })

  it('refuses damaged bytes with a Failure and never hangs or grabs memory', () => {
    const seed = fc.array(reading, { minLength: 1, maxLength: 40 }).map((readings) => toColumns(readings))
    const mutated = fc
      .tuple(
        seed,
        fc.constantFrom('open', 'sealed', 'rollup'),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
        fc.nat(),
      )
      .map(([columns, kind, changes, cut]) => {
        const bytes = Uint8Array.from(
          kind === 'rollup'
            ? encodeBuckets(rollUp(columns, 60_000), 'sealed')
            : encodeReadings(columns, kind as 'open' | 'sealed'),
        )
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte
        return cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes
      })
    const stored = fc
      .uint8Array({ maxLength: 200 })
      .map((body) => Uint8Array.from([1, 0, body.length % 128, ...body.subarray(0, body.length % 128)]))
    fc.assert(
      fc.property(fc.oneof(mutated, stored, fc.uint8Array({ maxLength: 64 })), (bytes) => {
        for (const decode of [decodeReadings, decodeBuckets]) {
          try {
            decode(bytes)
          } catch (error) {
            if (!(error instanceof Failure)) throw error
            expect(['chunk-damaged', 'chunk-format-unknown']).toContain(error.code)
          }
        }
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 10_000) },
    )
  })

  it('refuses a bomb by its claim', () => {
    const bomb = Uint8Array.from([1, 2, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0])
    expect(() => decodeReadings(bomb)).toThrow(expect.objectContaining({ code: 'chunk-damaged' }))
    const many = Uint8Array.from([1, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x7f])
    expect(() => decodeReadings(many)).toThrow(expect.objectContaining({ code: 'chunk-damaged' }))
  })

  it('reads what version 1 wrote, for ever', () => {
    const fixture = new URL('./testdata/chunk-v1.json', import.meta.url)
    const { hex, sealedHex, readings } = JSON.parse(readFileSync(fixture, 'utf8')) as {
      hex: string
      sealedHex: string
      readings: readonly (KeptReading | (Omit<KeptReading, 'value'> & { value: '-0' }))[] // JSON has no -0
    }
    const expected = readings.map((one) => (one.value === '-0' ? { ...one, value: -0 } : one))
    for (const bytes of [hex, sealedHex])
      expect(toReadings(decodeReadings(Buffer.from(bytes, 'hex')))).toEqual(expected)
  })
})
