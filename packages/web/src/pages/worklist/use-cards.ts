/** The cards as this person sees them now: in their order, what is worked on held in its place, what is new told. */
import type { Worklist, WorklistRow } from '@careloop/contract'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useRef, useState } from 'react'
import { queries } from '../../api/queries.ts'
import { useNow } from '../../app/clock.ts'
import { useMay, useMe } from '../../app/session.tsx'
import { holdPlace, newAbove } from './hold.ts'
import { type Group, groupCards, matches, rowsOf } from './order.ts'

export interface Cards {
  readonly groups: readonly Group[]
  /** Rows in the order in which keys move through them. */
  readonly rows: readonly WorklistRow[]
  /** Tasks that came while somebody worked further down, and stand above. */
  readonly newAbove: readonly string[]
  readonly markSeen: () => void
}

/** @param chosen the task that is worked on */
export function useCards(list: Worklist | undefined, typed: string, chosen: string | undefined): Cards {
  const groups = useHeld(useGroups(list?.rows, typed.trim()), chosen)
  const rows = useMemo(() => rowsOf(groups), [groups])
  const ids = useMemo(() => rows.map(({ task }) => task), [rows])
  const [known, setKnown] = useState<ReadonlySet<string>>(new Set())
  // Nothing is new to somebody who looks at the whole list, nor when it is read first.
  const isCaughtUp = chosen === undefined || known.size === 0
  if (isCaughtUp && ids.some((id) => !known.has(id))) setKnown(new Set([...known, ...ids]))
  const above = useMemo(() => newAbove(ids, known, chosen), [ids, known, chosen])
  return { groups, rows, newAbove: above, markSeen: () => setKnown(new Set([...known, ...ids])) }
}

function useGroups(rows: readonly WorklistRow[] | undefined, typed: string): Group[] {
  const me = useMe()
  const maySeeTeams = useMay('read', 'care-team')
  const teams = useQuery({ ...queries.careTeams, enabled: maySeeTeams }).data?.items
  // Overdue is a matter of time: the groups are looked at anew each second, and change only when they must.
  const now = useNow()
  const mates = useMemo(
    () => new Set(teams?.filter((team) => team.members.includes(me.id)).flatMap((team) => team.members) ?? []),
    [teams, me.id],
  )
  const shown = useMemo(() => (rows ?? []).filter((row) => typed === '' || matches(row, typed)), [rows, typed])
  return groupCards(shown, me.id, mates, now)
}

/** The same object as long as nothing changed, so that a second that passes redraws nothing. */
function useHeld(wanted: Group[], chosen: string | undefined): readonly Group[] {
  const shown = useRef<readonly Group[]>([])
  const held = shown.current
    .flatMap(({ cards }) => cards)
    .find(({ rows }) => rows.some(({ task }) => task === chosen))?.id
  const next = holdPlace(wanted, shown.current, held)
  if (!isSame(next, shown.current)) shown.current = next
  return shown.current
}

const isSame = (a: readonly Group[], b: readonly Group[]): boolean =>
  a.length === b.length &&
  a.every((group, at) => {
    const other = b[at]!
    return (
      group.name === other.name &&
      group.cards.length === other.cards.length &&
      group.cards.every((card, place) => {
        const own = other.cards[place]!
        return (
          card.id === own.id && card.rows.length === own.rows.length && card.rows.every((row, n) => row === own.rows[n])
        )
      })
    )
  })
