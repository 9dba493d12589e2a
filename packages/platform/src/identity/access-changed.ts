/**
 * Ends sessions, and tells every process at once that somebody's access changed: a live page does not outlive what opened it, on
 * whichever server it is shown.
 */
import type { EngineTx } from '../engine/index.ts'

/** Of a person in every organisation that they are or were in: who has just left hears of it too. */
export async function tellAccessChanged(tx: EngineTx, user: string): Promise<void> {
  const { rows } = await tx.client.query<{ tenant_id: string }>(
    'select tenant_id from auth.member where user_id = $1 order by tenant_id',
    [user],
  )
  for (const { tenant_id: tenant } of rows) await tx.publish(tenant, { type: 'AccessChanged', principal: user })
}

/** From the next request on they open nothing, anywhere. @param keep the session that goes on; absent: all of the person end */
export async function endSessions(tx: EngineTx, user: string, keep?: string): Promise<void> {
  await tx.client.query('delete from auth.session where user_id = $1 and ($2::uuid is null or id <> $2)', [
    ...[user, keep ?? null],
  ])
  await tellAccessChanged(tx, user)
}
