import type { WorklistRow } from '@careloop/contract'
import { describe, expect, it } from 'vitest'
import { groupCards, isSnoozed, matches, neighbourOf, rowsOf, stepFrom } from './order.ts'
import { aRow } from './testing/a-row.ts'

const now = 1_000_000
/** Each row on a card of its own unless a subject is given. */
const row = (task: string, over: Partial<WorklistRow> = {}) =>
  aRow(task, now, { subject: { id: `of-${task}`, name: 'Maria Álvarez', kind: 'patient' }, ...over })
const mate = { id: 'mate', name: 'Mate' }
const me = { id: 'me', name: 'Me' }
const maria = { id: 'maria', name: 'Maria Álvarez', kind: 'patient' } as const
const grouped = (...rows: WorklistRow[]) =>
  groupCards(rows, 'me', new Set(['me', 'mate']), now).map(({ name, cards }) => [
    name,
    cards.map((card) => card.rows.map((each) => each.task).join('+')),
  ])

describe('the order of the worklist', () => {
  it('puts mine first, then my team, then the others; within by priority, then by what is due first', () => {
    const rows = [
      row('a'),
      row('b', { owner: mate }),
      row('c', { owner: me, dueAt: now + 90_000 }),
      row('d', { priority: 'high' }),
      row('e', { owner: me }),
    ]
    expect(grouped(...rows)).toEqual([
      ['mine', ['e', 'c']],
      ['team', ['b']],
      ['others', ['d', 'a']],
    ])
  })

  it('puts nothing above what is overdue, whoever owns it', () => {
    const rows = [row('high', { owner: me, priority: 'high' }), row('late', { dueAt: now - 1, priority: 'low' })]
    expect(grouped(...rows)[0]).toEqual(['overdue', ['late']])
  })

  it('makes one card a subject, its most urgent alert first, in the group of the most pressing', () => {
    const rows = [
      row('low', { subject: maria, priority: 'low', owner: me }),
      row('high', { subject: maria, priority: 'high' }),
      row('other', { owner: me }),
    ]
    expect(grouped(...rows)).toEqual([['mine', ['high+low', 'other']]])
  })

  it('lifts a whole card above all when one of its alerts is overdue', () => {
    const rows = [
      row('late', { subject: maria, priority: 'low', dueAt: now - 1 }),
      row('high', { subject: maria, priority: 'high' }),
      row('mine', { owner: me, priority: 'high' }),
    ]
    expect(grouped(...rows)).toEqual([
      ['overdue', ['late+high']],
      ['mine', ['mine']],
    ])
  })

  it('counts a task that a colleague took no longer as mine, and one that I took as mine', () => {
    const rows = [row('taken', { owner: me, claimedBy: mate }), row('took', { owner: mate, claimedBy: me })]
    expect(grouped(...rows)).toEqual([
      ['mine', ['took']],
      ['team', ['taken']],
    ])
  })

  it('puts what is snoozed below the rest of its group until then, and not at all once overdue', () => {
    const put = row('put-off', { priority: 'high', snoozedUntil: now + 1 })
    expect(grouped(put, row('b', { priority: 'low' }))).toEqual([['others', ['b', 'put-off']]])
    expect(isSnoozed(put, now + 2)).toBe(false)
    expect(grouped({ ...put, dueAt: now - 1 }, row('b'))[0]).toEqual(['overdue', ['put-off']])
  })

  it('moves row by row through the cards and stays at the ends', () => {
    const groups = groupCards(
      [row('a', { subject: maria }), row('b', { subject: maria }), row('c')],
      'me',
      new Set(),
      now,
    )
    expect(rowsOf(groups).map(({ task }) => task)).toEqual(['a', 'b', 'c'])
    expect([stepFrom(['a', 'b'], undefined, 1), stepFrom(['a', 'b'], undefined, -1)]).toEqual(['a', 'b'])
    expect([stepFrom(['a', 'b'], 'a', 1), stepFrom(['a', 'b'], 'b', 1), stepFrom(['a', 'b'], 'a', -1)]).toEqual([
      'b',
      'b',
      'a',
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
