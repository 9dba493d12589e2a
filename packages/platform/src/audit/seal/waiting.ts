/**
 * Since when entries wait for their seal. A transaction that stays open, in any database of the cluster, keeps the entries of all
 * that began after it waiting; until then they can be changed unseen, so it is signed, measured and told.
 */
import type { EpochMs } from '@careloop/contract'
import type { ClientBase } from 'pg'
import type { EngineTx } from '../../engine/index.ts'
import { type Checkpoint, readCheckpoint } from './checkpoint.ts'

/** What is sealed in time, ms. Also what two clocks may differ by. */
export const WAITING_LATE_MS = 5 * 60_000

const PAGE = 100

/**
 * By what was signed, never by the times of entries that wait: those could still be changed, to cover one that is slipped in.
 * A transaction that runs now and ran when a checkpoint was signed began before it was signed, and after the one before it that
 * has a smaller number than it.
 * @param oldest the oldest running transaction
 * @returns undefined when all that was committed before the last checkpoint is sealed
 */
export async function waitingSince(
  tx: Pick<EngineTx, 'client'>,
  { last, oldest }: { readonly last: Checkpoint | undefined; readonly oldest: bigint },
): Promise<EpochMs | undefined> {
  const isBefore = (note: Checkpoint | undefined) => note?.signedIn === undefined || BigInt(note.signedIn) < oldest
  if (isBefore(last)) return undefined
  for (let below = last!.batch; ; ) {
    const { rows } = await tx.client.query<{ number: string; checkpoint: string }>(
      `select number::text, checkpoint from engine.audit_batch where number < $1 order by audit_batch.number desc limit ${PAGE}`,
      [below],
    )
    const notes = rows.map(({ checkpoint }) => readCheckpoint(checkpoint))
    const before = notes.find(isBefore)
    if (before !== undefined) return before.time
    if (rows.length < PAGE) return notes.at(-1)?.time ?? last!.time
    below = Number(rows.at(-1)!.number)
  }
}

/** When the oldest entry was written that no batch holds, by its own words; null when there is none. @param database pool or connection */
export async function oldestUnsealed(database: Pick<ClientBase, 'query'>): Promise<EpochMs | null> {
  const { rows } = await database.query<{ at: number | null }>(
    `select floor(extract(epoch from min(e.at)) * 1000)::float8 as at
       from (select coalesce(max(number), -1) as number from engine.audit_batch) n
       left join engine.audit_batch b on b.number = n.number
       join tenant.audit_entry e on (e.xid, e.id) > (coalesce(b.last_xid, '0'), coalesce(b.last_id, 0))`,
  )
  return rows[0]?.at ?? null
}
