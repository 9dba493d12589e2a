/** Proposals to erase a person: by one, with a reason and a legal basis; decided by another; never while a legal hold stands. */
import type { ErasureState, ErasureView, LegalHoldView, NewErasure } from '@careloop/contract'
import { record } from '../../audit/index.ts'
import type { Engine, TenantTx } from '../../engine/index.ts'
import { audited, type By } from '../by.ts'
import { subjectFailure } from '../errors.ts'
import { type ErasureRow, type SubjectsTables, toMs, toMsOrNull } from '../schema.ts'
import { eraseWithin, type Forget } from './erase.ts'
import { holdRows, holdView, isHeld, placeHold, releaseHold } from './holds.ts'
import { ledgerKey } from './ledger.ts'
import { openReason, sealReason } from './sealed-reason.ts'
import { lockLiving } from './subject-row.ts'

export interface Erasures {
  propose(by: By, subject: string, wanted: NewErasure): Promise<ErasureView>
  /** By another than who proposed it. An approval erases at once, and is answered when the ledger is kept outside too. */
  decide(by: By, id: string, decision: 'approve' | 'refuse'): Promise<ErasureView>
  /** By who proposed it. */
  withdraw(by: By, id: string): Promise<ErasureView>
  placeHold(by: By, subject: string, reason: string): Promise<LegalHoldView>
  releaseHold(by: By, id: string, reason: string): Promise<LegalHoldView>
  /** Of one subject, all there ever was; without one what is open. Audited. */
  state(by: By, subject?: string): Promise<ErasureState>
}

export interface ErasureParts {
  /** What later rooms do, in this order: those that append to the reading log last, since that holds its lock. */
  readonly forgets: readonly Forget[]
  /** Keeps the ledger outside the database; awaited before an approval is answered. */
  keepLedger(): Promise<void>
}

export function makeErasures(engine: Engine, parts: ErasureParts): Erasures {
  const view = (tenant: string, row: Found) => viewOf(engine, tenant, row)
  const oneHold = async (by: By, id: string): Promise<LegalHoldView> => {
    const query = (tx: TenantTx) =>
      tx.tables<SubjectsTables>().selectFrom('legal_hold').selectAll().where('id', '=', id)
    return holdView(engine, by.tenant, await engine.db.asTenant(by.tenant, (tx) => query(tx).executeTakeFirstOrThrow()))
  }
  return {
    propose: async (by, subject, wanted) => view(by.tenant, await propose(engine, by, subject, wanted)),
    async decide(by, id, decision) {
      const row =
        decision === 'approve' ? await approve(engine, parts, by, id) : await settle(engine, by, id, 'refused')
      if (decision === 'approve') await parts.keepLedger()
      return view(by.tenant, row)
    },
    withdraw: async (by, id) => view(by.tenant, await settle(engine, by, id, 'withdrawn')),
    placeHold: async (by, subject, reason) => oneHold(by, await placeHold(engine, by, subject, reason)),
    async releaseHold(by, id, reason) {
      await releaseHold(engine, by, id, reason)
      return oneHold(by, id)
    },
    state: (by, subject) => stateOf(engine, by, subject),
  }
}

/** @throws Failure `subject-not-found`, `subject-held`, `erasure-proposed` */
async function propose(engine: Engine, by: By, subject: string, wanted: NewErasure): Promise<Found> {
  const id = engine.ids.uuid()
  return engine.db.asTenant(by.tenant, async (tx) => {
    const { keyId, kind } = await lockLiving(tx, subject)
    if (await isHeld(tx, subject)) throw held()
    const key = await engine.keys.key(keyId)
    const made = await tx
      .tables<SubjectsTables>()
      .insertInto('erasure')
      .values({
        ...{ id, subject_id: subject, status: 'proposed', basis: wanted.basis },
        ...{ proposed_by: by.actor, proposed_at: engine.clock.now(), decided_by: null, decided_at: null },
        ...{ key_id: keyId, reason: sealReason(key, by.tenant, 'erasure', id, wanted.reason) },
      })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst()
    if (made === undefined)
      throw subjectFailure('erasure-proposed', 'Its erasure is proposed already. Decide that proposal.', {
        pointer: '/params/id',
      })
    await audited(tx, by, 'create', 'erasure', { id, subjects: [subject], purpose: 'HOPERAT' })
    await tx.publish({ type: 'ErasureProposed', erasure: id, subject })
    return { ...made, kind }
  })
}

/** @throws Failure `erasure-not-found`, `erasure-decided`, `erasure-needs-another`, `subject-held` */
async function approve(engine: Engine, { forgets }: ErasureParts, by: By, id: string): Promise<Found> {
  const key = await ledgerKey(engine) // before the transaction, which must not wait for another connection
  return engine.db.asEngine(async (tx) => {
    const at = engine.clock.now()
    const row = await tx.asTenant(by.tenant, async (inner) => {
      const found = await lockProposed(inner, id)
      const refuse = async (failure: Error) => {
        await denied(engine, by, id, found.subject_id)
        throw failure
      }
      if (found.proposed_by === by.actor) await refuse(needsAnother())
      if (await isHeld(inner, found.subject_id)) await refuse(held())
      await audited(inner, by, 'execute', 'erasure', { id, subjects: [found.subject_id], purpose: 'HOPERAT' })
      return { ...(await decideRow(inner, id, 'executed', by, at)), kind: found.kind }
    })
    const { tenant, actor, requestId } = by
    await eraseWithin(engine, tx, key, forgets, { tenant, subject: row.subject_id, at, actor, requestId })
    return row
  })
}

/** @throws Failure `erasure-not-found`, `erasure-decided`, `erasure-not-yours` */
const settle = (engine: Engine, by: By, id: string, status: 'refused' | 'withdrawn'): Promise<Found> =>
  engine.db.asTenant(by.tenant, async (tx) => {
    const found = await lockProposed(tx, id)
    if (status === 'withdrawn' && found.proposed_by !== by.actor)
      throw subjectFailure('erasure-not-yours', 'Only who proposed it withdraws it. Refuse it instead.', {
        pointer: '/params/id',
      })
    await audited(tx, by, 'update', 'erasure', { id, subjects: [found.subject_id], purpose: 'HOPERAT' })
    await tx.publish({ type: 'ErasureDecided', erasure: id, subject: found.subject_id, status })
    return { ...(await decideRow(tx, id, status, by, engine.clock.now())), kind: found.kind }
  })

const stateOf = (engine: Engine, by: By, subject: string | undefined): Promise<ErasureState> =>
  engine.db
    .asTenant(by.tenant, async (tx) => {
      const filter = subject === undefined ? { status: 'proposed' as const } : { subject }
      const erasures = await foundRows(tx, filter)
      const holds = await holdRows(tx, subject)
      const subjects = [...new Set([...erasures, ...holds].map((row) => row.subject_id))]
      await audited(tx, by, 'read', 'erasure', { subjects, purpose: 'HOPERAT' })
      return { erasures, holds, ...(subject === undefined ? {} : { erasedAt: await erasedAt(tx, subject) }) }
    })
    .then(async ({ erasures, holds, ...rest }) => ({
      ...rest,
      erasures: await Promise.all(erasures.map((row) => viewOf(engine, by.tenant, row))),
      holds: await Promise.all(holds.map((row) => holdView(engine, by.tenant, row))),
    }))

// ---------------------------------------------------------------- rows

type Found = ErasureRow & { readonly kind: ErasureView['kind'] }

async function foundRows(
  tx: TenantTx,
  filter: { readonly status?: 'proposed'; readonly subject?: string },
): Promise<Found[]> {
  const { rows } = await tx.client.query<Found>(
    `select e.*, s.kind from tenant.erasure e
       join tenant.subject s on s.tenant_id = e.tenant_id and s.id = e.subject_id
      where e.tenant_id = $1 and ($2::text is null or e.status = $2) and ($3::uuid is null or e.subject_id = $3)
      order by e.proposed_at desc limit 500`,
    [tx.tenant, filter.status ?? null, filter.subject ?? null],
  )
  return rows
}

/** The subject first, as everybody locks them: a hold that comes now waits, or is seen. */
async function lockProposed(tx: TenantTx, id: string): Promise<Found> {
  const select = tx.tables<SubjectsTables>().selectFrom('erasure').selectAll().where('id', '=', id)
  const known = await select.executeTakeFirst()
  if (known === undefined)
    throw subjectFailure('erasure-not-found', 'No proposal has this id.', { pointer: '/params/id' })
  const decided = () =>
    subjectFailure('erasure-decided', 'This proposal was decided before. Read it again.', { pointer: '/params/id' })
  if (known.status !== 'proposed') throw decided()
  const { kind } = await lockLiving(tx, known.subject_id)
  const row = await select.forUpdate().executeTakeFirstOrThrow()
  if (row.status !== 'proposed') throw decided()
  return { ...row, kind }
}

const decideRow = (
  tx: TenantTx,
  id: string,
  status: 'executed' | 'refused' | 'withdrawn',
  by: By,
  at: number,
): Promise<ErasureRow> =>
  tx
    .tables<SubjectsTables>()
    .updateTable('erasure')
    .set({ status, decided_by: by.actor, decided_at: at })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

async function erasedAt(tx: TenantTx, subject: string): Promise<number | null> {
  const query = tx.tables<SubjectsTables>().selectFrom('subject').select('erased_at').where('id', '=', subject)
  return toMsOrNull((await query.executeTakeFirst())?.erased_at ?? null)
}

/** A refusal is recorded in a transaction of its own: that of the act is taken back. */
const denied = ({ db }: Engine, { tenant, actor, requestId }: By, id: string, subject: string): Promise<void> =>
  db.asTenant(tenant, (tx) =>
    record(tx, { actor, requestId, action: 'denied', resource: 'erasure', id, subject, purpose: 'HOPERAT' }),
  )

const held = () =>
  subjectFailure('subject-held', 'A legal hold stands: nothing of this record may be erased until it is released.', {
    pointer: '/params/id',
  })

const needsAnother = () =>
  subjectFailure('erasure-needs-another', 'Another person than who proposed it must approve it.', {
    pointer: '/params/id',
  })

async function viewOf(engine: Engine, tenant: string, row: Found): Promise<ErasureView> {
  const reason = await openReason(engine, row.key_id, tenant, 'erasure', { id: row.id, sealed: row.reason })
  const decidedAt = toMsOrNull(row.decided_at)
  return {
    ...{ id: row.id, subject: row.subject_id, kind: row.kind, status: row.status, basis: row.basis },
    ...(reason === undefined ? {} : { reason }),
    ...{ proposedBy: row.proposed_by, proposedAt: toMs(row.proposed_at) },
    ...(row.decided_by === null || decidedAt === null ? {} : { decidedBy: row.decided_by, decidedAt }),
  }
}
