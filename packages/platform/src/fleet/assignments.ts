/**
 * Who wears a device. Each act is one transaction: history, audit entry, fact, the reading log's entry, and the fence that
 * keeps every door from attributing by an older copy. Rows are only ever superseded, so what was believed before can be shown.
 */
import type { AssignmentEdit, AssignmentSpan, EpochMs } from '@careloop/contract'
import type { Engine, TenantTx } from '../engine/index.ts'
import { assertSubject, audited, type By, isSeen, seenOf } from '../subjects/index.ts'
import { lockDevice } from './devices.ts'
import { fleetFailure } from './errors.ts'
import { begin, correct, end, type HistoryChange, spanAt } from './history.ts'
import { type FleetTables, toMs, toMsOrNull } from './schema.ts'
import { openPart, sealPart, tenantKey } from './sealed-parts.ts'

/** Name of the fence: bumped by every change of who wears what, of any tenant. */
export const attributionFence = 'attribution'

/**
 * Puts a device on a subject. `from` null = now; a past instant is fine where nobody wore it.
 * @throws Failure `device-not-found`, `subject-not-found`, `device-worn`, `assignment-overlaps`, `assignment-in-future`
 */
export function assign(
  engine: Engine,
  by: By,
  device: string,
  subject: string,
  from: EpochMs | null,
): Promise<AssignmentSpan> {
  return engine.db.asTenant(by.tenant, async (tx) => {
    await lockDevice(tx, device)
    await assertSubject(tx, subject, '/body/subject', by.sight)
    const now = engine.clock.now() // after the lock: whoever held it may have ended a span meanwhile
    const span = { id: engine.ids.uuid(), subject, from: from ?? now, to: null }
    await write(engine, tx, by, device, begin(await currentHistory(tx, device), span, now), now)
    return span
  })
}

/** Takes a device off; `to` null = now. @throws Failure `device-not-found`, `assignment-not-yours`, `device-not-worn`, `assignment-span-wrong`, `assignment-in-future` */
export function unassign(engine: Engine, by: By, device: string, to: EpochMs | null): Promise<AssignmentSpan> {
  return engine.db.asTenant(by.tenant, async (tx) => {
    await lockDevice(tx, device)
    const now = engine.clock.now()
    const change = end(await currentHistory(tx, device), to ?? now, now)
    await assertMayChange(tx, by, change)
    await write(engine, tx, by, device, change, now)
    return change.added[0]!
  })
}

/** Takes a device off within a transaction that does more; the caller has seen to the right. */
export async function takeOffWithin(
  engine: Engine,
  tx: TenantTx,
  by: By,
  worn: { readonly device: string; readonly subject: string; readonly to: EpochMs },
): Promise<void> {
  await lockDevice(tx, worn.device)
  const history = await currentHistory(tx, worn.device)
  const open = history.find((span) => span.to === null)
  if (open?.subject !== worn.subject) return
  const now = engine.clock.now()
  const to = Math.max(worn.to, open.from + 1)
  await write(engine, tx, by, worn.device, end(history, to, Math.max(now, to)), now)
}

export interface Correction {
  /** Why the history was wrong; kept sealed. */
  readonly reason: string
  readonly edits: readonly AssignmentEdit[]
}

/**
 * Corrects a device's history, back-dated too. Readers of the log move the readings from `since` on.
 * @returns what holds now
 * @throws Failure those of `correct`, `assignment-not-yours`, `correction-reason-missing`, `device-not-found`, `subject-not-found`
 */
export async function correctAssignment(
  engine: Engine,
  by: By,
  device: string,
  correction: Correction,
): Promise<readonly AssignmentSpan[]> {
  if (correction.reason.trim().length < 3)
    throw fleetFailure('correction-reason-missing', 'Say in a few words why the history was wrong.', {
      pointer: '/body/reason',
    })
  const key = await tenantKey(engine, by.tenant)
  return engine.db.asTenant(by.tenant, async (tx) => {
    await lockDevice(tx, device)
    for (const [at, edit] of correction.edits.entries())
      if ('subject' in edit && edit.subject !== undefined)
        await assertSubject(tx, edit.subject, `/body/edits/${at}/subject`, by.sight)
    const now = engine.clock.now()
    const change = correct(await currentHistory(tx, device), correction.edits, now, () => engine.ids.uuid())
    await assertMayChange(tx, by, change)
    const reason = sealPart(key, 'correction', device, correction.reason.trim())
    await write(engine, tx, by, device, change, now, reason)
    return change.after
  })
}

/** Who wore a device at an instant, from the database. Doors ask `Attribution` instead. @throws Failure `device-not-found` */
export const whoWears = (engine: Engine, tenant: string, device: string, at: EpochMs): Promise<AssignmentSpan | null> =>
  engine.db.asTenant(tenant, async (tx) => spanAt(await currentHistory(tx, device), at))

export interface SupersededSpan extends AssignmentSpan {
  readonly recordedAt: EpochMs
  readonly supersededAt: EpochMs
  readonly supersededBy: string
  readonly reason: string | null
}

/** What holds, and all that was believed before, of those whom the asker may know of. */
export async function assignmentHistory(engine: Engine, by: By, device: string) {
  const key = await tenantKey(engine, by.tenant)
  return engine.db.asTenant(by.tenant, async (tx) => {
    const current = await currentHistory(tx, device)
    const rows = await tx
      .tables<FleetTables>()
      .selectFrom('assignment')
      .selectAll()
      .where('device_id', '=', device)
      .where('superseded_at', 'is not', null)
      .orderBy('superseded_at', 'desc')
      .orderBy('from_at', 'desc')
      .execute()
    const ids = [...current.map((span) => span.subject), ...rows.map((row) => row.subject_id)]
    const seen = await seenOf(tx, ids, by.sight)
    const spans = current.filter((span) => seen.has(span.subject))
    const shown = rows.filter((row) => seen.has(row.subject_id))
    const superseded = shown.map(
      (row): SupersededSpan => ({
        ...spanOf(row),
        recordedAt: toMs(row.recorded_at),
        supersededAt: toMs(row.superseded_at!),
        supersededBy: row.superseded_by!,
        reason: row.superseded_reason ? openPart<string>(key, 'correction', device, row.superseded_reason) : null,
      }),
    )
    const subjects = [...new Set([...spans, ...superseded].map((span) => span.subject))]
    await audited(tx, by, 'read', 'assignment', { id: device, subjects })
    return { spans, superseded }
  })
}

/** The spans of a device that hold now, oldest first. */
export async function currentHistory(tx: TenantTx, device: string): Promise<AssignmentSpan[]> {
  const rows = await tx
    .tables<FleetTables>()
    .selectFrom('assignment')
    .select(['id', 'subject_id', 'from_at', 'to_at'])
    .where('device_id', '=', device)
    .where('superseded_at', 'is', null)
    .orderBy('from_at')
    .execute()
  return rows.map(spanOf)
}

// ---------------------------------------------------------------- parts

const spanOf = (row: { id: string; subject_id: string; from_at: string; to_at: string | null }): AssignmentSpan => ({
  id: row.id,
  subject: row.subject_id,
  from: toMs(row.from_at),
  to: toMsOrNull(row.to_at),
})

/** Whose readings a change takes away or gives: each must be of a kind that the asker looks after. */
async function assertMayChange(tx: TenantTx, by: By, change: HistoryChange): Promise<void> {
  for (const { subject } of [...change.superseded, ...change.added])
    if (!(await isSeen(tx, subject, by.sight)))
      throw fleetFailure(
        'assignment-not-yours',
        'This device is on a subject of a kind that your roles do not look after. Ask nursing or biomedical staff.',
        { pointer: '/params/id' },
      )
}

async function write(
  engine: Engine,
  tx: TenantTx,
  by: By,
  device: string,
  change: HistoryChange,
  now: EpochMs,
  reason: Buffer | null = null,
): Promise<void> {
  // First what no longer holds: the constraint of one wearer at a time is checked with every row.
  if (change.superseded.length > 0) await supersede(tx, by, change.superseded, now, reason)
  for (const span of change.added) await insert(tx, by, device, span, now)
  await tx.publish({ type: 'AssignmentChanged', device, since: change.since })
  const subjects = [...new Set([...change.superseded, ...change.added].map((span) => span.subject))]
  await audited(tx, by, reason ? 'correct' : 'assign', 'assignment', { id: device, subjects })
  tx.beforeCommitAppend(
    [{ kind: 'assignment-changed', tenant: by.tenant, device, assignments: change.after, since: change.since }],
    [attributionFence],
  )
  engine.watch.log.debug({ device, since: change.since, corrected: reason !== null }, 'who wears a device changed')
}

const supersede = (tx: TenantTx, by: By, spans: readonly AssignmentSpan[], now: EpochMs, reason: Buffer | null) =>
  tx
    .tables<FleetTables>()
    .updateTable('assignment')
    .set({ superseded_at: now, superseded_by: by.actor, superseded_reason: reason })
    .where('superseded_at', 'is', null)
    .where(
      'id',
      'in',
      spans.map((span) => span.id),
    )
    .execute()

async function insert(tx: TenantTx, by: By, device: string, span: AssignmentSpan, now: EpochMs): Promise<void> {
  const tables = tx.tables<FleetTables>()
  const older = await tables
    .selectFrom('assignment')
    .select((eb) => eb.fn.max('version').as('version'))
    .where('id', '=', span.id)
    .executeTakeFirst()
  await tables
    .insertInto('assignment')
    .values({
      id: span.id,
      version: (older?.version ?? 0) + 1,
      device_id: device,
      subject_id: span.subject,
      from_at: span.from,
      to_at: span.to,
      recorded_at: now,
      recorded_by: by.actor,
    })
    .execute()
}
