import type { BoardProbe, BoardUnit } from '@careloop/contract'
import { describe, expect, it } from 'vitest'
import { bandText, sideOf, stateOf, statusOf, worstFirst } from './status.ts'

const now = 1_000_000
const probe = (value: number, age = 0, over: Partial<BoardProbe> = {}): BoardProbe => ({
  ...{ device: 'd', name: 'Probe 1', signal: 'temperature-probe', state: 'fresh', connected: true, trace: [] },
  last: { value, measuredAt: now - age, freshForMs: 60_000 },
  ...over,
})
const unit = (name: string, probes: BoardProbe[], over: Partial<BoardUnit> = {}): BoardUnit => ({
  ...{
    subject: { id: name, name, kind: 'asset' },
    site: null,
    programs: [],
    unit: '°C',
    ucum: 'Cel',
    signal: 'temperature-probe',
  },
  ...{ band: { low: 2, high: 8 }, probes, doors: [], alerts: [], outSince: null },
  ...over,
})
type Alert = BoardUnit['alerts'][number]
const alert = (condition: Alert['condition'], priority: Alert['priority'] = 'medium'): Alert => ({
  ...{ alert: 'a', task: 't', priority, nature: 'environmental', title: 'Too warm', sentence: '', since: now },
  ...{ condition, handling: 'new' },
})

describe('a unit at a glance', () => {
  it('is out when a fresh reading is out of the band, also before an alert is raised', () => {
    expect([1.9, 2, 8, 8.1].map((value) => statusOf(unit('f', [probe(value)]), now))).toEqual([
      ...['out', 'good', 'good', 'out'],
    ])
  })

  it('is not known when any probe is no longer fresh: the last value is never taken for now', () => {
    expect(statusOf(unit('f', [probe(5), probe(5, 60_001)]), now)).toBe('unknown')
    expect(statusOf(unit('f', [probe(5, 0, { state: 'no-data' })]), now)).toBe('unknown')
    expect(statusOf(unit('f', []), now)).toBe('unknown')
    expect(stateOf(probe(5, 60_001), now)).toBe('stale')
  })

  it('is in range and yet not good while an alert stands, and open until somebody has handled it', () => {
    expect(statusOf(unit('f', [probe(5)], { alerts: [alert('active')] }), now)).toBe('alert')
    expect(statusOf(unit('f', [probe(5)], { alerts: [alert('cleared')] }), now)).toBe('open')
  })

  it('does not judge the air by the band of the buffered probe', () => {
    const air = probe(9.4, 0, { signal: 'temperature-ambient' })
    expect(statusOf(unit('f', [probe(5), air]), now)).toBe('good')
    expect(sideOf(9.4, 'temperature-ambient', unit('f', []))).toBe('inside')
    expect(sideOf(9.4, 'temperature-probe', unit('f', []))).toBe('above')
  })

  it('stands worst first: by what stands, out, not known, open, good; what fell silent since moves up', () => {
    const units = [
      unit('Good', [probe(5)]),
      unit('Open', [probe(5)], { alerts: [alert('cleared')] }),
      unit('Silent', [probe(5, 70_000)]),
      unit('Just out', [probe(9)]),
      unit('Warm', [probe(9)], { alerts: [alert('active')] }),
      unit('Frozen', [probe(-1)], { alerts: [alert('active', 'high')] }),
    ]
    expect(worstFirst(units, now).map(({ subject }) => subject.name)).toEqual([
      ...['Frozen', 'Warm', 'Just out', 'Silent', 'Open', 'Good'],
    ])
    expect(worstFirst(units, now + 60_000)[0]!.subject.name).toBe('Frozen')
  })

  it('says its band in words', () => {
    expect(bandText(unit('f', []))).toBe('2 to 8 °C')
    expect(bandText(unit('f', [], { band: { low: null, high: -15 } }))).toBe('up to -15 °C')
    expect(bandText(unit('f', [], { band: { low: null, high: null } }))).toBeUndefined()
  })
})
