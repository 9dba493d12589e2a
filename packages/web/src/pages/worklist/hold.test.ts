import { describe, expect, it } from 'vitest'
import { holdPlace, newAbove } from './hold.ts'
import type { Group, GroupName } from './order.ts'
import { aRow } from './testing/a-row.ts'

const group = (name: GroupName, ...ids: string[]): Group => ({
  name,
  cards: ids.map((id) => ({ id, rows: [aRow(id, 0)] })),
})
const shown = (groups: readonly Group[]) =>
  groups.map(({ name, cards }) => `${name}: ${cards.map(({ id }) => id).join(' ')}`)

describe('a card that is worked on', () => {
  it('keeps its place when it was claimed, became overdue or cleared', () => {
    const before = [group('mine', 'a'), group('others', 'b', 'held', 'c')]
    const wanted = [group('mine', 'a', 'held'), group('others', 'b', 'c')]
    expect(shown(holdPlace(wanted, before, 'held'))).toEqual(['mine: a', 'others: b held c'])
  })

  it('keeps it also when it was alone in its group', () => {
    expect(shown(holdPlace([group('overdue', 'held')], [group('mine', 'held')], 'held'))).toEqual(['mine: held'])
  })

  it('does not hide what came meanwhile: a more urgent one stands above it, another below', () => {
    const before = [group('mine', 'held', 'a')]
    expect(shown(holdPlace([group('mine', 'new', 'a', 'held')], before, 'held'))).toEqual(['mine: new held a'])
    expect(shown(holdPlace([group('overdue', 'new'), group('mine', 'held', 'a')], before, 'held'))).toEqual([
      'overdue: new',
      'mine: held a',
    ])
    expect(shown(holdPlace([group('mine', 'held', 'new')], [group('mine', 'held')], 'held'))).toEqual([
      'mine: held new',
    ])
  })

  it('goes where it belongs once somebody goes on, and is gone when it is done', () => {
    const before = [group('others', 'held', 'b')]
    const wanted = [group('mine', 'held'), group('others', 'b')]
    expect(shown(holdPlace(wanted, before, undefined))).toEqual(['mine: held', 'others: b'])
    expect(shown(holdPlace([group('others', 'b')], before, 'held'))).toEqual(['others: b'])
  })

  it('counts what is new above it, and nothing below', () => {
    const ids = ['new-1', 'old', 'new-2', 'chosen', 'new-3']
    expect(newAbove(ids, new Set(['old', 'chosen']), 'chosen')).toEqual(['new-1', 'new-2'])
    expect(newAbove(ids, new Set(), undefined)).toEqual([])
  })
})
