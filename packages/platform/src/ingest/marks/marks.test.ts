import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
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

  test('keeps at least the newest 256 whatever comes, and saves no more', () => {
    const window = new TimeWindow()
    for (let time = 0; time < 10_000; time++) {
      window.add(time, 0, time)
      for (const back of [0, 100, 255])
        if (time >= back) expect(window.verdict(time - back, 0, time - back)).toBe('duplicate')
    }
    expect(window.state()).toHaveLength(256 * 3)
    expect(window.newest).toBe(9_999)
  })
})
