/** Writes the trail with its batches, for `verify` elsewhere. The entries come from their table, not from what was remembered of them. */
import type { Engine } from '../../engine/index.ts'
import { leafHash } from '../merkle/tree.ts'
import { canonicalEntry, ENTRY_COLUMNS, type EntryRow } from '../seal/canonical-entry.ts'
import { readCheckpoint } from '../seal/checkpoint.ts'
import type { ExportBatch, ExportEnd, ExportHead } from './export-format.ts'

export interface ExportRange {
  /** Only this organisation's entries in words; of others their leaf hashes. */
  readonly tenant?: string
  /** Batches whose checkpoint was signed from, until (ms). */
  readonly from?: number
  readonly to?: number
}

interface BatchRow {
  readonly number: string
  readonly tree_size: string
  readonly last_xid: string
  readonly last_id: string
  readonly leaves: Buffer
  readonly frontier: Buffer
  readonly checkpoint: string
}

type Read = Pick<Engine, 'db'>

/** Lines, each with its end. */
export async function* exportTrail(engine: Read, range: ExportRange = {}): AsyncGenerator<string> {
  const numbers = await batchNumbers(engine, range)
  let before = await batchBelow(engine, numbers.chosen[0] ?? '0')
  const head: ExportHead = {
    ...{ careloop: 'audit-export', version: 1, tenant: range.tenant ?? null, isNewest: numbers.isNewest },
    size: Number(before?.tree_size ?? 0),
    frontier: before?.frontier.toString('base64') ?? '',
    before: before?.checkpoint ?? null,
  }
  yield `${JSON.stringify(head)}\n`
  for (const number of numbers.chosen) {
    const batch = await readBatch(engine, number)
    if (batch === undefined) continue
    for (const row of await entriesOf(engine, before, batch)) yield `${lineOf(row, range.tenant)}\n`
    const told: ExportBatch = { checkpoint: batch.checkpoint, leaves: batch.leaves.toString('base64') }
    yield `${JSON.stringify(told)}\n`
    before = batch
  }
  const end: ExportEnd = { unsealed: numbers.isNewest ? await entriesAfter(engine, before) : 0 }
  yield `${JSON.stringify(end)}\n`
}

const lineOf = (row: EntryRow, tenant: string | undefined): string =>
  tenant === undefined || row.tenant_id === tenant
    ? canonicalEntry(row)
    : JSON.stringify(leafHash(canonicalEntry(row)).toString('base64'))

/** By the times that the checkpoints say: a column beside could be changed alone. */
async function batchNumbers(engine: Read, { from, to }: ExportRange) {
  const { rows } = await engine.db.pool.query<{ number: string; checkpoint: string }>(
    'select number::text, checkpoint from engine.audit_batch order by audit_batch.number',
  )
  const isWithin = ({ checkpoint }: { checkpoint: string }) => {
    const time = readCheckpoint(checkpoint)?.time
    return time === undefined || (time >= (from ?? 0) && time < (to ?? Number.POSITIVE_INFINITY))
  }
  const chosen = rows.filter(isWithin).map(({ number }) => number)
  return { chosen, isNewest: chosen.at(-1) === rows.at(-1)?.number }
}

const BATCH =
  'select number::text, tree_size::text, last_xid::text, last_id::text, leaves, frontier, checkpoint from engine.audit_batch'

async function readBatch(engine: Read, number: string): Promise<BatchRow | undefined> {
  return (await engine.db.pool.query<BatchRow>(`${BATCH} where number = $1`, [number])).rows[0]
}

export async function batchBelow(engine: Read, number: string): Promise<BatchRow | undefined> {
  const sql = `${BATCH} where number < $1 order by audit_batch.number desc limit 1`
  return (await engine.db.pool.query<BatchRow>(sql, [number])).rows[0]
}

/** The batch in which an entry must be by its place in the order; undefined while it is not sealed. */
export async function batchOf(engine: Read, entry: Pick<EntryRow, 'xid' | 'id'>): Promise<BatchRow | undefined> {
  const sql = `${BATCH} where (last_xid, last_id) >= ($1::xid8, $2::bigint) order by audit_batch.number limit 1`
  return (await engine.db.pool.query<BatchRow>(sql, [entry.xid, entry.id])).rows[0]
}

async function entriesOf(engine: Read, before: BatchRow | undefined, batch: BatchRow): Promise<EntryRow[]> {
  const { rows } = await engine.db.pool.query<EntryRow>(
    `select ${ENTRY_COLUMNS} from tenant.audit_entry
      where (xid, id) > ($1::xid8, $2::bigint) and (xid, id) <= ($3::xid8, $4::bigint)
      order by audit_entry.xid, audit_entry.id`,
    [before?.last_xid ?? '0', before?.last_id ?? '0', batch.last_xid, batch.last_id],
  )
  return rows
}

async function entriesAfter(engine: Read, last: BatchRow | undefined): Promise<number> {
  const { rows } = await engine.db.pool.query<{ count: string }>(
    'select count(*)::text as count from tenant.audit_entry where (xid, id) > ($1::xid8, $2::bigint)',
    [last?.last_xid ?? '0', last?.last_id ?? '0'],
  )
  return Number(rows[0]?.count)
}
