/** What a person allowed to which app, and taking it back. */
import type { OwnAppGrant } from '@careloop/contract'
import type { Engine } from '../../engine/index.ts'
import { type ActedBy, recordAct } from '../acted-by.ts'
import { fail } from '../errors.ts'
import type { StaffPrincipal } from '../principal.ts'
import { endGrant } from './tokens.ts'

/** What is good now: of those for the time of a session, while that lasts. Newest first. */
export async function listOwnGrants(engine: Engine, person: StaffPrincipal): Promise<OwnAppGrant[]> {
  const { rows } = await engine.db.pool.query<GrantRow>(
    `select g.id, g.app_id, a.name, g.scopes, g.patient_id, g.is_offline, g.created_at, g.expires_at
       from auth.app_grant g join auth.app a on a.id = g.app_id
      where g.user_id = $1 and g.tenant_id = $2 and g.ended_at is null and g.expires_at > $3
        and (g.is_offline or exists (select from auth.session s where s.id = g.session_id and s.ends_at > $3))
      order by g.created_at desc, g.id`,
    [person.id, person.tenant, new Date(engine.clock.now())],
  )
  return rows.map((row) => ({
    ...{ id: row.id, app: { id: row.app_id, name: row.name }, scopes: row.scopes, subject: row.patient_id },
    ...{ isOffline: row.is_offline, createdAt: row.created_at.getTime(), expiresAt: row.expires_at.getTime() },
  }))
}

/** From the next request on the app opens nothing by it. @throws Failure `app-grant-not-found` */
export async function revokeOwnGrant(engine: Engine, person: StaffPrincipal, id: string, by: ActedBy): Promise<void> {
  await engine.db.asEngine(async (tx) => {
    const { rows } = await tx.client.query<{ app_id: string; patient_id: string | null }>(
      'select app_id, patient_id from auth.app_grant where id = $1 and user_id = $2 and tenant_id = $3 for update',
      [id, person.id, person.tenant],
    )
    const row = rows[0]
    if (row === undefined || !(await endGrant(engine, tx, id)))
      throw fail('app-grant-not-found', 'You allow this to no app, or not any more.', { pointer: '/params/id' })
    const act = { tenant: person.tenant, by, action: 'revoke', resource: 'app', id: row.app_id } as const
    await recordAct(tx, row.patient_id === null ? act : { ...act, subject: row.patient_id })
    await tx.publish(person.tenant, { type: 'AccessChanged', principal: person.id })
  })
}

interface GrantRow {
  readonly id: string
  readonly app_id: string
  readonly name: string
  readonly scopes: string[]
  readonly patient_id: string | null
  readonly is_offline: boolean
  readonly created_at: Date
  readonly expires_at: Date
}
