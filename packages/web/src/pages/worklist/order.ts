/** In which order a person sees the worklist: overdue before all, then theirs, their team's, then everybody else's. */
import type { WorklistRow } from '@careloop/contract'

export type GroupName = 'overdue' | 'mine' | 'team' | 'others'

export interface Group {
  readonly name: GroupName
  readonly rows: readonly WorklistRow[]
}

const names: readonly GroupName[] = ['overdue', 'mine', 'team', 'others']

/**
 * Within a group the server's order stays: priority, then what is due first.
 * @param me user id
 * @param teamMates user ids of everybody in a care team with me
 */
export function groupRows(
  rows: readonly WorklistRow[],
  me: string,
  teamMates: ReadonlySet<string>,
  now: number,
): Group[] {
  const groups = Map.groupBy(rows, (row) => groupOf(row, me, teamMates, now))
  return names.flatMap((name) => {
    const own = groups.get(name)
    return own === undefined ? [] : [{ name, rows: own }]
  })
}

function groupOf(row: WorklistRow, me: string, teamMates: ReadonlySet<string>, now: number): GroupName {
  if (row.dueAt < now) return 'overdue'
  // Who has taken a task answers for it; until then its owner does.
  const responsible = (row.claimedBy ?? row.owner).id
  if (responsible === me) return 'mine'
  return teamMates.has(responsible) || teamMates.has(row.owner.id) ? 'team' : 'others'
}

/** The row to go to after this one went away: the next, else the one before. */
export function neighbourOf(ids: readonly string[], id: string): string | undefined {
  const at = ids.indexOf(id)
  if (at < 0) return ids[0]
  return ids[at + 1] ?? ids[at - 1]
}

/** Whether the row holds every word of what was typed, in subject, sentence, title or owner. */
export function matches(row: WorklistRow, typed: string): boolean {
  const text = `${row.subject.name} ${row.title} ${row.sentence} ${row.owner.name} ${row.claimedBy?.name ?? ''}`
  const plain = text.toLocaleLowerCase()
  return typed
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => plain.includes(word))
}
