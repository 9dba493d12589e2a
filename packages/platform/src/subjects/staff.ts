/** The one question subjects ask of identity: who works here now. */
import { subjectFailure } from './errors.ts'

/** Staff of a tenant; `endedAt` is null while they work here. Identity's `members` is one. */
export type StaffOf = (tenant: string) => Promise<readonly { readonly id: string; readonly endedAt: number | null }[]>

/** @throws Failure `staff-not-found` with a pointer to the first who does not work here */
export async function assertStaff(
  staff: StaffOf,
  tenant: string,
  users: readonly string[],
  pointer: string,
  isList = true,
): Promise<void> {
  if (users.length === 0) return
  const working = new Set((await staff(tenant)).filter((each) => each.endedAt === null).map((each) => each.id))
  const missing = users.findIndex((user) => !working.has(user))
  if (missing < 0) return
  throw subjectFailure('staff-not-found', 'Nobody with this id works here. List the staff and choose again.', {
    pointer: isList ? `${pointer}/${missing}` : pointer,
  })
}
