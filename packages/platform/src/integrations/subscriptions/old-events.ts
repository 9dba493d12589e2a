/** Events are kept for a month, for who catches up by `$events`; the numbers go on. */
import type { Engine } from '../../engine/index.ts'

const keptMs = 30 * 86_400_000
const atATime = 5_000

/** @returns how many were let go of */
export async function forgetOldEvents(engine: Engine): Promise<number> {
  const before = engine.clock.now() - keptMs
  let gone = 0
  for (const tenant of await engine.db.tenants())
    for (let more = true; more; ) {
      const deleted = await engine.db.asTenant(tenant, async (tx) => {
        const { rowCount } = await tx.client.query(
          `delete from tenant.subscription_event e using (
             select tenant_id, subscription_id, number from tenant.subscription_event
              where tenant_id = $1 and at < $2 limit $3) old
            where e.tenant_id = old.tenant_id and e.subscription_id = old.subscription_id and e.number = old.number`,
          [tx.tenant, before, atATime],
        )
        return rowCount ?? 0
      })
      gone += deleted
      more = deleted === atATime
    }
  return gone
}
