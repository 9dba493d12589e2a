import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toColumns } from './codec/columns.ts'
import { rollUp } from './codec/rollup.ts'
import { aReading } from './fixtures.ts'
import { outSinceOf, summaryOfBuckets, summaryOfReadings } from './part-summary.ts'

const step = 900_000
const band = { low: 2, high: 8 }
const columns = (values: readonly number[], start = 0) =>
  toColumns(values.map((value, i) => aReading('temperature-probe', start + i * 60_000, value)))
const since = (...parts: readonly (readonly number[])[]) => {
  let start = 0
  return outSinceOf(
    parts.map((values) => {
      const summary = summaryOfReadings(columns(values, start), step, band)
      start += values.length * 60_000
      return summary
    }),
  )
}

test('telemetry > out since the first reading after the last one within the band, in whatever parts they are stored', () => {
  expect(since([5, 9, 9])).toBe(60_000)
  expect(since([5, 9], [9], [9, 9])).toBe(60_000)
  expect(since([9, 9], [9, 5, 9])).toBe(4 * 60_000)
  expect(since([9, 9], [9, 5])).toBeNull()
  expect(since([9], [9])).toBe(0)
  // From too warm to too cold is out all the while; the limits themselves are allowed.
  expect(since([5, 9, 1])).toBe(60_000)
  expect(since([9, 8])).toBeNull()
  expect(outSinceOf([summaryOfReadings(columns([20]), step, null)])).toBeNull()
})

test('telemetry > steps of readings and of their rollup are the same, however readings are cut into parts', () => {
  const value = fc.integer({ min: -300, max: 300 }).map((tenths) => tenths / 10)
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 80 }), fc.nat(79), (values, cut) => {
      const whole = summaryOfReadings(columns(values), step, band)
      const rolled = summaryOfBuckets(rollUp(columns(values), 60_000), step, band)
      const rounded = (steps: typeof whole.steps) => steps.map((one) => ({ ...one, sum: Math.round(one.sum * 10) }))
      expect(rounded(rolled.steps)).toEqual(rounded(whole.steps))
      expect([rolled.outFrom, rolled.wasIn]).toEqual([whole.outFrom, whole.wasIn])
      const at = Math.min(cut, values.length)
      expect(since(values.slice(0, at), values.slice(at))).toBe(whole.outFrom)
    }),
  )
})
