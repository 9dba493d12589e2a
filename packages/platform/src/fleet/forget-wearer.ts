/** Devices come off who is erased; why a history of theirs was corrected was said in free text, and goes. */
import type { Engine } from '../engine/index.ts'
import type { Forget } from '../subjects/index.ts'
import { takeOffWithin } from './assignments.ts'

export const forgetWearer =
  (engine: Engine): Forget =>
  (tx, { tenant, subject, at, actor, requestId }) =>
    tx.asTenant(tenant, async (inner) => {
      const { rows } = await inner.client.query<{ device_id: string }>(
        `select distinct device_id from tenant.assignment
          where tenant_id = $1 and subject_id = $2 and superseded_at is null and to_at is null
          order by device_id`,
        [tenant, subject],
      )
      const by = { tenant, actor, ...(requestId === undefined ? {} : { requestId }) }
      for (const { device_id } of rows) await takeOffWithin(engine, inner, by, { device: device_id, subject, to: at })
      await inner.client.query(
        `update tenant.assignment set superseded_reason = null
          where tenant_id = $1 and subject_id = $2 and superseded_reason is not null`,
        [tenant, subject],
      )
    })
