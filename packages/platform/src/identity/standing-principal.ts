/**
 * Whoever asked for something that goes on without them (a subscription, an export), as they are now: roles that were taken away, a
 * token that was revoked, an app that was switched off count from the next time on.
 */
import type { AnyRole, Scope } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import { common } from './oauth/grantable.ts'
import { parseScope } from './oauth/scopes.ts'
import type { AppGrant, PersonOrService, SmartScope } from './principal.ts'

export interface Standing {
  readonly tenant: string
  /** `staff:<id>` or `service:<id>`. */
  readonly actor: string
  /** In whose name they asked, and for what. */
  readonly app?: AppGrant | undefined
}

type Asked = Pick<Engine, 'db' | 'clock'>

/** Without its reach, which subjects reads. @returns null when they, or their app, have no access any more */
export async function standingPrincipal(engine: Asked, standing: Standing): Promise<PersonOrService | null> {
  const { tenant, actor, app: granted } = standing
  const [kind, id] = actor.split(':', 2)
  if (id === undefined || !/^[0-9a-f-]{36}$/i.test(id)) return null
  const registered = granted === undefined ? undefined : await standingApp(engine, tenant, granted)
  if (registered === null) return null
  const app = registered === undefined || kind !== 'staff' ? registered : await stillAllowed(engine, id, registered)
  if (app === null) return null
  if (kind === 'service') return app === undefined ? standingToken(engine, tenant, id) : backend(tenant, id, app)
  if (kind !== 'staff') return null
  const { rows } = await engine.db.pool.query<{ display_name: string; roles: AnyRole[] }>(
    'select display_name, roles from auth.member where tenant_id = $1 and user_id = $2 and ended_at is null',
    [tenant, id],
  )
  if (rows[0] === undefined) return null
  const { display_name: displayName, roles } = rows[0]
  return { kind, tenant, id, displayName, roles, session: '', ...(app === undefined ? {} : { app }) }
}

async function standingToken(engine: Asked, tenant: string, id: string): Promise<PersonOrService | null> {
  const { rows } = await engine.db.pool.query<{ scopes: Scope[] }>(
    `select scopes from auth.service_token
      where tenant_id = $1 and id = $2 and revoked_at is null and (expires_at is null or expires_at > $3)`,
    [tenant, id, new Date(engine.clock.now())],
  )
  return rows[0] === undefined ? null : { kind: 'service', tenant, id, scopes: rows[0].scopes }
}

/** What its grant narrows; a type it was not granted is refused by the grant. */
const backend = (tenant: string, id: string, app: AppGrant): PersonOrService | null =>
  id === app.client ? { kind: 'service', tenant, id, scopes: ['*:*'], app } : null

/** What it was granted, as far as it is registered for that still. */
async function standingApp(engine: Asked, tenant: string, app: AppGrant): Promise<AppGrant | null> {
  const { rows } = await engine.db.pool.query<{ scopes: string[] }>(
    'select scopes from auth.app where tenant_id = $1 and id = $2 and disabled_at is null',
    [tenant, app.client],
  )
  if (rows[0] === undefined) return null
  const registered = rows[0].scopes.flatMap((text) => parseScope(text) ?? [])
  return { ...app, scopes: narrowedTo(registered, app.scopes) }
}

/** As far as the person allows it still: what they took back is not given again by what they allow the same app later. */
async function stillAllowed(engine: Asked, user: string, app: AppGrant): Promise<AppGrant | null> {
  const { rows } = await engine.db.pool.query<{ scopes: string[] }>(
    `select scopes from auth.app_grant where user_id = $1 and app_id = $2 and patient_id is not distinct from $3
        and ended_at is null and expires_at > $4`,
    [user, app.client, app.patient ?? null, new Date(engine.clock.now())],
  )
  const allowed = rows.flatMap(({ scopes }) => scopes.flatMap((text) => parseScope(text) ?? []))
  const scopes = narrowedTo(allowed, app.scopes)
  return scopes.length === 0 ? null : { ...app, scopes }
}

const narrowedTo = (to: readonly SmartScope[], scopes: readonly SmartScope[]): SmartScope[] =>
  scopes.flatMap((scope) => to.flatMap((each) => common(each, scope) ?? []))
