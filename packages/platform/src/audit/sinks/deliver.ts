/** Brings checkpoints to a sink in their order, each at least once; what it has acknowledged stands in the database. */
import type { Engine } from '../../engine/index.ts'
import type { AuditSink } from './sink.ts'

const BATCHES_AT_A_TIME = 20

/** @returns how many were delivered. @throws what the sink throws; what came before it is kept as delivered */
export async function deliverDue(engine: Pick<Engine, 'db' | 'clock'>, sink: AuditSink): Promise<number> {
  const { pool } = engine.db
  let delivered = 0
  for (;;) {
    const { rows } = await pool.query<{ number: string; checkpoint: string; leaves: Buffer }>(
      `select number::text, checkpoint, leaves from engine.audit_batch
        where number > coalesce((select batch from engine.audit_delivery where sink = $1), -1)
        order by audit_batch.number limit $2`,
      [sink.name, BATCHES_AT_A_TIME],
    )
    for (const { number, checkpoint, leaves } of rows) {
      await sink.deliver({ batch: Number(number), checkpoint, leaves })
      await pool.query(
        `insert into engine.audit_delivery (sink, batch, delivered_at) values ($1, $2, to_timestamp($3 / 1000.0))
         on conflict (sink) do update set batch = excluded.batch, delivered_at = excluded.delivered_at`,
        [sink.name, number, engine.clock.now()],
      )
      delivered += 1
    }
    if (rows.length < BATCHES_AT_A_TIME) return delivered
  }
}
