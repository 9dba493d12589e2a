/** What lies in the compartment of who is erased is deleted: every version, and what it was found by. */
import type { Forget } from '../subjects/index.ts'

/** Rows a statement: a person of years has tens of thousands of resources, each with some twenty keys. */
const some = 2_000

export const forgetClinical: Forget = (tx, { tenant, subject }) =>
  tx.asTenant(tenant, async ({ client }) => {
    for (;;) {
      const { rowCount } = await client.query(
        `with gone as (
           delete from tenant.clinical_resource where tenant_id = $1 and rid in (
             select rid from tenant.clinical_resource where tenant_id = $1 and subject_id = $2 limit $3)
           returning rid, seq, at, keys),
         unfound as (
           delete from tenant.clinical_key k using gone g cross join lateral unnest(g.keys) as d(key)
            where k.tenant_id = $1 and k.key = d.key and k.at = g.at and k.seq = g.seq)
         select rid from gone`,
        [tenant, subject, some],
      )
      if ((rowCount ?? 0) < some) break
    }
    await client.query('delete from tenant.clinical_window where tenant_id = $1 and subject_id = $2', [tenant, subject])
    // Also of what was theirs by mistake, and is another's now.
    await client.query('delete from tenant.clinical_history where tenant_id = $1 and subject_id = $2', [
      tenant,
      subject,
    ])
  })
