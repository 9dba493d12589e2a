/** Appends what was written since to the tree, and signs: one batch, one checkpoint. */
import { setImmediate } from 'node:timers/promises'
import type { Engine, EngineTx, Lease } from '../../engine/index.ts'
import { auditFailure } from '../errors.ts'
import { Frontier, leafHash } from '../merkle/tree.ts'
import { canonicalEntry, ENTRY_COLUMNS, type EntryRow } from './canonical-entry.ts'
import { type Checkpoint, linkOf, NO_LINK, openCheckpoint, readCheckpoint, signCheckpoint } from './checkpoint.ts'
import { assertUncut, type LastBatch, lastBatch } from './last-batch.ts'
import type { Signer } from './note.ts'
import type { SigningKey } from './signing-key.ts'
import { waitingSince } from './waiting.ts'

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

/**
 * Seals also when nothing came: a checkpoint tells that nothing did.
 * @throws Failure `lease-lost`; `audit-key-foreign`, `audit-trail-cut`: nothing is signed on top of what is not ours
 */
export async function sealBatch(parts: SealParts): Promise<Sealed> {
  const { engine, key, lease, maxEntries = 20_000 } = parts
  const sealed = await engine.db.asEngine(async (tx) => {
    await lease.assertHeld(tx)
    const last = await lastBatch(tx)
    const { signer, nextKey, number, lost, keyLost, before } = await turnOf(tx, key, last)
    const { oldest, own } = await transactions(tx)
    const rows = await entriesAfter(tx, last, { oldest, max: maxEntries })
    const isFull = rows.length === maxEntries
    const frontier = new Frontier(last?.tree_size ?? 0, last?.frontier)
    const leaves = await leavesOf(rows)
    for (const leaf of leaves) frontier.append(leaf)
    const waiting = isFull ? (before?.waiting ?? before?.time ?? 0) : await waitingSince(tx, { last: before, oldest })
    const through = throughOf(last, rows)
    const note = signCheckpoint(signer, {
      ...{ size: frontier.size, root: frontier.root(), batch: number, time: engine.clock.now() },
      ...{ previous: last === undefined ? NO_LINK : linkOf(last.checkpoint), through, signedIn: String(own) },
      ...(nextKey === undefined ? {} : { nextKey }),
      ...(lost === undefined ? {} : { lost }),
      ...(waiting === undefined ? {} : { waiting }),
      ...(keyLost === undefined ? {} : { keyLost }),
    })
    await insertBatch(tx, { number, through, leaves, frontier, note })
    const tree = { ...through, size: frontier.size }
    return { batch: number, entries: rows.length, isFull, lost, link: linkOf(note), tree }
  })
  await key.remember({ batch: sealed.batch, link: sealed.link, tree: sealed.tree })
  return sealed
}

const throughOf = (last: LastBatch | undefined, rows: readonly EntryRow[]) => {
  const newest = rows.at(-1)
  return { xid: newest?.xid ?? last?.last_xid ?? '0', id: newest?.id ?? last?.last_id ?? '0' }
}

/** The oldest that runs, and this one. */
async function transactions(tx: EngineTx): Promise<{ oldest: bigint; own: bigint }> {
  const { rows } = await tx.client.query<{ own: string; oldest: string }>(
    'select pg_current_xact_id()::text as own, pg_snapshot_xmin(pg_current_snapshot())::text as oldest',
  )
  return { oldest: BigInt(rows[0]!.oldest), own: BigInt(rows[0]!.own) }
}

/** Committed entries in (xid, id) order, below what any running transaction may still write. */
async function entriesAfter(
  tx: EngineTx,
  last: LastBatch | undefined,
  { oldest, max }: { oldest: bigint; max: number },
): Promise<EntryRow[]> {
  const { rows } = await tx.client.query<EntryRow>(
    `select ${ENTRY_COLUMNS} from tenant.audit_entry
      where (xid, id) > ($1::xid8, $2::bigint) and xid < $4::xid8
      order by audit_entry.xid, audit_entry.id limit $3`,
    [last?.last_xid ?? '0', last?.last_id ?? '0', max, String(oldest)],
  )
  return rows
}

const HASHES_AT_A_TIME = 2_000

/** Requests and alerts are served between: twenty thousand at once take longer than an alert may. */
async function leavesOf(rows: readonly EntryRow[]): Promise<Buffer[]> {
  const leaves: Buffer[] = []
  for (const row of rows) {
    leaves.push(leafHash(canonicalEntry(row)))
    if (leaves.length % HASHES_AT_A_TIME === 0) await setImmediate()
  }
  return leaves
}

/** Whose signature it is, and which number: a number that was signed once is never signed again for something else. */
async function turnOf(tx: EngineTx, key: SigningKey, last: LastBatch | undefined) {
  let now = await key.read()
  const before = await assertUncut(tx, last, now.last)
  if (now.next !== undefined && before?.nextKey === now.next.verifierKey) {
    await key.promote()
    now = await key.read()
  }
  const expected = last === undefined ? 0 : last.number + 1
  const signed = now.last?.batch ?? -1
  const lost = signed >= expected ? { first: expected, last: signed } : undefined
  // What a restore brings back may have been signed by a key of before.
  if (last !== undefined && lost === undefined && now.anew === undefined) assertOwn(last, now.signer)
  return {
    ...{ signer: now.signer, nextKey: now.next?.verifierKey, lost, before },
    keyLost: now.anew === undefined ? undefined : { key: now.signer.verifierKey, reason: now.anew },
    number: Math.max(expected, signed + 1),
  }
}

/** Another machine may have rotated the key: what an old copy signs from then on nobody can tell from a forgery. */
function assertOwn({ checkpoint, number }: LastBatch, { verifierKey }: Signer): void {
  if (openCheckpoint(checkpoint, verifierKey) !== undefined) return
  if (readCheckpoint(checkpoint)?.nextKey === verifierKey) return
  throw auditFailure(
    'audit-key-foreign',
    `Batch ${number} was signed by another key than this machine's. Put the newest audit key file here.`,
  )
}

async function insertBatch(
  tx: EngineTx,
  made: {
    readonly number: number
    readonly through: { readonly xid: string; readonly id: string }
    readonly leaves: readonly Buffer[]
    readonly frontier: Frontier
    readonly note: string
  },
): Promise<void> {
  await tx.client.query(
    `insert into engine.audit_batch (number, entries, tree_size, last_xid, last_id, leaves, frontier, checkpoint)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      ...[made.number, made.leaves.length, made.frontier.size, made.through.xid, made.through.id],
      ...[Buffer.concat(made.leaves), made.frontier.bytes(), made.note],
    ],
  )
}
