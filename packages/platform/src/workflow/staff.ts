/** Who works here and what they may take on. */
import type { Role, SubjectKind } from '@careloop/contract'
import { may } from '../identity/index.ts'
import { workflowFailure } from './errors.ts'

/** A member of staff as workflow asks for them; `endedAt` is null while they work here. */
export interface Working {
  readonly id: string
  readonly displayName: string
  readonly roles: readonly Role[]
  readonly endedAt: number | null
}

/** Staff of a tenant, those who left too. Identity's `members` is one. */
export type WorkingStaff = (tenant: string) => Promise<readonly Working[]>

/** Whether somebody works here now and may act on tasks about this kind of subject, once they are attached to it (`task-sight.ts`). */
export const mayTake = (tenant: string, person: Working, kind: SubjectKind): boolean =>
  person.endedAt === null &&
  may({ kind: 'staff', tenant, session: '', ...person, roles: [...person.roles] }, 'act', 'task', {
    kind,
    isAttached: true,
  })

/** @throws Failure `hand-off-unfit` */
export async function assertMayTake(staff: WorkingStaff, tenant: string, id: string, kind: SubjectKind): Promise<void> {
  const person = (await staff(tenant)).find((each) => each.id === id)
  if (person === undefined || person.endedAt !== null)
    throw workflowFailure('hand-off-unfit', 'Nobody with this id works here now. Choose a colleague from the list.', {
      pointer: '/body/to',
    })
  if (mayTake(tenant, person, kind)) return
  throw workflowFailure(
    'hand-off-unfit',
    'The roles of this colleague do not cover subjects of this kind. Choose another colleague.',
    { pointer: '/body/to' },
  )
}
