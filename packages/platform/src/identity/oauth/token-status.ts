/** Introspection (RFC 7662, SMART 2.2) and revocation (RFC 7009), each for the app whose token it is. */
import type { Engine, EngineTx } from '../../engine/index.ts'
import { recordAct } from '../acted-by.ts'
import { sha256 } from '../service-tokens.ts'
import type { App } from './apps.ts'
import { fhirUserOf, type PatientIdOf } from './fhir-user.ts'
import { oauthRefusal } from './oauth-refusal.ts'
import { endGrant } from './tokens.ts'

export interface TokenStatus {
  readonly active: boolean
  readonly scope?: string
  readonly client_id?: string
  readonly token_type?: 'Bearer'
  /** s since epoch */
  readonly exp?: number
  readonly iat?: number
  readonly sub?: string
  readonly iss?: string
  readonly patient?: string
  readonly fhirUser?: string
}

interface Parts {
  readonly engine: Engine
  readonly patientId: PatientIdOf
  /** As routes ask it: also the session is looked at. */
  readonly isGood: (token: string) => Promise<boolean>
}

interface Row {
  readonly kind: 'access' | 'refresh'
  readonly tenant_id: string
  readonly app_id: string
  readonly scopes: string[]
  readonly created_at: Date
  readonly expires_at: Date
  readonly user_id: string | null
  readonly patient_id: string | null
  readonly is_open: boolean
}

const inactive: TokenStatus = { active: false }

/** An app asks about its own tokens only: of others it hears what it hears of nonsense. */
export async function introspect(
  { engine, patientId, isGood }: Parts,
  app: App,
  token: string,
  { issuer, fhirUrl }: { issuer: string; fhirUrl: string },
): Promise<TokenStatus> {
  if (app.kind === 'public')
    throw oauthRefusal('unauthorized_client', 'introspection is for apps that prove themselves')
  const { rows } = await engine.db.pool.query<Row>(
    `select t.kind, t.tenant_id, t.app_id, t.scopes, t.created_at, t.expires_at, g.user_id, g.patient_id,
        t.used_at is null and t.ended_at is null and t.expires_at > $3 and (t.grant_id is null or (g.ended_at is null
          and exists (select from auth.member m
            where m.user_id = g.user_id and m.tenant_id = g.tenant_id and m.ended_at is null))) as is_open
       from auth.app_token t left join auth.app_grant g on g.id = t.grant_id where t.sha256 = $1 and t.app_id = $2`,
    [sha256(token), app.id, new Date(engine.clock.now())],
  )
  const row = rows[0]
  if (row === undefined || !row.is_open) return inactive
  if (row.kind === 'access' && !(await isGood(token))) return inactive
  const { tenant_id: tenant, user_id: user, patient_id: patient, scopes } = row
  return {
    ...{ active: true, scope: scopes.join(' '), client_id: app.id, iss: issuer, sub: user ?? app.id },
    ...(row.kind === 'access' ? { token_type: 'Bearer' as const } : {}),
    ...{ exp: seconds(row.expires_at), iat: seconds(row.created_at) },
    ...(patient === null ? {} : { patient: await patientId(tenant, patient) }),
    ...(user === null || !scopes.includes('fhirUser')
      ? {}
      : { fhirUser: `${fhirUrl}/${await fhirUserOf(engine, patientId, tenant, user)}` }),
  }
}

const seconds = (at: Date): number => Math.floor(at.getTime() / 1000)

/** An access token ends alone, a refresh token ends all that was allowed with it. An unknown one is as good as revoked. */
export function revokeToken(engine: Engine, app: App, token: string, requestId: string): Promise<void> {
  return engine.db.asEngine(async (tx) => {
    const { rows } = await tx.client.query<{ kind: string; grant_id: string | null; user_id: string | null }>(
      `update auth.app_token t set ended_at = coalesce(t.ended_at, $3) where t.sha256 = $1 and t.app_id = $2
        returning t.kind, t.grant_id, (select g.user_id from auth.app_grant g where g.id = t.grant_id) as user_id`,
      [sha256(token), app.id, new Date(engine.clock.now())],
    )
    const row = rows[0]
    if (row === undefined) return
    if (row.kind === 'refresh' && row.grant_id !== null) await endGrant(engine, tx, row.grant_id)
    await tell(tx, app, row.user_id, requestId)
  })
}

async function tell(tx: EngineTx, app: App, user: string | null, requestId: string): Promise<void> {
  const actor = user === null ? `service:${app.id}` : `staff:${user}`
  const act = { tenant: app.tenant, by: { actor, requestId }, action: 'revoke', resource: 'app', id: app.id } as const
  await recordAct(tx, act)
  await tx.publish(app.tenant, { type: 'AccessChanged', principal: user ?? app.id })
}
