import { describe, expect, it } from 'vitest'
import {
  gapReasonsOf,
  heightOf,
  lastOf,
  type PlotModel,
  readTimesOf,
  spread,
  timesOf,
  valuesAt,
  widthOf,
} from './model.ts'

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

describe('the edge of a chart', () => {
  it('has the newest number of each line, never a gap', () => {
    const points = [
      { at: 1, value: 98 },
      { at: 2, value: 97 },
      { at: 3, value: null },
      { at: 4, value: null, isBreak: true as const },
    ]
    const lasts = lastOf(model({ lines: [{ label: 'SpO2', decimals: 0, points }, line('Pulse')] }))
    expect(lasts.map(({ line: { label }, point }) => [label, point.at, point.value])).toEqual([['SpO2', 2, 97]])
  })

  it('spreads labels that would cover each other, and keeps them inside', () => {
    expect(spread([10, 12, 80], 20, 0, 100)).toEqual([10, 30, 80])
    expect(spread([95, 90], 20, 0, 90)).toEqual([90, 70])
  })
})

describe('what a chart says besides numbers', () => {
  it('says states by what they mean', () => {
    const door = model({ unit: '', lines: [line('Door', [1, 1], [2, 0])], meanings: { 0: 'closed', 1: 'open' } })
    expect([valuesAt(door, 1), valuesAt(door, 2)]).toEqual(['open', 'closed'])
  })

  it('says of a bucket its mean with the least and the greatest', () => {
    const points = [{ at: 1, value: 5.04, low: 2.1, high: 9.2 }]
    expect(valuesAt(model({ unit: '°C', lines: [{ label: 'T', decimals: 1, points }] }), 1)).toBe('5.0 (2.1 to 9.2) °C')
  })

  it('names each reason of its gaps once, and keeps the allowed band in view', () => {
    const gaps = [
      { from: 1, to: 2, reason: 'offline' as const },
      { from: 3, to: 4, reason: 'offline' as const },
      { from: 5, to: 6 },
    ]
    expect(gapReasonsOf(model({ gaps }))).toEqual(['offline'])
    const [low, high] = heightOf(model({ lines: [line('T', [1, 5])], band: { low: 2, high: 8 } }))
    expect([low < 2, high > 8]).toEqual([true, true])
  })
})
