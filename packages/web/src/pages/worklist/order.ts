/** In which order a person sees the worklist: overdue before all, then theirs, their team's, then everybody else's; by card. */
import type { WorklistRow } from '@careloop/contract'

export type GroupName = 'overdue' | 'mine' | 'team' | 'others'

/** Everything that waits for one subject. */
export interface Card {
  /** The subject's id. */
  readonly id: string
  /** The most urgent first; never empty. */
  readonly rows: readonly [WorklistRow, ...WorklistRow[]]
}

export interface Group {
  readonly name: GroupName
  readonly cards: readonly Card[]
}

const names: readonly GroupName[] = ['overdue', 'mine', 'team', 'others']

/**
 * One card a subject, in the group of its most pressing task. Within a group: what is put off last, then priority, then what is
 * due first.
 * @param me user id
 * @param mates user ids of everybody in a care team with me
 */
export function groupCards(rows: readonly WorklistRow[], me: string, mates: ReadonlySet<string>, now: number): Group[] {
  const cards = [...Map.groupBy(rows, (row) => row.subject.id)].map(([id, own]) => {
    const sorted = own.toSorted((a, b) => byUrgency(a, b, now)) as [WorklistRow, ...WorklistRow[]]
    const place = Math.min(...own.map((row) => names.indexOf(groupOf(row, me, mates, now))))
    return { card: { id, rows: sorted }, name: names[place]! }
  })
  const groups = Map.groupBy(cards, ({ name }) => name)
  return names.flatMap((name) => {
    const own = groups.get(name)?.map(({ card }) => card)
    if (own === undefined) return []
    return [{ name, cards: own.toSorted((a, b) => byUrgency(a.rows[0], b.rows[0], now)) }]
  })
}

function groupOf(row: WorklistRow, me: string, mates: ReadonlySet<string>, now: number): GroupName {
  if (row.dueAt < now) return 'overdue'
  // Who has taken a task answers for it; until then its owner does.
  const responsible = (row.claimedBy ?? row.owner).id
  if (responsible === me) return 'mine'
  return mates.has(responsible) || mates.has(row.owner.id) ? 'team' : 'others'
}

const priorityRank = { high: 0, medium: 1, low: 2 } as const

/** Put off and not due yet: it shows, greyed, and lies lower. */
export const isSnoozed = (row: WorklistRow, now: number): boolean =>
  row.snoozedUntil !== undefined && row.snoozedUntil > now && row.dueAt >= now

function byUrgency(a: WorklistRow, b: WorklistRow, now: number): number {
  return (
    Number(b.dueAt < now) - Number(a.dueAt < now) ||
    Number(isSnoozed(a, now)) - Number(isSnoozed(b, now)) ||
    priorityRank[a.priority] - priorityRank[b.priority] ||
    a.dueAt - b.dueAt ||
    (a.task < b.task ? -1 : 1)
  )
}

export const rowsOf = (groups: readonly Group[]): WorklistRow[] =>
  groups.flatMap(({ cards }) => cards.flatMap(({ rows }) => rows))

/** The row to go to after this one went away: the next, else the one before. */
export function neighbourOf(ids: readonly string[], id: string): string | undefined {
  const at = ids.indexOf(id)
  if (at < 0) return ids[0]
  return ids[at + 1] ?? ids[at - 1]
}

/** The next or previous one; at the ends it stays. From nowhere: the first or the last. */
export function stepFrom(ids: readonly string[], id: string | undefined, step: 1 | -1): string | undefined {
  const at = id === undefined ? -1 : ids.indexOf(id)
  if (at < 0) return step === 1 ? ids[0] : ids.at(-1)
  return ids[at + step] ?? id
}

/** Whether the row holds every word of what was typed, in subject, sentence, title or owner. */
export function matches(row: WorklistRow, typed: string): boolean {
  const text = `${row.subject.name} ${row.title} ${row.sentence} ${row.owner.name} ${row.claimedBy?.name ?? ''}`
  const found = text.toLocaleLowerCase()
  return typed
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => found.includes(word))
}
