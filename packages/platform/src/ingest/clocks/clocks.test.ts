import { describe, expect, test } from 'vitest'
import { settleClock, settleRelative } from './settle-time.ts'
import { wallClockToEpoch, zoneOffsetMs } from './wall-clock.ts'

const utc = (text: string) => Date.parse(`${text}Z`)
const minute = 60_000

describe('wall clock', () => {
  test.each([
    ['summer in Vienna', 'Europe/Vienna', '2026-07-01T12:00:00', '2026-07-01T10:00:00'],
    ['winter in Vienna', 'Europe/Vienna', '2026-01-01T12:00:00', '2026-01-01T11:00:00'],
    ['the last second before the clock goes forward', 'Europe/Vienna', '2026-03-29T01:59:59', '2026-03-29T00:59:59'],
    ['the first second after it', 'Europe/Vienna', '2026-03-29T03:00:00', '2026-03-29T01:00:00'],
    [
      'the hour that does not occur: as if it had not been put forward',
      'Europe/Vienna',
      '2026-03-29T02:30:00',
      '2026-03-29T01:30:00',
    ],
    ['the hour that occurs twice: the earlier', 'Europe/Vienna', '2026-10-25T02:30:00', '2026-10-25T00:30:00'],
    ['after it', 'Europe/Vienna', '2026-10-25T03:00:00', '2026-10-25T02:00:00'],
    ['west of Greenwich, the hour that occurs twice', 'America/Chicago', '2026-11-01T01:30:00', '2026-11-01T06:30:00'],
    [
      'west of Greenwich, the hour that does not occur',
      'America/Chicago',
      '2026-03-08T02:30:00',
      '2026-03-08T08:30:00',
    ],
    ['half an hour of summer time', 'Australia/Lord_Howe', '2026-01-15T12:00:00', '2026-01-15T01:00:00'],
    ['a zone of three quarters', 'Asia/Kathmandu', '2026-05-05T05:45:00', '2026-05-05T00:00:00'],
    ['a leap day', 'Europe/Vienna', '2028-02-29T23:30:00', '2028-02-29T22:30:00'],
    ['the turn of a year', 'Pacific/Auckland', '2027-01-01T00:30:00', '2026-12-31T11:30:00'],
  ])('%s', (_, zone, local, instant) => {
    expect(new Date(wallClockToEpoch(local, zone)).toISOString()).toBe(new Date(utc(instant)).toISOString())
  })

  test('every minute of a year but those that do not occur reads back as it was shown', () => {
    for (const zone of ['Europe/Vienna', 'America/Chicago', 'Australia/Lord_Howe'])
      for (let at = utc('2026-01-01T00:00:00'); at < utc('2027-01-01T00:00:00'); at += 37 * minute) {
        const shown = new Date(at + zoneOffsetMs(at, zone)).toISOString().slice(0, 19)
        const read = wallClockToEpoch(shown, zone)
        expect(read + zoneOffsetMs(read, zone)).toBe(at + zoneOffsetMs(at, zone))
        expect(at - read).toBeGreaterThanOrEqual(0)
      }
  })
})

describe('clock epochs', () => {
  const now = utc('2026-03-02T10:00:00')
  test('a small difference is transport; a large one begins an epoch, and the same one none', () => {
    const first = { epoch: 0, offsetMs: 0 }
    expect(settleClock(first, now - 4_000, now)).toBe(first)
    const late = settleClock(first, now - 3_600_000, now)
    expect(late).toEqual({ epoch: 1, offsetMs: 3_600_000 })
    expect(settleClock(late, now - 3_602_000, now)).toBe(late)
    expect(settleClock(late, undefined, now)).toBe(late)
    expect(settleClock(late, now, now)).toEqual({ epoch: 2, offsetMs: 0 })
  })

  test('a time relative to the moment of sending: late, just now, long ago, and in a future that cannot be', () => {
    expect(settleRelative(-30_000, now)).toEqual({ measuredAt: now - 30_000 })
    expect(settleRelative(-16 * minute, now)).toEqual({ measuredAt: now - 16 * minute, flag: 'historic' })
    expect(settleRelative(3 * minute, now)).toEqual({ measuredAt: now, flag: 'clock-in-future' })
  })
})
