import type { SubjectKind } from '@careloop/contract'
import type { TenantTx } from '../../engine/index.ts'
import { subjectNotFound } from '../sight.ts'

/** A subject that was not erased, locked: what is decided of erasing it is decided by one at a time. @throws Failure `subject-not-found` */
export async function lockLiving(tx: TenantTx, id: string): Promise<{ keyId: string; kind: SubjectKind }> {
  const { rows } = await tx.client.query<{ keyId: string; kind: SubjectKind }>(
    `select key_id as "keyId", kind from tenant.subject
      where tenant_id = $1 and id = $2 and erased_at is null for update`,
    [tx.tenant, id],
  )
  if (rows[0] === undefined) throw subjectNotFound('/params/id')
  return rows[0]
}
