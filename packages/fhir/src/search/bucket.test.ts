import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bucketNamesOf, bucketsBetween } from './bucket.ts'

const number = fc.oneof(
  fc.double({ noNaN: true }),
  fc.double({ noNaN: true, min: -500, max: 500 }),
  fc.constantFrom(0, -0, 1, 2, 64, -64, 273.15, 1e-9, 2 ** -24, 2 ** 60, 2 ** 61, Number.POSITIVE_INFINITY),
)
const unit = fc.constantFrom('g', 'K')

test('search > buckets > a number between two others has one of the names of their range', () => {
  fc.assert(
    fc.property(fc.tuple(number, number, number), unit, (three, of) => {
      const [low, value, high] = three.toSorted((a, b) => a - b) as [number, number, number]
      const names = new Set(bucketsBetween(low, high, of))
      expect(bucketNamesOf(value, of).some((name) => names.has(name))).toBe(true)
    }),
    { numRuns: 5_000 },
  )
})

test('search > buckets > a range is some hundred names at most, each once, and one-sided ones are as short', () => {
  fc.assert(
    fc.property(fc.tuple(number, number), unit, ([one, other], of) => {
      const names = bucketsBetween(Math.min(one, other), Math.max(one, other), of)
      expect(new Set(names).size).toBe(names.length)
      expect(names.length).toBeLessThan(2 * 64 + 2 * 86)
    }),
  )
  expect(bucketsBetween(1.87, Number.POSITIVE_INFINITY, 's-1').length).toBeLessThan(80)
})

test('search > buckets > people with a fever are told apart from those without, in kelvin', () => {
  const names = new Set(bucketsBetween(38 + 273.15, Number.POSITIVE_INFINITY, 'K'))
  const isAmong = (celsius: number) => bucketNamesOf(celsius + 273.15, 'K').some((name) => names.has(name))
  expect(isAmong(38.01)).toBe(true)
  expect(isAmong(41)).toBe(true)
  expect(isAmong(37.4)).toBe(false)
  expect(isAmong(-20)).toBe(false)
})
