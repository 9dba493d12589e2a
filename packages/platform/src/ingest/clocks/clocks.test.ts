import { describe, expect, test } from 'vitest'
import { type SettledClock, settleClock, settleRelative, settleTime } from './settle-time.ts'
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
  const start = { clock: { epoch: 0, offsetMs: 0 }, guess: undefined }
  /** What is settled after messages, each received `at` ms from now and sent `late` ms before by the device's clock. */
  const after = (messages: readonly (readonly [at: number, late: number])[], from: SettledClock = start) =>
    messages.reduce((settled, [at, late]) => settleClock(settled, now + at - late, now + at), from)

  test('a small difference is transport, and an early clock or one nearer to ours is believed at once', () => {
    expect(after([[0, 4_000]])).toEqual(start)
    const early = after([[0, -3_600_000]])
    expect(early.clock).toEqual({ epoch: 1, offsetMs: -3_600_000 })
    expect(after([[1000, -3_602_000]], early).clock).toBe(early.clock)
    expect(settleClock(early, undefined, now)).toBe(early)
    expect(after([[1000, 0]], early).clock).toEqual({ epoch: 2, offsetMs: 0 })
  })

  test('a late clock is believed when three messages agree over two minutes, and what waited in a queue is not one', () => {
    const agreed = [
      [0, 3_601_000],
      [60_000, 3_600_000],
      [120_000, 3_602_000],
    ] as const
    expect(after(agreed.slice(0, 2)).clock).toBe(start.clock)
    expect(after(agreed).clock).toEqual({ epoch: 1, offsetMs: 3_600_000 })
    // As many, but all at once; and a queue that empties, each message younger than the one before.
    expect(after([0, 1, 2, 3].map((at) => [at, 3_600_000] as const)).clock).toBe(start.clock)
    const queue = Array.from({ length: 60 }, (_, i) => [i * 100, 3_600_000 - i * 60_000] as const)
    expect(after([...queue, [7_000, 0]])).toEqual(start)
    expect(after([agreed[0], agreed[1], [90_000, 900_000], agreed[2]]).clock).toBe(start.clock)
  })

  test('a clock up to two minutes fast measures nothing after it has come; one faster is flagged as well', () => {
    const settle = (ms: number) => settleTime({ epochMs: now + ms }, undefined, now, start.clock, () => 0)
    expect(settle(90_000)).toEqual({ measuredAt: now, deviceTime: now + 90_000 })
    expect(settle(121_000)).toEqual({ measuredAt: now, deviceTime: now + 121_000, flag: 'clock-in-future' })
    expect(settleRelative(1_000, now)).toEqual({ measuredAt: now })
  })

  test('a time relative to the moment of sending: late, just now, long ago, and in a future that cannot be', () => {
    expect(settleRelative(-30_000, now)).toEqual({ measuredAt: now - 30_000 })
    expect(settleRelative(-16 * minute, now)).toEqual({ measuredAt: now - 16 * minute, flag: 'historic' })
    expect(settleRelative(3 * minute, now)).toEqual({ measuredAt: now, flag: 'clock-in-future' })
  })
})
