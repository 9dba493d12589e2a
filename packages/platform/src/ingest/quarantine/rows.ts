/** Rows of quarantine: found, held for one who settles them, settled, opened. */
import type { Engine, TenantTx } from '../../engine/index.ts'
import { currentHistory, spanAt } from '../../fleet/index.ts'
import { placesOf } from '../../subjects/index.ts'
import { ingestFailure } from '../errors.ts'
import type { IngestTables, QuarantineTable } from '../schema.ts'
import { asideFromBytes, quarantineAad, type SealedAside } from './project.ts'

/** @throws Failure `quarantine-not-found` */
export async function rowOf(tx: TenantTx, id: string): Promise<QuarantineTable> {
  const row = await tx
    .tables<IngestTables>()
    .selectFrom('quarantine')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  if (!row) throw ingestFailure('quarantine-not-found', 'No frame with this id is in quarantine.')
  return row
}

/** Locked for the rest of the transaction. @throws Failure `quarantine-not-found` | `quarantine-settled` */
export async function heldRow(tx: TenantTx, id: string): Promise<QuarantineTable> {
  const row = await tx
    .tables<IngestTables>()
    .selectFrom('quarantine')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (!row) throw ingestFailure('quarantine-not-found', 'No frame with this id is in quarantine.')
  assertHeld(row)
  return row
}

export async function settle(
  tx: TenantTx,
  engine: Engine,
  id: string,
  status: 'replayed' | 'dismissed',
  outcome: string,
): Promise<void> {
  await tx
    .tables<IngestTables>()
    .updateTable('quarantine')
    .set({ status, outcome, settled_at: engine.clock.now() })
    .where('id', '=', id)
    .execute()
}

export async function openRow(engine: Engine, row: QuarantineTable): Promise<SealedAside> {
  const key = await engine.keys.key(row.key_id)
  return asideFromBytes(key.open(row.body, quarantineAad(row.id)))
}

/** @throws Failure `quarantine-settled` */
export function assertHeld(row: QuarantineTable): void {
  if (row.status !== 'held') throw ingestFailure('quarantine-settled', `This frame was ${row.status} already.`)
}

/** What a device measured and could not send may come as late as this, ms. */
const lateMs = 31 * 24 * 3_600_000

/** Patients whose message it may be: who wore the device when it came, and in the month before. */
export async function patientsOf(tx: TenantTx, row: QuarantineTable): Promise<readonly string[]> {
  if (row.device_id === null) return []
  const at = Number(row.received_at)
  const spans = await currentHistory(tx, row.device_id)
  const wearers = spans.filter(({ from, to }) => from <= at && (to === null || to > at - lateMs))
  const places = await placesOf(tx, [...new Set(wearers.map(({ subject }) => subject))])
  return [...places.values()].filter(({ kind }) => kind === 'patient').map(({ id }) => id)
}

/** Whose message it is likely to be: who wore the device when it came. For the audit trail; nobody when that is not known. */
export async function subjectsOf(tx: TenantTx, row: QuarantineTable): Promise<readonly string[]> {
  if (row.device_id === null) return []
  const span = spanAt(await currentHistory(tx, row.device_id), Number(row.received_at))
  return span ? [span.subject] : []
}
