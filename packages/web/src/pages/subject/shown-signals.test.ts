import { describe, expect, it } from 'vitest'
import type { Latest } from '../../api/endpoints.ts'
import { shownSignals, stateAfter } from './shown-signals.ts'

type LatestSignal = Latest['signals'][number]

const latest = (
  signal: string,
  value: LatestSignal['last']['value'],
  measuredAt = 1000,
  device = 'd',
): LatestSignal => ({
  signal,
  unit: signal === 'pulse-rate' ? '/min' : 'mm[Hg]',
  state: 'fresh',
  current: null,
  last: { measuredAt, value, ordinal: 0 },
  ageMs: 5,
  isTimeKnown: true,
  freshForMs: 60_000,
  series: 1,
  device,
  gap: null,
})

const texts = (...signals: LatestSignal[]) =>
  shownSignals(signals).map(({ label, text, unit }) => `${label} ${text} ${unit}`)

describe('newest values', () => {
  it('show the two pressures of one measurement as one pair, before the pulse', () => {
    expect(texts(latest('diastolic', 124), latest('pulse-rate', 96), latest('systolic', 192))).toEqual([
      'Pulse rate 96 /min',
      'Blood pressure 192/124 mmHg',
    ])
  })

  it('turn stale by themselves when they cannot be read again', () => {
    const [shown] = shownSignals([latest('pulse-rate', 96)])
    expect([0, 59_995, 59_996].map((passed) => stateAfter(shown!, passed))).toEqual(['fresh', 'fresh', 'stale'])
  })

  it('say what is odd, and a pair is no better than the worse of its two', () => {
    const last = { measuredAt: 1000, value: 400, ordinal: 0, flags: ['implausible' as const] }
    const [shown] = shownSignals([{ ...latest('systolic', 400), last, state: 'no-data' }, latest('diastolic', 80)])
    expect(shown).toMatchObject({ state: 'no-data', oddities: 'cannot be true' })
  })

  it('never pair pressures of two times or of two devices', () => {
    const apart = ['Systolic blood pressure 192 mmHg', 'Diastolic blood pressure 80 mmHg']
    expect(texts(latest('systolic', 192, 1000), latest('diastolic', 80, 2000))).toEqual(apart)
    expect(texts(latest('systolic', 192, 1000, 'a'), latest('diastolic', 80, 1000, 'b'))).toEqual(apart)
  })

  it('say in words what is no number', () => {
    expect(
      texts(latest('systolic', { absent: 'unsuccessful' }), latest('diastolic', { comparator: '<', limit: 40 })),
    ).toEqual(['Blood pressure no value/< 40 mmHg'])
  })
})
