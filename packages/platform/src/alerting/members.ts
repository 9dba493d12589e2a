/** Who works here now, as far as rules ask: a rule whose roles reach nobody must not be on. */
import type { Role, SubjectKind } from '@careloop/contract'
import type { ProgramRule } from '@careloop/rules'
import { type Member, may } from '../identity/index.ts'
import { alertingFailure } from './errors.ts'

/** Staff of an organisation, also those who left (`endedAt`). Identity's `members` is one. */
export type Members = (tenant: string) => Promise<readonly Pick<Member, 'id' | 'displayName' | 'roles' | 'endedAt'>[]>

export type Staff = Awaited<ReturnType<Members>>

export interface Reach {
  readonly owner: number
  readonly backup: number
}

/** How many people have a role now. */
export const peopleWith = (staff: Staff, role: Role | undefined): number =>
  staff.filter((each) => each.endedAt === null && role !== undefined && each.roles.includes(role)).length

export const reachOf = (staff: Staff, { owner, backup }: Pick<ProgramRule, 'owner' | 'backup'>): Reach => ({
  owner: peopleWith(staff, owner),
  backup: peopleWith(staff, backup),
})

/** What keeps a rule from being on, in words; null when somebody is there. */
export function reachProblem(reach: Reach, { owner, backup }: Pick<ProgramRule, 'owner' | 'backup'>): string | null {
  const nobody = [reach.owner === 0 ? `${owner} (owner)` : '', reach.backup === 0 ? `${backup} (backup)` : '']
  const roles = nobody.filter((role) => role !== '')
  if (roles.length === 0) return null
  return `Nobody who works here has the role ${roles.join(' or ')}: its alerts would reach nobody.`
}

/** Whether a role may act on tasks about such subjects: else whoever is told of an alert could not open it. */
const mayAnswer = (role: Role | undefined, kind: SubjectKind): boolean =>
  role !== undefined &&
  may({ kind: 'staff', tenant: '', id: '', displayName: '', session: '', roles: [role] }, 'act', 'task', {
    kind,
    isAttached: true,
  })

/**
 * @param kind of subject that the rule's program is for
 * @param pointers to the two roles
 * @throws Failure `owner-unreachable`
 */
export function assertReaches(
  staff: Staff,
  kind: SubjectKind,
  rule: Pick<ProgramRule, 'code' | 'owner' | 'backup'>,
  pointers: { readonly owner: string; readonly backup: string },
): void {
  for (const part of ['owner', 'backup'] as const) {
    if (!mayAnswer(rule[part], kind))
      throw alertingFailure(
        'owner-unreachable',
        `Rule ${rule.code} cannot be on: the role ${rule[part]} of its ${part} does not act on tasks about subjects of this kind. Name another.`,
        { pointer: pointers[part] },
      )
    if (peopleWith(staff, rule[part]) > 0) continue
    throw alertingFailure(
      'owner-unreachable',
      `Rule ${rule.code} cannot be on: nobody who works here has the role ${rule[part]} of its ${part}. Give somebody this role, or name another.`,
      { pointer: pointers[part] },
    )
  }
}
