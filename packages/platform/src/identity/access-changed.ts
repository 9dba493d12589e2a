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

/**
 * Of somebody who comes to need a second factor and has none here: what began without one ends. It is set up by who has just signed
 * in, never by who finds a desk open. What the identity provider asked a second factor for goes on.
 */
export async function endUnproved(tx: EngineTx, user: string): Promise<void> {
  await tx.client.query(
    `delete from auth.session s where user_id = $1
       and not exists (select from auth.second_factor where user_id = $1 and confirmed_at is not null)
       and not exists (select from auth.passkey where user_id = $1)
       and (second_factor_at is null or not exists (select from auth.sso_session o where o.session_id = s.id))`,
    [user],
  )
}

/** From the next request on they open nothing, anywhere. @param keep the session that goes on; absent: all of the person end */
export async function endSessions(tx: EngineTx, user: string, keep?: string): Promise<void> {
  await tx.client.query('delete from auth.session where user_id = $1 and ($2::uuid is null or id <> $2)', [
    ...[user, keep ?? null],
  ])
  await endAppGrants(tx, user, keep)
  await tellAccessChanged(tx, user)
}

/** Whoever changes a password, or takes a factor on, thinks of somebody who may have had it: what was allowed to apps goes too. */
export async function endAppGrants(tx: Pick<EngineTx, 'client'>, user: string, keep?: string): Promise<void> {
  await tx.client.query(
    `update auth.app_grant set ended_at = now() where user_id = $1 and ended_at is null and ($2::uuid is null or session_id <> $2)`,
    [user, keep ?? null],
  )
}
