import { describe, expect, it } from 'vitest'
import { bandPath, holesOf, meanPath, runsOf, type TraceStep, traceRange } from './trace.ts'

const step = (at: number, mean: number | null): TraceStep => ({ at, mean, min: mean, max: mean })
const steps = [step(0, 5), step(10, 6), step(20, null), step(30, null), step(40, 5)]

describe('a small trace', () => {
  it('is broken where nothing was measured, and says where', () => {
    expect(runsOf(steps).map((run) => run.map(({ at }) => at))).toEqual([[0, 10], [40]])
    expect(holesOf(steps, 50)).toEqual([{ from: 20, to: 40 }])
    expect(holesOf([step(0, 5), step(10, null)], 50)).toEqual([{ from: 10, to: 50 }])
  })

  it('keeps the allowed band in view', () => {
    const [low, high] = traceRange(steps, { low: 2, high: 8 })
    expect([low < 2, high > 8]).toEqual([true, true])
    expect(traceRange([], { low: null, high: null })).toEqual([0, 1])
  })

  it('draws low values low', () => {
    const frame = { width: 100, height: 10, from: 0, to: 10, low: 0, high: 10 }
    expect(
      meanPath(frame, [
        { at: 0, min: 0, max: 2, mean: 1 },
        { at: 10, min: 8, max: 10, mean: 9 },
      ]),
    ).toBe('M0 9L100 1')
    expect(bandPath(frame, [{ at: 0, min: 0, max: 2, mean: 1 }])).toBe('M0 8L0 10Z')
  })
})
