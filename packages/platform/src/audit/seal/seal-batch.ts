/** Appends what was written since to the tree, and signs: one batch, one checkpoint. */
import type { Engine, EngineTx, Lease } from '../../engine/index.ts'
import { Frontier, leafHash } from '../merkle/tree.ts'
import { canonicalEntry, ENTRY_COLUMNS, type EntryRow } from './canonical-entry.ts'
import { type Checkpoint, linkOf, NO_LINK, readCheckpoint, signCheckpoint } from './checkpoint.ts'
import type { SigningKey } from './signing-key.ts'

export interface SealParts {
  readonly engine: Pick<Engine, 'db' | 'clock'>
  readonly key: SigningKey
  /** One process seals at a time. */
  readonly lease: Pick<Lease, 'assertHeld'>
  /** Entries a batch. Default 20,000. */
  readonly maxEntries?: number
}

export interface Sealed {
  readonly batch: number
  readonly entries: number
  /** More waits than one batch takes. */
  readonly isFull: boolean
  /** Batches that were signed once and are gone from the database. */
  readonly lost: Checkpoint['lost']
}

interface Last {
  readonly number: number
  readonly tree_size: number
  readonly last_xid: string
  readonly last_id: string
  readonly frontier: Buffer
  readonly checkpoint: string
}

/** Seals also when nothing came: a checkpoint tells that nothing did. @throws Failure `lease-lost` */
export async function sealBatch(parts: SealParts): Promise<Sealed> {
  const { engine, key, lease, maxEntries = 20_000 } = parts
  const sealed = await engine.db.asEngine(async (tx) => {
    await lease.assertHeld(tx)
    const last = await lastBatch(tx)
    const rows = await entriesAfter(tx, last, maxEntries)
    const frontier = new Frontier(last?.tree_size ?? 0, last?.frontier)
    const leaves = rows.map((row) => leafHash(canonicalEntry(row)))
    for (const leaf of leaves) frontier.append(leaf)
    const { signer, nextKey, number, lost } = await turnOf(key, last)
    const note = signCheckpoint(signer, {
      ...{ size: frontier.size, root: frontier.root(), batch: number, time: engine.clock.now() },
      previous: last === undefined ? NO_LINK : linkOf(last.checkpoint),
      ...(nextKey === undefined ? {} : { nextKey }),
      ...(lost === undefined ? {} : { lost }),
    })
    await insertBatch(tx, { number, last, rows, leaves, frontier, note })
    return { batch: number, entries: rows.length, isFull: rows.length === maxEntries, lost, link: linkOf(note) }
  })
  await key.remember({ batch: sealed.batch, link: sealed.link })
  return sealed
}

export async function lastBatch(tx: Pick<EngineTx, 'client'>): Promise<Last | undefined> {
  const { rows } = await tx.client.query<Omit<Last, 'number' | 'tree_size'> & { number: string; tree_size: string }>(
    `select number::text, tree_size::text, last_xid::text, last_id::text, frontier, checkpoint
       from engine.audit_batch order by audit_batch.number desc limit 1`,
  )
  return rows[0] && { ...rows[0], number: Number(rows[0].number), tree_size: Number(rows[0].tree_size) }
}

/** Committed entries in (xid, id) order, below what any running transaction may still write. */
async function entriesAfter(tx: EngineTx, last: Last | undefined, max: number): Promise<EntryRow[]> {
  const { rows } = await tx.client.query<EntryRow>(
    `select ${ENTRY_COLUMNS} from tenant.audit_entry
      where (xid, id) > ($1::xid8, $2::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot())
      order by audit_entry.xid, audit_entry.id limit $3`,
    [last?.last_xid ?? '0', last?.last_id ?? '0', max],
  )
  return rows
}

/** Whose signature it is, and which number: a number that was signed once is never signed again for something else. */
async function turnOf(key: SigningKey, last: Last | undefined) {
  const announced = last === undefined ? undefined : readCheckpoint(last.checkpoint)?.nextKey
  let now = await key.read()
  if (now.next !== undefined && announced === now.next.verifierKey) {
    await key.promote()
    now = await key.read()
  }
  const expected = last === undefined ? 0 : last.number + 1
  const signed = now.last?.batch ?? -1
  const lost = signed >= expected ? { first: expected, last: signed } : undefined
  return {
    ...{ signer: now.signer, nextKey: now.next?.verifierKey, lost },
    number: Math.max(expected, signed + 1),
  }
}

async function insertBatch(
  tx: EngineTx,
  made: {
    readonly number: number
    readonly last: Last | undefined
    readonly rows: readonly EntryRow[]
    readonly leaves: readonly Buffer[]
    readonly frontier: Frontier
    readonly note: string
  },
): Promise<void> {
  const newest = made.rows.at(-1)
  await tx.client.query(
    `insert into engine.audit_batch (number, entries, tree_size, last_xid, last_id, leaves, frontier, checkpoint)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      ...[made.number, made.rows.length, made.frontier.size],
      ...[newest?.xid ?? made.last?.last_xid ?? '0', newest?.id ?? made.last?.last_id ?? '0'],
      ...[Buffer.concat(made.leaves), made.frontier.bytes(), made.note],
    ],
  )
}
