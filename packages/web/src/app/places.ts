/** The pages that stand in the navigation, in its order and groups; `key` goes there after `g`. */
import type { Resource } from '@careloop/contract'
import { mayBe, useMe } from './session.tsx'

/** Groups in their order. Who has few pages sees the pages themselves. */
export const groups = {
  work: 'Work',
  things: 'Things',
  oversight: 'Oversight',
  administration: 'Administration',
} as const
export type GroupName = keyof typeof groups

export const places = [
  { to: '/worklist', label: 'Worklist', resource: 'task', key: 'w', group: 'work' },
  { to: '/board', label: 'Board', resource: 'board', key: 'b', group: 'work' },
  { to: '/subjects', label: 'Patients and things', resource: 'subject', key: 's', group: 'things' },
  { to: '/programs', label: 'Programs', resource: 'program', key: 'r', group: 'things' },
  { to: '/devices', label: 'Devices', resource: 'device', key: 'd', group: 'things' },
  { to: '/quarantine', label: 'Quarantine', resource: 'quarantine', key: 'q', group: 'things' },
  { to: '/reviews', label: 'Reviews', resource: 'review', key: 'v', group: 'oversight' },
  { to: '/audit', label: 'Audit', resource: 'audit', key: 'a', group: 'oversight' },
  { to: '/breaches', label: 'Breaches', resource: 'breach', key: 'x', group: 'oversight' },
  { to: '/erasure', label: 'Erasure and holds', resource: 'erasure', key: 'e', group: 'oversight' },
  { to: '/people', label: 'People', resource: 'user', key: 'p', group: 'administration' },
  { to: '/apps', label: 'Apps', resource: 'app', key: 'o', group: 'administration' },
  { to: '/developers', label: 'Developers', resource: 'system', key: 'i', group: 'administration' },
  { to: '/system', label: 'System health', resource: 'system', key: 'h', group: 'administration' },
] as const satisfies readonly { to: string; label: string; resource: Resource; key: string; group: GroupName }[]

export type Place = (typeof places)[number]

export interface Group {
  readonly name: GroupName
  readonly label: string
  readonly places: readonly Place[]
}

/** Groups that have a page for this person, in order; each page stands in one. */
export const groupsOf = (shown: readonly Place[]): Group[] =>
  (Object.keys(groups) as GroupName[])
    .map((name) => ({ name, label: groups[name], places: shown.filter(({ group }) => group === name) }))
    .filter((group) => group.places.length > 0)

/** The place that a path belongs to: `/devices/17` is of Devices. */
export const placeAt = (path: string): Place | undefined =>
  places.find(({ to }) => path === to || path.startsWith(`${to}/`))

export type Layout = 'pages' | 'groups' | 'one'

/** Seven names fit beside the rest of the bar from 1100 px, the four groups from 900 px; below it is one button for all. */
export function layoutOf(count: number, width: 'small' | 'narrow' | 'wide'): Layout {
  if (count <= 3) return 'pages'
  if (width === 'small') return 'one'
  return width === 'wide' && count <= 7 ? 'pages' : 'groups'
}

/** Navigation shows only what a role may use. */
export function usePlaces(): readonly Place[] {
  const me = useMe()
  return places.filter(({ resource }) => mayBe(me, 'read', resource))
}
