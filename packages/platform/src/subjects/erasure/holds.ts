/** Legal holds: while one stands, nothing of the person is erased and nothing of theirs is let go by age. */
import type { LegalHoldView } from '@careloop/contract'
import { sql } from 'kysely'
import type { Engine, TenantTx } from '../../engine/index.ts'
import { audited, type By } from '../by.ts'
import { subjectFailure } from '../errors.ts'
import { type LegalHoldRow, type SubjectsTables, toMs, toMsOrNull } from '../schema.ts'
import { openReason, sealReason } from './sealed-reason.ts'
import { lockLiving } from './subject-row.ts'

/** @throws Failure `subject-not-found`, `key-destroyed` */
export async function placeHold(engine: Engine, by: By, subject: string, reason: string): Promise<string> {
  const id = engine.ids.uuid()
  const key = await engine.keys.keyFor('subject', subject).catch(() => null)
  await engine.db.asTenant(by.tenant, async (tx) => {
    const row = await lockLiving(tx, subject)
    const sealing = key?.id === row.keyId ? key : await engine.keys.key(row.keyId)
    await tx
      .tables<SubjectsTables>()
      .insertInto('legal_hold')
      .values({
        ...{ id, subject_id: subject, placed_by: by.actor, placed_at: engine.clock.now() },
        ...{ released_by: null, released_at: null, release_reason: null },
        ...{ key_id: row.keyId, reason: sealReason(sealing, by.tenant, 'legal-hold', id, reason) },
      })
      .execute()
    await audited(tx, by, 'create', 'legal-hold', { id, subjects: [subject], purpose: 'HOPERAT' })
    await tx.publish({ type: 'LegalHoldChanged', subject })
  })
  return id
}

/** @throws Failure `legal-hold-not-found`, `legal-hold-released` */
export async function releaseHold(engine: Engine, by: By, id: string, reason: string): Promise<void> {
  await engine.db.asTenant(by.tenant, async (tx) => {
    const query = tx.tables<SubjectsTables>().selectFrom('legal_hold').selectAll().where('id', '=', id)
    const row = await query.forUpdate().executeTakeFirst()
    if (row === undefined)
      throw subjectFailure('legal-hold-not-found', 'No legal hold has this id.', { pointer: '/params/id' })
    if (row.released_at !== null)
      throw subjectFailure('legal-hold-released', 'This hold was released before.', { pointer: '/params/id' })
    const key = await engine.keys.key(row.key_id)
    const release_reason = sealReason(key, by.tenant, 'legal-hold-release', id, reason)
    await tx
      .tables<SubjectsTables>()
      .updateTable('legal_hold')
      .set({ released_by: by.actor, released_at: engine.clock.now(), release_reason })
      .where('id', '=', id)
      .execute()
    await audited(tx, by, 'revoke', 'legal-hold', { id, subjects: [row.subject_id], purpose: 'HOPERAT' })
    await tx.publish({ type: 'LegalHoldChanged', subject: row.subject_id })
  })
}

/** @param subject absent = all that stand, of everybody */
export async function holdRows(tx: TenantTx, subject?: string): Promise<LegalHoldRow[]> {
  const query = tx.tables<SubjectsTables>().selectFrom('legal_hold').selectAll().orderBy('placed_at', 'desc')
  if (subject !== undefined) return query.where('subject_id', '=', subject).execute()
  return query.where('released_at', 'is', null).limit(500).execute()
}

export async function holdView(engine: Engine, tenant: string, row: LegalHoldRow): Promise<LegalHoldView> {
  const open = (field: 'legal-hold' | 'legal-hold-release', sealed: Buffer | null) =>
    sealed === null ? undefined : openReason(engine, row.key_id, tenant, field, { id: row.id, sealed })
  const [reason, releaseReason] = [
    await open('legal-hold', row.reason),
    await open('legal-hold-release', row.release_reason),
  ]
  const releasedAt = toMsOrNull(row.released_at)
  return {
    ...{ id: row.id, subject: row.subject_id, placedBy: row.placed_by, placedAt: toMs(row.placed_at) },
    ...(reason === undefined ? {} : { reason }),
    ...(row.released_by === null || releasedAt === null ? {} : { releasedBy: row.released_by, releasedAt }),
    ...(releaseReason === undefined ? {} : { releaseReason }),
  }
}

/** Of a locked subject. */
export async function isHeld(tx: TenantTx, subject: string): Promise<boolean> {
  const { rows } = await sql<{ held: boolean }>`select exists (select from tenant.legal_hold h
    where h.tenant_id = ${tx.tenant} and h.subject_id = ${subject} and h.released_at is null) as held`.execute(
    tx.tables(),
  )
  return rows[0]!.held
}

/** Whose data are kept, whatever their age: for jobs that let go of what is old. */
export async function heldSubjects(tx: TenantTx): Promise<ReadonlySet<string>> {
  const { rows } = await tx.client.query<{ subject_id: string }>(
    'select distinct subject_id from tenant.legal_hold where tenant_id = $1 and released_at is null',
    [tx.tenant],
  )
  return new Set(rows.map((row) => row.subject_id))
}
