/** Whose record an export by Group is of. */
import type { By } from '../../subjects/index.ts'
import { clinicalFailure } from '../errors.ts'
import { grantFor, isWithin } from '../rights.ts'
import { auditRead, notFound, readResource } from '../store/read.ts'
import type { ClinicalRoom } from '../store/room.ts'
import { openRow, rowsByRid } from '../store/rows.ts'
import type { Stored } from '../stored.ts'

/** @returns FHIR ids of the patients in it. @throws Failure `resource-not-found`, `resource-gone`, `type-not-yours` */
export async function membersOf(room: ClinicalRoom, by: By, id: string): Promise<string[]> {
  const isProgram = by.who?.kind === 'service'
  const { text } = await (isProgram ? groupOfProgram(room, by, id) : readResource(room, by, 'Group', id))
  const group = JSON.parse(text) as {
    readonly member?: readonly { readonly entity?: { readonly reference?: string }; readonly inactive?: boolean }[]
  }
  return (group.member ?? []).flatMap(({ entity, inactive }) => {
    const found = /(?:^|\/)Patient\/([A-Za-z0-9.-]{1,64})$/.exec(entity?.reference ?? '')?.[1]
    return found === undefined || inactive === true ? [] : [found]
  })
}

/**
 * A program outside may not read a Group, which names patients who let it see nothing; it may begin an export of one, which holds of the
 * members only who is in its sight and said yes. So the Group is read for it and not shown.
 */
async function groupOfProgram({ ground }: ClinicalRoom, asked: By, id: string): Promise<Stored> {
  const { by, filters } = grantFor(asked, 'Group', 'r')
  const rid = (await ground.blinds(by.tenant)).rid('Group', id)
  return ground.engine.db.asTenantReading(by.tenant, async (tx) => {
    const row = await tx.readOne(rowsByRid, rid)
    const stored = row === undefined ? null : await openRow(ground.engine, by.tenant, row)
    if (stored === null || !isWithin(filters, stored)) throw notFound()
    if (stored.isDeleted) throw clinicalFailure('resource-gone', 'It was deleted. Its versions stand in its history.')
    await auditRead(tx, by, stored)
    return stored
  })
}
