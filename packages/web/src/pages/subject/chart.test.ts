import type { DrawnThreshold, SubjectAlerts, SubjectRules } from '@careloop/contract'
import { describe, expect, it } from 'vitest'
import { type Asked, chartOf, statesOf } from './chart.ts'
import { bandOf, limitsOf } from './limits.ts'

type SubjectRule = SubjectRules['rules'][number]

const series = (
  signal: string,
  readings: readonly (readonly [number, number])[],
  over: Partial<Asked> = {},
  device = 'd1',
): Asked => ({
  ...{ from: 0, to: 100, widthMs: null, gaps: [] },
  series: [
    {
      ...{ id: 1, device, signal, assignment: null, unit: 'Cel', buckets: [] },
      readings: readings.map(([measuredAt, value]) => ({ measuredAt, value, ordinal: 0 })),
    },
  ],
  ...over,
})
const limit = (signal: string, comparator: DrawnThreshold['comparator'], limit: number, index = 0): DrawnThreshold => ({
  ...{ signal, label: 'Systolic blood pressure', role: 'raise', comparator, limit, unit: '°C', ucum: 'Cel' },
  ...{ part: 'when', index },
})
const rule = (thresholds: DrawnThreshold[], override?: SubjectRule['override']) =>
  ({ thresholds, ...(override === undefined ? {} : { override }) }) as SubjectRule
type Alert = SubjectAlerts['items'][number]
const alert = (raisedAt: number, clearedAt: number | undefined, signals: string[]): Alert => ({
  ...{ id: `${raisedAt}`, subject: { id: 's', name: 'Refrigerator', kind: 'asset' }, priority: 'medium' },
  ...{
    nature: 'environmental',
    condition: 'active',
    handling: 'new',
    historic: false,
    sentence: '',
    raisedAt,
    signals,
  },
  ...{ program: { code: 'p', title: 'P' }, ruleCode: 'too-warm', title: 'Too warm' },
  ...(clearedAt === undefined ? {} : { clearedAt }),
  spans: [{ from: raisedAt, to: clearedAt ?? null }],
})

describe('the chart of a signal', () => {
  it('breaks its line where a gap begins, and hatches the gap by its reason within what is shown', () => {
    const gap = { id: 'g', series: 1, device: 'd1', signal: 'temperature-probe', from: 20, to: null } as const
    const answer = series(
      'temperature-probe',
      [
        [10, 5],
        [90, 6],
      ],
      { gaps: [{ ...gap, reason: 'offline' }] },
    )
    const model = chartOf([answer], ['temperature-probe'], '°C')
    expect(model.gaps).toEqual([{ from: 20, to: 100, reason: 'offline' }])
    expect(model.lines[0]!.points.map(({ at, value }) => [at, value])).toEqual([
      [10, 5],
      [21, null],
      [90, 6],
    ])
  })

  it('does not break the line of one probe for the silence of another', () => {
    const other = { id: 'g', series: 2, device: 'd2', signal: 'temperature-probe', from: 20, to: 40 } as const
    const answer = series(
      'temperature-probe',
      [
        [10, 5],
        [90, 6],
      ],
      { gaps: [{ ...other, reason: 'no-data' }] },
    )
    expect(chartOf([answer], ['temperature-probe'], '°C').lines[0]!.points).toHaveLength(2)
  })

  it('draws the two pressures of one device as bars', () => {
    const answers = [series('systolic', [[10, 120]]), series('diastolic', [[10, 80]])]
    expect(chartOf(answers, ['systolic', 'diastolic'], 'mmHg').bars).toBe(true)
  })

  it('shades alerts of its signals only, an open one up to the end', () => {
    const alerts = [
      alert(10, 20, ['temperature-probe']),
      alert(60, undefined, ['temperature-probe']),
      alert(5, 9, ['spo2']),
    ]
    const { spans } = chartOf([series('temperature-probe', [[10, 5]])], ['temperature-probe'], '°C', {
      ...{ rules: [], states: [], alerts },
    })
    expect(spans!.map(({ from, to }) => [from, to])).toEqual([
      [10, 20],
      [60, 100],
    ])
  })

  it('shades an alert that came back only while its condition stood', () => {
    const back = {
      ...alert(10, undefined, ['temperature-probe']),
      spans: [
        { from: 10, to: 20 },
        { from: 90, to: null },
      ],
    }
    const { spans } = chartOf([series('temperature-probe', [[10, 5]])], ['temperature-probe'], '°C', {
      ...{ rules: [], states: [], alerts: [back] },
    })
    expect(spans!.map(({ from, to }) => [from, to])).toEqual([
      [10, 20],
      [90, 100],
    ])
  })

  it('keeps an open door open until the next word of it', () => {
    const door = series('door-open', [
      [10, 0],
      [20, 1],
      [30, 0],
      [90, 1],
    ])
    expect(statesOf(door, 100).map(({ from, to, label }) => [from, to, label])).toEqual([
      [20, 30, 'Door open'],
      [90, 100, 'Door open'],
    ])
  })
})

describe('limits on a chart', () => {
  const fridge = [
    rule([limit('temperature-probe', '>', 8)]),
    rule([limit('temperature-probe', '<', 2)]),
    rule([limit('temperature-probe', '<', 0)]),
  ]

  it('allow what lies between the narrowest, of temperatures only', () => {
    expect(bandOf(fridge, 'temperature-probe')).toEqual({ low: 2, high: 8 })
    expect(bandOf([rule([limit('systolic', '>=', 180)])], 'systolic')).toBeUndefined()
    expect(bandOf([], 'temperature-probe')).toBeUndefined()
  })

  it('stand once each, in short, and say when one is the subject’s own', () => {
    const own = { limits: [{ part: 'when', index: 0, limit: 170, unit: 'mm[Hg]' }] } as SubjectRule['override']
    const rules = [
      rule([limit('systolic', '>=', 170)], own),
      rule([limit('systolic', '>=', 135)]),
      rule([limit('systolic', '>=', 135)]),
    ]
    expect(limitsOf(rules, ['systolic', 'diastolic']).map(({ label }) => label)).toEqual([
      'Systolic ≥ 170 °C, own limit',
      'Systolic ≥ 135 °C',
    ])
  })
})
