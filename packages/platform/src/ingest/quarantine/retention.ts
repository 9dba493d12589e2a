/** Stage `quarantine-retention`: what was set aside stays 30 days, held or settled, and then goes; how much went is said. */
import { sql } from 'kysely'
import { Counter } from 'prom-client'
import type { Engine, Stage } from '../../engine/index.ts'
import type { IngestTables } from '../schema.ts'

const DAY_MS = 86_400_000
const EVERY_MS = 3_600_000
export const QUARANTINE_DAYS = 30

export const quarantineRetentionStage: Stage = {
  name: 'quarantine-retention',
  async start(engine) {
    const gone = new Counter({
      name: 'careloop_quarantine_expired_total',
      help: 'Messages that left quarantine after 30 days without being replayed or dismissed',
      registers: [engine.watch.metrics],
    })
    const look = () =>
      expireQuarantine(engine).then(
        (count) => {
          gone.inc(count)
          if (count > 0) engine.watch.log.warn({ count }, 'messages left quarantine unsettled after 30 days')
        },
        (err: unknown) => engine.watch.log.warn({ err }, 'old quarantine could not be cleared; trying again'),
      )
    void look()
    const stop = engine.clock.every(EVERY_MS, () => void look())
    return async () => stop()
  },
}

/** What a device sent while somebody wore it who is under a legal hold is not let go by age. */
const notHeld = sql<boolean>`not exists (select from tenant.assignment a
  join tenant.legal_hold h on h.subject_id = a.subject_id and h.released_at is null
  where a.device_id = quarantine.device_id and a.superseded_at is null
    and quarantine.received_at >= a.from_at and (a.to_at is null or quarantine.received_at < a.to_at))`

/** @returns how many were still held */
export async function expireQuarantine(engine: Engine): Promise<number> {
  const before = engine.clock.now() - QUARANTINE_DAYS * DAY_MS
  let held = 0
  for (const tenant of await engine.db.tenants())
    await engine.db.asTenant(tenant, async (tx) => {
      const rows = await tx
        .tables<IngestTables>()
        .deleteFrom('quarantine')
        .where(notHeld)
        .where('received_at', '<', before)
        .returning('status')
        .execute()
      held += rows.filter((row) => row.status === 'held').length
    })
  return held
}
