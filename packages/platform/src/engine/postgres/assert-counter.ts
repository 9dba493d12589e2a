/** Whether the database still lies in the server whose transactions it counts by, or in one that counts from lower on. */
import type { ClientBase } from 'pg'
import { engineFailure } from '../errors.ts'

/**
 * Facts, the audit trail and destroyed keys are read in the order of their transactions. A dump brought back into a new server counts
 * from low again: nothing new would be heard or sealed, and nobody would be told.
 * `engine.audit_batch` is not asked: its entries tell the same, and a number that somebody writes there must not keep a server shut.
 * @throws Failure `database-moved` (503)
 */
export async function assertCounter(client: Pick<ClientBase, 'query'>): Promise<void> {
  const { rows } = await client.query<{ now: string; known: string; place: string }>(
    `select pg_current_xact_id()::text as now, known::text, place from (
       (select xid as known, 'tenant.audit_entry' as place from tenant.audit_entry order by audit_entry.xid desc limit 1)
       union all (select xid, 'engine.fact' from engine.fact order by fact.xid desc limit 1)
       union all (select destroyed_xid, 'engine.data_key' from engine.data_key where destroyed_xid is not null
                   order by destroyed_xid desc limit 1)
       union all (select split_part(position, ':', 1)::xid8, 'engine.cursor ' || name from engine.cursor where position ~ '^[0-9]+:[0-9]+$')
     ) as places order by places.known desc limit 1`,
  )
  const [newest] = rows
  if (newest === undefined || BigInt(newest.known) <= BigInt(newest.now)) return
  throw engineFailure(
    'database-moved',
    `This database was brought into another server: ${newest.place} knows transaction ${newest.known}, and the server is at ${newest.now}. ` +
      `What is new would not be heard. Stop PostgreSQL, run: pg_resetwal -e ${epochBeyond(newest.known)} -D <its data directory>, start it. See docs/backup.md.`,
  )
}

/** The upper 32 bits of the count: with the next epoch every transaction is larger, and nothing in the files depends on it. */
const epochBeyond = (xid: string): bigint => (BigInt(xid) >> 32n) + 1n
