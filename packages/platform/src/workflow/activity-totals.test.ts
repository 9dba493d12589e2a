import fc from 'fast-check'
import { expect, test } from 'vitest'
import { totalsOf } from './activity-totals.ts'

const minute = 60_000
const day = { from: 0, to: 24 * 60 * minute }
const at = (from: number, to: number, isLive = false) => ({ from: from * minute, to: to * minute, isLive })

test('activity > two nurses on one call of 15 minutes are 15 minutes and one live contact', () => {
  expect(totalsOf([at(10, 25, true), at(10, 25, true)], day)).toEqual({ seconds: 900, liveContacts: 1 })
  expect(totalsOf([at(10, 20, true), at(15, 25, true)], day)).toEqual({ seconds: 900, liveContacts: 1 })
})

test('activity > a call that begins as another ends is another contact; review beside a call counts once', () => {
  expect(totalsOf([at(0, 5, true), at(5, 8, true), at(0, 10)], day)).toEqual({ seconds: 600, liveContacts: 2 })
})

test('activity > only what lies inside the range counts; a contact counts where it began', () => {
  const midnight = [at(-10, 10, true)]
  expect(totalsOf(midnight, day)).toEqual({ seconds: 600, liveContacts: 0 })
  expect(totalsOf(midnight, { from: -day.to, to: 0 })).toEqual({ seconds: 600, liveContacts: 1 })
})

test('activity > nothing is rounded up', () => {
  expect(totalsOf([{ from: 0, to: 599_999, isLive: false }], day).seconds).toBe(599)
})

test('activity > the union is never longer than the sum nor than the range, and order changes nothing', () => {
  const interval = fc
    .tuple(fc.integer({ min: 0, max: 1440 }), fc.integer({ min: 0, max: 200 }), fc.boolean())
    .map(([from, length, isLive]) => at(from, from + length, isLive))
  fc.assert(
    fc.property(fc.array(interval, { maxLength: 12 }), (some) => {
      const { seconds, liveContacts } = totalsOf(some, day)
      const covered = new Set<number>()
      for (const { from, to } of some) for (let ms = from; ms < Math.min(to, day.to); ms += minute) covered.add(ms)
      expect(seconds).toBe(covered.size * 60)
      expect(liveContacts).toBeLessThanOrEqual(some.filter(({ isLive }) => isLive).length)
      expect(totalsOf([...some].reverse(), day)).toEqual({ seconds, liveContacts })
    }),
  )
})
