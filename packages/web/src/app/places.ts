/** The pages that stand in the navigation, in its order; `key` goes there after `g`. */
import type { Resource } from '@careloop/contract'
import { mayBe, useMe } from './session.tsx'

const places = [
  { to: '/worklist', label: 'Worklist', resource: 'task', key: 'w' },
  { to: '/board', label: 'Board', resource: 'board', key: 'b' },
  { to: '/subjects', label: 'Patients and things', resource: 'subject', key: 's' },
  { to: '/programs', label: 'Programs', resource: 'program', key: 'r' },
  { to: '/devices', label: 'Devices', resource: 'device', key: 'd' },
  { to: '/quarantine', label: 'Quarantine', resource: 'quarantine', key: 'q' },
  { to: '/reviews', label: 'Reviews', resource: 'review', key: 'v' },
  { to: '/audit', label: 'Audit', resource: 'audit', key: 'a' },
  { to: '/breaches', label: 'Breaches', resource: 'breach', key: 'x' },
  { to: '/erasure', label: 'Erasure and holds', resource: 'erasure', key: 'e' },
  { to: '/people', label: 'People', resource: 'user', key: 'p' },
  { to: '/system', label: 'System health', resource: 'system', key: 'h' },
] as const satisfies readonly { to: string; label: string; resource: Resource; key: string }[]

export type Place = (typeof places)[number]

/** Navigation shows only what a role may use. */
export function usePlaces(): readonly Place[] {
  const me = useMe()
  return places.filter(({ resource }) => mayBe(me, 'read', resource))
}
