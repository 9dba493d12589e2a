import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DeviceMarks } from './device-marks.ts'
import { hashValue } from './hash.ts'
import { SequenceSet } from './sequence-set.ts'
import { TimeWindow } from './time-window.ts'

const RUNS = Math.min(Number(process.env.FUZZ_CASES ?? 1_000), 20_000)

describe('sequence set', () => {
  test('says what a naive set of numbers and contents says, in whatever order they come, and after being saved', () => {
    const message = fc.tuple(fc.integer({ min: 0, max: 120 }), fc.integer({ min: 0, max: 3 }))
    fc.assert(
      fc.property(fc.array(message, { maxLength: 200 }), fc.integer({ min: 0, max: 200 }), (messages, savedAt) => {
        let set = new SequenceSet()
        const naive = new Map<number, number>()
        messages.forEach(([sequence, hash], i) => {
          if (i === savedAt) set = new SequenceSet(structuredClone(set.state()))
          const before = naive.get(sequence)
          const want = before === undefined ? 'new' : before === hash ? 'duplicate' : 'conflict'
          expect(set.verdict(sequence, hash)).toBe(want)
          if (want !== 'new') return
          set.add(sequence, hash, i * 1000)
          naive.set(sequence, hash)
        })
        expect(set.highest).toBe(naive.size === 0 ? undefined : Math.max(...naive.keys()))
      }),
      { numRuns: RUNS },
    )
  })

  test('never takes a used number for a new one, even with more holes than it keeps', () => {
    const set = new SequenceSet()
    for (let i = 0; i < 5_000; i++) set.add(i * 2, 1, 0)
    for (let i = 0; i < 5_000; i++) expect(set.has(i * 2)).toBe(true)
    expect(set.has(9_997)).toBe(false)
    expect(set.has(10_000)).toBe(false)
    expect(set.state().ranges.length).toBeLessThanOrEqual(2 * 1024)
  })

  test('a number from long ago is known as used, though its content is not', () => {
    const set = new SequenceSet()
    for (let i = 0; i < 1_000; i++) set.add(i, i, 0)
    expect(set.verdict(0, 0)).toBe('unknown')
    expect(set.verdict(999, 999)).toBe('duplicate')
    expect(set.state().ranges).toEqual([0, 999])
  })
})

describe('time window', () => {
  test('says what a naive map says of the newest 256 readings, in whatever order they come, and after being saved', () => {
    const reading = fc.tuple(
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 0, max: 1 }),
      fc.integer({ min: 0, max: 2 }),
    )
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 200 }), fc.integer({ min: 0, max: 200 }), (readings, savedAt) => {
        let window = new TimeWindow()
        const naive = new Map<string, number>()
        readings.forEach(([time, ordinal, hash], i) => {
          if (i === savedAt) window = new TimeWindow(structuredClone(window.state()))
          const before = naive.get(`${time} ${ordinal}`)
          const want = before === undefined ? 'new' : before === hash ? 'duplicate' : 'conflict'
          expect(window.verdict(time, ordinal, hash)).toBe(want)
          if (want !== 'new') return
          window.add(time, ordinal, hash)
          naive.set(`${time} ${ordinal}`, hash)
        })
      }),
      { numRuns: RUNS },
    )
  })

  test('knows at least the newest 4,000, and says of what is older that it does not know', () => {
    let window = new TimeWindow()
    const hashOf = (i: number) => i * 7919
    for (let i = 0; i < 10_000; i++) {
      window.add(i * 1000, 0, hashOf(i))
      if (i % 1111 === 0) window = new TimeWindow(structuredClone(window.state()))
      for (const back of [0, 100, 255, 3_999])
        if (i >= back) expect(window.verdict((i - back) * 1000, 0, hashOf(i - back))).toBe('duplicate')
    }
    expect(window.verdict(9_000_000, 0, hashOf(9_000) + 1)).toBe('conflict')
    expect(window.verdict(7_000_000, 0, hashOf(7_000) + 1)).toBe('conflict')
    expect(window.verdict(7_000_001, 0, 0)).toBe('new')
    expect(window.verdict(7_000_000, 1, 0)).toBe('new')
    expect(window.verdict(0, 0, 0)).toBe('unknown')
    expect(window.newest).toBe(9_999_000)
    expect(JSON.stringify(window.state()).length).toBeLessThan(48_000)
  })

  test('a backlog of thousands that is sent again is known, whatever came in between and whatever its order', () => {
    let window = new TimeWindow()
    const live = Array.from({ length: 600 }, (_, i) => 9_000_000_000 + i * 60_000)
    const backlog = Array.from({ length: 2_000 }, (_, i) => i * 60_000)
    const all = [...live.slice(0, 300), ...backlog.toReversed(), ...live.slice(300)]
    for (const time of all) for (const ordinal of [0, 1]) window.add(time, ordinal, time + ordinal)
    window = new TimeWindow(JSON.parse(JSON.stringify(window.state())))
    for (const time of all)
      for (const ordinal of [0, 1]) expect(window.verdict(time, ordinal, time + ordinal), `${time}`).not.toBe('new')
    expect(window.verdict(backlog.at(-1)!, 1, backlog.at(-1)! + 1)).toBe('duplicate')
  })
})

test('marks > a value beyond a limit, in another unit than ours, is known when it is sent again', () => {
  const marks = new DeviceMarks()
  const reading = {
    ...{ signal: 'glucose', measuredAt: 5, deviceTime: 5, ordinal: 0 },
    value: { comparator: '<', limit: 40 },
    original: { value: 2.2, unit: 'mmol/L' },
  } as const
  const frame = { format: 'json', bytes: Buffer.from('{}') } as const
  marks.learn({ door: 'mqtt', receivedAt: 5, frame, readings: [reading] })
  expect(marks.window('glucose').verdict(5, 0, hashValue({ comparator: '<', limit: 2.2 }))).toBe('duplicate')
})
