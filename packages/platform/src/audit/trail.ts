import type { EpochMs } from '@careloop/contract'
import type { Selectable } from 'kysely'
import type { TenantTx } from '../engine/index.ts'
import type { AuditAction, AuditOutcome, PurposeOfUse, RecordedEntry } from './entry.ts'
import type { AuditEntryTable, AuditTables } from './schema.ts'

/** Which part of the trail; all that is given must hold. */
export interface TrailQuery {
  readonly subject?: string | undefined
  /** As in `AuditEntry.actor`. */
  readonly actor?: string | undefined
  readonly action?: AuditAction | undefined
  readonly outcome?: AuditOutcome | undefined
  readonly requestId?: string | undefined
  /** At or after, before. */
  readonly from?: EpochMs | undefined
  readonly to?: EpochMs | undefined
  /** The last entry's id of the page before. */
  readonly before?: string | undefined
  /** At most 1,000. Default 100. */
  readonly limit?: number | undefined
}

/** A page of the trail, newest first. Reading it is itself an act to record; that is the caller's. */
export async function readTrail(tx: TenantTx, query: TrailQuery = {}): Promise<RecordedEntry[]> {
  let rows = tx.tables<AuditTables>().selectFrom('audit_entry').selectAll()
  if (query.subject !== undefined) rows = rows.where('subject_id', '=', query.subject)
  if (query.actor !== undefined) {
    const [kind = '', id = kind] = query.actor.split(':', 2)
    rows = rows.where('principal_kind', '=', kind).where('principal_id', '=', id)
  }
  if (query.action !== undefined) rows = rows.where('action', '=', query.action)
  if (query.outcome !== undefined) rows = rows.where('outcome', '=', query.outcome)
  if (query.requestId !== undefined) rows = rows.where('request_id', '=', query.requestId)
  if (query.from !== undefined) rows = rows.where('at', '>=', new Date(query.from))
  if (query.to !== undefined) {
    rows = rows.where('at', '<', new Date(query.to))
    const newest = await lastBefore(tx, query.to + OVERLAP_MS)
    if (newest !== undefined) rows = rows.where('id', '<=', newest)
  }
  if (query.before !== undefined) rows = rows.where('id', '<', query.before)
  const limit = Math.min(1_000, Math.max(1, query.limit ?? 100))
  return (await rows.orderBy('id', 'desc').limit(limit).execute()).map(entryOf)
}

/** Numbers are given before the moment of writing is taken, and by several at once: so far apart they are in order for sure. */
const OVERLAP_MS = 60_000

/** Without it a page of years ago would be looked for from today backwards. */
async function lastBefore(tx: TenantTx, at: EpochMs): Promise<string | undefined> {
  const entries = tx.tables<AuditTables>().selectFrom('audit_entry').select('id')
  const found = entries.where('at', '<', new Date(at)).orderBy('at', 'desc').orderBy('id', 'desc').limit(1)
  return (await found.executeTakeFirst())?.id
}

function entryOf(row: Selectable<AuditEntryTable>): RecordedEntry {
  const { principal_kind: kind, principal_id: id } = row
  return {
    id: row.id,
    at: row.at.getTime(),
    actor: kind === id ? kind : `${kind}:${id}`,
    action: row.action as AuditAction,
    outcome: row.outcome as AuditOutcome,
    resource: row.resource,
    resourceId: row.resource_id,
    subject: row.subject_id,
    purpose: row.purpose as PurposeOfUse,
    requestId: row.request_id,
    times: row.times,
    detail: row.detail && row.detail_key_id ? { keyId: row.detail_key_id, sealed: row.detail } : null,
  }
}
