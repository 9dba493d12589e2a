/** Frames that were held while a person wore the device that sent them: their bytes may hold that person's values. */
import type { Forget } from '../../subjects/index.ts'

export const forgetFrames: Forget = async (tx, { tenant, subject }) => {
  await tx.asTenant(tenant, (inner) =>
    inner.client.query(
      `delete from tenant.quarantine q using tenant.assignment a
        where q.tenant_id = $1 and a.tenant_id = $1 and a.subject_id = $2 and a.device_id = q.device_id
          and q.received_at >= a.from_at and (a.to_at is null or q.received_at < a.to_at + 86400000)`,
      [tenant, subject],
    ),
  )
}
