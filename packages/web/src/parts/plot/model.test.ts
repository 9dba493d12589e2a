import { describe, expect, it } from 'vitest'
import { heightOf, type PlotModel, readTimesOf, timesOf, valuesAt, widthOf } from './model.ts'

const line = (label: string, ...values: [number, number | null][]) => ({
  label,
  decimals: 0,
  points: values.map(([at, value]) => ({ at, value })),
})
const model = (over: Partial<PlotModel>): PlotModel => ({
  unit: 'mmHg',
  lines: [],
  limits: [],
  gaps: [],
  bars: false,
  ...over,
})

describe('what a chart shows', () => {
  it('keeps limits and buckets’ extremes in view, also when every reading lies below them', () => {
    const [low, high] = heightOf(
      model({ lines: [line('Systolic', [1, 120])], limits: [{ label: 'high', value: 180, role: 'raise' }] }),
    )
    expect(low).toBeLessThan(120)
    expect(high).toBeGreaterThan(180)
    const banded = { label: 'T', decimals: 1, points: [{ at: 1, value: 5, low: -2, high: 9 }] }
    expect(heightOf(model({ lines: [banded] }))[0]).toBeLessThan(-2)
  })

  it('gives a single reading room on both sides', () => {
    const [from, to] = widthOf(model({ lines: [line('Systolic', [1_000_000, 190])] }))
    expect([1_000_000 - from, to - 1_000_000]).toEqual([300_000, 300_000])
  })

  it('says blood pressure as one pair and other signals by name', () => {
    const lines = [line('Systolic', [1, 192]), line('Diastolic', [1, 124], [2, 80])]
    expect(valuesAt(model({ lines, bars: true }), 1)).toBe('192/124 mmHg')
    expect(valuesAt(model({ lines }), 2)).toBe('Diastolic 80 mmHg')
    expect(timesOf(model({ lines }))).toEqual([1, 2])
  })

  it('does not take the beginning of a gap for the last reading', () => {
    const points = [
      { at: 1, value: 98 },
      { at: 2, value: null, isBreak: true as const },
    ]
    expect(readTimesOf(model({ lines: [{ label: 'SpO2', decimals: 0, points }] }))).toEqual([1])
  })

  it('never says a number where there was a gap', () => {
    expect(valuesAt(model({ lines: [line('SpO2', [1, null])], unit: '%' }), 1)).toBe('no value')
  })
})
