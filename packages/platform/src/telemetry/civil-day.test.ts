import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { civilDate, civilDay } from './civil-day.ts'

const hour = 3_600_000
const lengthOf = (date: string, zone: string): number => {
  const { from, to } = civilDay(Date.parse(`${date}T15:00:00Z`), zone)
  return (to - from) / hour
}

describe('telemetry > a civil day', () => {
  it('has 23 hours when clocks go forward, 25 when they go back, and is one day', () => {
    expect(lengthOf('2026-03-28', 'Europe/Vienna')).toBe(24)
    expect(lengthOf('2026-03-29', 'Europe/Vienna')).toBe(23)
    expect(lengthOf('2026-10-25', 'Europe/Vienna')).toBe(25)
    const long = civilDay(Date.UTC(2026, 9, 25, 12), 'Europe/Vienna')
    // 02:30 comes twice.
    for (const at of [Date.UTC(2026, 9, 25, 0, 30), Date.UTC(2026, 9, 25, 1, 30), long.from, long.to - 1])
      expect(civilDate(at, 'Europe/Vienna')).toBe('2026-10-25')
  })

  it('begins at one o’clock where midnight does not exist, and is left out where a place crossed the date line', () => {
    const { date, from } = civilDay(Date.UTC(2018, 10, 4, 15), 'America/Sao_Paulo')
    expect([date, new Date(from).toISOString()]).toEqual(['2018-11-04', '2018-11-04T03:00:00.000Z'])
    const last = civilDay(Date.UTC(2011, 11, 30, 9), 'Pacific/Apia')
    expect([last.date, civilDate(last.to, 'Pacific/Apia')]).toEqual(['2011-12-29', '2011-12-31'])
  })

  it('is that of the person, not of the server: half past four in UTC is the evening before in Los Angeles', () => {
    expect(civilDate(Date.UTC(2026, 2, 1, 4, 30), 'America/Los_Angeles')).toBe('2026-02-28')
    expect(civilDate(Date.UTC(2026, 2, 1, 4, 30), 'Asia/Tokyo')).toBe('2026-03-01')
  })

  it('holds every instant of it and none besides, in any zone and year', () => {
    const zones = ['Europe/Vienna', 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Chatham', 'Africa/Cairo', 'UTC']
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_200_000_000_000 }), fc.constantFrom(...zones), (at, zone) => {
        const day = civilDay(at, zone)
        expect(day.from <= at && at < day.to).toBe(true)
        expect([civilDate(day.from, zone), civilDate(day.to - 1, zone)]).toEqual([day.date, day.date])
        expect(civilDate(day.from - 1, zone) < day.date && civilDate(day.to, zone) > day.date).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})
