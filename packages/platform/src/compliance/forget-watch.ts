/** Nobody looks after the record of who is erased any more, and why it was watched is free text about them. */
import type { Forget } from '../subjects/index.ts'

export const forgetWatch: Forget = (tx, { tenant, subject }) =>
  tx.asTenant(tenant, async (inner) => {
    await inner.client.query('delete from tenant.watched_record where tenant_id = $1 and subject_id = $2', [
      ...[tenant, subject],
    ])
  })
