import { describe, expect, test } from 'vitest'
import { breachDeadlines } from './breach-deadlines.ts'
import { median, sharesName, unusualVolumes, volumeFactor, volumeFloor } from './unusual.ts'

const many = volumeFloor + 1

describe('compliance > what is many', () => {
  test.each<[what: string, before: number[], today: number, found: boolean]>([
    ['very many on the first day', [], many, true],
    ['many, and no more than ever', [many, many, many], many, false],
    ['three times the usual and one more', [20, 20, 20], 20 * volumeFactor + 1, true],
    ['three times the usual', [20, 20, 20], 20 * volumeFactor, false],
    ['few, though ten times the usual', [4, 4, 4], volumeFloor, false],
    ['one wild day before does not hide it', [10, 10, 10, 900], 100, true],
  ])('%s', (_, before, today, found) => {
    const volumes = unusualVolumes(new Map([['ana', before]]), new Map([['ana', today]]))
    expect(volumes.map(({ user }) => user)).toEqual(found ? ['ana'] : [])
  })

  test('the usual is the median', () => {
    expect([median([]), median([5]), median([1, 9]), median([9, 1, 5])]).toEqual([0, 5, 5, 5])
  })
})

describe('compliance > a namesake', () => {
  test.each([
    ['Ana Gruber', 'Gruber, Kunigunde', true],
    ['GRUBER Ana', 'Grüber, Kunigunde', true],
    ['Dr. Minh Dang', 'Đặng, Linh', true],
    ['Ana Gruber', 'Huber, Ana', false],
    ['Ana Gruber-Moser', 'Moser, Karl', true],
    ['Jo Li', 'Li, Wei', false],
  ])('%s and %s: %s', (staff, patient, shares) => expect(sharesName(staff, patient)).toBe(shares))
})

describe('compliance > the clocks of a breach', () => {
  const date = (text: string) => Date.parse(`${text}T12:00:00Z`)
  const day = (at: number | null) => (at === null ? null : new Date(at).toISOString().slice(0, 10))

  test.each<[discovered: string, affected: number, individuals: string, hhs: string, media: string | null]>([
    ['2026-03-01', 1, '2026-04-30', '2027-03-01', null],
    ['2026-03-01', 499, '2026-04-30', '2027-03-01', null],
    ['2026-03-01', 500, '2026-04-30', '2026-04-30', null],
    ['2026-03-01', 501, '2026-04-30', '2026-04-30', '2026-04-30'],
    ['2027-12-31', 10, '2028-02-29', '2028-02-29', null],
  ])('discovered %s, %i people', (discovered, affected, individuals, hhs, media) => {
    const due = breachDeadlines(date(discovered), affected)
    expect([day(due.individuals), day(due.hhs), day(due.media)]).toEqual([individuals, hhs, media])
  })
})
