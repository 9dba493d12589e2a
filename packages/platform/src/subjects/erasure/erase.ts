/**
 * Erasing one subject: everything in one transaction, in every room that holds something of them. The key goes last; what is sealed
 * under it is only bytes from then on, wherever it lies.
 */
import { record } from '../../audit/index.ts'
import type { DataKey, Engine, EngineTx, TenantTx } from '../../engine/index.ts'
import { subjectNotFound } from '../sight.ts'
import { appendErased } from './ledger.ts'

/** Who is erased, as rooms are told of it. */
export interface Erased {
  readonly tenant: string
  readonly subject: string
  readonly at: number
  /** As audit entries name who did it. */
  readonly actor: string
  readonly requestId?: string | undefined
}

/** What a later room does so that it holds nothing of a person any more, in the transaction that erases them. */
export type Forget = (tx: EngineTx, erased: Erased) => Promise<void>

/**
 * @param key of the ledger, got before the transaction
 * @throws Failure `subject-not-found`; the database refuses a subject under legal hold
 */
export async function eraseWithin(
  engine: Engine,
  tx: EngineTx,
  key: DataKey,
  forgets: readonly Forget[],
  erased: Erased,
): Promise<void> {
  const { tenant, subject } = erased
  const keyId = await tx.asTenant(tenant, (inner) => blind(inner, erased))
  for (const forget of forgets) await forget(tx, erased)
  await tx.asTenant(tenant, async (inner) => {
    const { actor, requestId } = erased
    await record(inner, { actor, requestId, action: 'delete', resource: 'subject', id: subject, purpose: 'HOPERAT' })
    await inner.publish({ type: 'SubjectChanged', subject })
    await inner.publish({ type: 'SubjectErased', subject })
  })
  await engine.keys.destroy(tx, keyId)
  await appendErased(tx, key, { tenant, subject, key: keyId, at: erased.at })
}

/** The row stays, for what points to it: an id, a kind, that it was erased and when. @returns its key */
async function blind(tx: TenantTx, { subject, at, actor }: Erased): Promise<string> {
  const { rows } = await tx.client.query<{ key_id: string }>(
    `update tenant.subject set erased_at = coalesce(erased_at, $3), body = '', time_zone = 'UTC', site_id = null,
            version = version + 1, updated_at = $3, touched = pg_current_xact_id()::text::bigint
      where tenant_id = $1 and id = $2 returning key_id`,
    [tx.tenant, subject, at],
  )
  if (rows[0] === undefined) throw subjectNotFound('/params/id')
  await tx.client.query('delete from tenant.subject_identifier where tenant_id = $1 and subject_id = $2', [
    ...[tx.tenant, subject],
  ])
  await endEnrolments(tx, subject, at)
  await endSights(tx, subject, at)
  await tx.client.query(
    `update tenant.erasure set status = 'withdrawn', decided_by = $3, decided_at = $4
      where tenant_id = $1 and subject_id = $2 and status = 'proposed'`,
    [tx.tenant, subject, actor, at],
  )
  return rows[0].key_id
}

/** One that has not begun is ended at its beginning, as nearly as a span can be. */
async function endEnrolments(tx: TenantTx, subject: string, at: number): Promise<void> {
  const { rows } = await tx.client.query<{ id: string; program: string }>(
    `update tenant.enrolment set to_at = greatest($3::bigint, from_at + 1)
      where tenant_id = $1 and subject_id = $2 and (to_at is null or to_at > $3::bigint)
      returning id, program`,
    [tx.tenant, subject, at],
  )
  for (const { id, program } of rows) await tx.publish({ type: 'EnrolmentChanged', enrolment: id, subject, program })
  // The evaluator drops what it knows of the subject, in order with the readings.
  tx.beforeCommitAppend([{ kind: 'config-changed', tenant: tx.tenant, subject }])
}

async function endSights(tx: TenantTx, subject: string, at: number): Promise<void> {
  const { rows } = await tx.client.query<{ user_id: string }>(
    `update tenant.sight_grant set ended_at = $3 where tenant_id = $1 and subject_id = $2 and ended_at is null
      returning user_id`,
    [tx.tenant, subject, at],
  )
  for (const user of new Set(rows.map((row) => row.user_id))) await tx.publish({ type: 'SightChanged', user })
}
