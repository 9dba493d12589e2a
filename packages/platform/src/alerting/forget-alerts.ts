/** Alerts of who is erased are closed, and limits of their own end; evidence and words are bytes without a key from then on. */
import type { Engine } from '../engine/index.ts'
import type { Forget } from '../subjects/index.ts'
import { closeAlert } from './handling.ts'

export const forgetAlerts =
  (engine: Engine): Forget =>
  (tx, { tenant, subject, at, actor }) =>
    tx.asTenant(tenant, async (inner) => {
      const { rows } = await inner.client.query<{ id: string }>(
        `select id from tenant.alert where tenant_id = $1 and subject_id = $2 and handling <> 'closed' order by id`,
        [tenant, subject],
      )
      for (const { id } of rows) await closeAlert(engine, inner, id, actor)
      await inner.client.query(
        `update tenant.rule_override set ended_at = $3, ended_by = $4
          where tenant_id = $1 and subject_id = $2 and ended_at is null`,
        [tenant, subject, at, actor],
      )
    })
