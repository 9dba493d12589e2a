/** To whom a task may be handed: who handles this kind of subject, one's own team first. The server has the last word. */
import type { CareTeamList, Colleague, Role, SubjectKind } from '@careloop/contract'

const handlesPeople: readonly Role[] = ['nurse', 'physician', 'administrator']
const handlesThings: readonly Role[] = [...handlesPeople, 'facilities', 'pharmacist', 'biomed']

export interface Choice {
  readonly id: string
  readonly name: string
  readonly roles: readonly Role[]
  /** In a care team with me. */
  readonly isMate: boolean
}

export function colleaguesFor(
  all: readonly Colleague[],
  teams: CareTeamList['items'],
  me: string,
  kind: SubjectKind,
): Choice[] {
  const fit = kind === 'patient' ? handlesPeople : handlesThings
  const mates = new Set(teams.filter(({ members }) => members.includes(me)).flatMap(({ members }) => members))
  return all
    .filter(({ id, roles }) => id !== me && roles.some((role) => fit.includes(role)))
    .map(({ id, displayName, roles }) => ({ id, name: displayName, roles, isMate: mates.has(id) }))
    .sort((a, b) => Number(b.isMate) - Number(a.isMate) || a.name.localeCompare(b.name))
}
