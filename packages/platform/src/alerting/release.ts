/** Nobody is on an alert any more: whoever had acknowledged it gave it back or handed it on. */
import type { Engine, TenantTx } from '../engine/index.ts'
import { alertingFailure } from './errors.ts'
import type { AlertingTables } from './schema.ts'

/** The acknowledgement is void, so escalation goes on. Of one that is new or closed nothing changes. @throws Failure `alert-not-found` */
export async function releaseAlert(engine: Engine, tx: TenantTx, id: string, actor: string): Promise<void> {
  const tables = tx.tables<AlertingTables>()
  const row = await tables.selectFrom('alert').select('handling').where('id', '=', id).forUpdate().executeTakeFirst()
  if (row === undefined) throw alertingFailure('alert-not-found', 'No alert has this id.', { pointer: '/params/id' })
  if (row.handling !== 'acknowledged') return
  const now = engine.clock.now()
  await tables.updateTable('alert').set({ handling: 'new' }).where('id', '=', id).execute()
  await tables
    .insertInto('alert_event')
    .values({
      ...{ alert_id: id, what: 'released', at: now, recorded_at: now, actor },
      ...{ partition: null, position: null, ordinal: null, key_id: null, detail: null },
    })
    .execute()
}
