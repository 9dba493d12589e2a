/** Of who is erased the events keep their number, so that no gap is seen, and point to nothing. */
import type { Forget } from '../../subjects/index.ts'

export const forgetSubscriptions: Forget = (tx, { tenant, subject }) =>
  tx.asTenant(tenant, async ({ client }) => {
    await client.query(
      'update tenant.subscription_event set rid = null, subject_id = null where tenant_id = $1 and subject_id = $2',
      [tenant, subject],
    )
  })
