import type { TaskBody, WorklistRow } from '@careloop/contract'
import { describe, expect, it } from 'vitest'
import { readProgress } from './progress.ts'
import { doneBy, type Seen, stepsFor } from './steps.ts'

const me = { id: 'nora' }
const rowOf = (over: Partial<WorklistRow> = {}): WorklistRow =>
  ({
    ...{ task: 't', alert: 'a', priority: 'high', status: 'open' },
    subject: { id: 's', name: 'Sample, Cosmo', kind: 'patient' },
    ...over,
  }) as WorklistRow
const nothing: Seen = { me, rows: undefined, tasks: [], explained: new Set(), path: '/worklist' }
const nurse = stepsFor({ roles: ['nurse'] })
const seen = (over: Partial<Seen>) => doneBy(nurse, { ...nothing, ...over })

describe('the first minute', () => {
  it('ticks nothing before anything has happened, nor for somebody else’s acts', () => {
    expect(seen({})).toEqual([])
    expect(seen({ rows: [rowOf({ priority: 'low' })] })).toEqual([])
    const colleague = { id: 'phil', name: 'Phil' }
    const task = { ...rowOf({ claimedBy: colleague }), status: 'completed', completedBy: colleague } as TaskBody
    expect(seen({ rows: [], tasks: [task] })).toEqual([])
  })

  it('ticks each step of a nurse by what she did: came in, why, claimed, closed, board', () => {
    const row = rowOf()
    expect(seen({ rows: [row] })).toEqual(['clinic/arrives'])
    const task = row as TaskBody
    expect(seen({ tasks: [task] })).toEqual([])
    expect(seen({ tasks: [task], explained: new Set(['a']) })).toEqual(['clinic/why'])
    const mine = { id: 'nora', name: 'Nora' }
    expect(seen({ rows: [rowOf({ claimedBy: mine })] })).toEqual(['clinic/arrives', 'clinic/claim'])
    expect(seen({ tasks: [{ ...task, status: 'completed', completedBy: mine }] })).toEqual(['clinic/close'])
    expect(seen({ path: '/board' })).toEqual(['board'])
    expect(seen({ path: '/boards-of-others' })).toEqual([])
  })

  it('shows each role its own, and those who keep devices no patient', () => {
    const first = (role: Parameters<typeof stepsFor>[0]['roles'][number]) => stepsFor({ roles: [role] })[0]!.id
    expect(['nurse', 'physician', 'facilities', 'pharmacist', 'biomed'].map((role) => first(role as 'nurse'))).toEqual([
      ...['clinic/arrives', 'clinic/arrives', 'pharmacy/arrives', 'pharmacy/arrives', 'visit/devices'],
    ])
  })

  it('forgets what it cannot read of an older version', () => {
    expect(readProgress('{"done":["board",7],"isHidden":true}')).toEqual({ done: ['board'], isHidden: true })
    for (const text of [null, '', '{', '[]', '{"done":3}'])
      expect(readProgress(text)).toEqual({ done: [], isHidden: false })
  })
})
