import type { WorklistRow } from '@careloop/contract'
import { describe, expect, it } from 'vitest'
import { groupRows, matches, neighbourOf } from './order.ts'

const now = 1_000_000
const row = (task: string, over: Partial<WorklistRow> = {}): WorklistRow => ({
  task,
  alert: `alert-${task}`,
  subject: { id: 's', name: 'Maria Álvarez', kind: 'patient' },
  priority: 'medium',
  nature: 'physiological',
  title: 'Blood pressure severely high',
  sentence: 'BP 192/124 mmHg, at or above 180/120 since 10:02',
  value: { text: '192/124', unit: 'mmHg', measuredAt: now - 60_000 },
  raisedAt: now - 60_000,
  dueAt: now + 60_000,
  owner: { id: 'stranger', name: 'Sam Stranger' },
  status: 'open',
  condition: 'active',
  historic: false,
  program: { code: 'hypertension-rpm', title: 'Hypertension at home' },
  version: 1,
  ...over,
})

const me = { id: 'me', name: 'Me' }
const mate = { id: 'mate', name: 'Mate' }
const grouped = (...rows: WorklistRow[]) =>
  groupRows(rows, 'me', new Set(['me', 'mate']), now).map(({ name, rows }) => [name, rows.map((each) => each.task)])

describe('the order of the worklist', () => {
  it('puts mine first, then my team, then the others, and keeps the server order within', () => {
    const rows = [row('a'), row('b', { owner: mate }), row('c', { owner: me }), row('d'), row('e', { owner: me })]
    expect(grouped(...rows)).toEqual([
      ['mine', ['c', 'e']],
      ['team', ['b']],
      ['others', ['a', 'd']],
    ])
  })

  it('puts nothing above what is overdue, whoever owns it', () => {
    const rows = [row('high', { owner: me, priority: 'high' }), row('late', { dueAt: now - 1, priority: 'low' })]
    expect(grouped(...rows)[0]).toEqual(['overdue', ['late']])
  })

  it('counts a task that a colleague took no longer as mine, and one that I took as mine', () => {
    const rows = [row('taken', { owner: me, claimedBy: mate }), row('took', { owner: mate, claimedBy: me })]
    expect(grouped(...rows)).toEqual([
      ['mine', ['took']],
      ['team', ['taken']],
    ])
  })

  it('goes on to the next row, from the last to the one before', () => {
    expect(neighbourOf(['a', 'b', 'c'], 'b')).toBe('c')
    expect(neighbourOf(['a', 'b', 'c'], 'c')).toBe('b')
    expect(neighbourOf(['a'], 'a')).toBeUndefined()
    expect(neighbourOf(['a', 'b'], 'gone')).toBe('a')
  })

  it('finds by every word that was typed', () => {
    expect(matches(row('a'), 'álvarez 192')).toBe(true)
    expect(matches(row('a'), 'álvarez glucose')).toBe(false)
  })
})
