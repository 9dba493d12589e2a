import type { EvidenceReading, ExplainBody } from '@careloop/contract'
import { expect, it } from 'vitest'
import { plotsOf } from './evidence-plots.ts'

const now = 100 * 60_000
const reading = (signal: string, value: number, measuredAt: number): EvidenceReading => ({
  ...{
    signal,
    label: `${signal[0]!.toUpperCase()}${signal.slice(1)}`,
    value,
    unit: 'mmHg',
    ucum: 'mm[Hg]',
    measuredAt,
    receivedAt: measuredAt,
  },
  ...{ storedAt: measuredAt, device: 'd', breach: false, address: { partition: 0, position: 1, index: 0 } },
})
const explain = (readings: EvidenceReading[], clearedAt?: number): ExplainBody => ({
  alert: {
    ...{ id: 'a', subject: { id: 's', name: 'S', kind: 'patient' }, priority: 'low', nature: 'physiological' },
    ...{ condition: 'active', handling: 'new', historic: false, sentence: '', raisedAt: now - 60_000 },
    ...(clearedAt === undefined ? {} : { clearedAt }),
  },
  program: { code: 'p', title: 'P' },
  rule: {
    ...{ id: 'r', code: 'r', title: 'R', version: 1, condition: '', ownerRole: 'nurse', backupRole: 'physician' },
    ...{ action: '', limitMs: 1 },
  },
  ...{ checklist: [], thresholds: [], readings, frames: [], readingsLeftOut: 0, events: [] },
  ...{ kind: 'threshold', spans: [{ from: now - 60_000, to: clearedAt ?? null }] },
})

it('draws silence as a gap from what was heard last until now, or until something came', () => {
  const heard = [reading('systolic', 120, 10 * 60_000), reading('systolic', 124, 20 * 60_000)]
  const [plot] = plotsOf(explain(heard), true, now)
  expect(plot!.gaps).toEqual([{ from: 20 * 60_000, to: now, reason: 'no-data' }])
  expect(plot!.to).toBe(now)
  const [over] = plotsOf(explain(heard, 90 * 60_000), true, now)
  expect(over!.gaps[0]!.to).toBe(90 * 60_000)
})

it('draws no chart, and nothing false, of a silence before which nothing was heard', () => {
  expect(plotsOf(explain([]), true, now)).toEqual([])
})

it('puts systolic first, so that bars stand from diastolic to systolic', () => {
  const [plot] = plotsOf(explain([reading('diastolic', 80, 1), reading('systolic', 120, 1)]), false, now)
  expect([plot!.bars, plot!.lines.map(({ label }) => label)]).toEqual([true, ['Systolic', 'Diastolic']])
})
