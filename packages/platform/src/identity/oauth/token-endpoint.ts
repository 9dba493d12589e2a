/** The token endpoint: a code, a refresh token or an app's own word against tokens. Each exchange is one transaction with its entry. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { DataKey, Engine, EngineTx } from '../../engine/index.ts'
import { recordAct } from '../acted-by.ts'
import { sha256 } from '../service-tokens.ts'
import type { App } from './apps.ts'
import { nonceAad } from './authorize.ts'
import { fhirUserOf, type PatientIdOf } from './fhir-user.ts'
import { grantable, lessOf } from './grantable.ts'
import type { IdTokens } from './id-token.ts'
import { OAuthRefusal, oauthRefusal } from './oauth-refusal.ts'
import { accessMs, backendAccessMs, endGrant, issueToken, sweepTokens } from './tokens.ts'

export interface TokenParts {
  readonly engine: Engine
  readonly key: DataKey
  readonly idTokens: IdTokens
  readonly patientId: PatientIdOf
}

/** RFC 6749, 5.1, with SMART's own fields. */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly scope: string
  readonly refresh_token?: string
  readonly id_token?: string
  readonly patient?: string
}

export interface Exchange {
  readonly form: ReadonlyMap<string, string>
  readonly issuer: string
  readonly fhirUrl: string
  readonly requestId: string
}

/** @param app that has proved who it is. @throws OAuthRefusal */
export function exchangeToken(parts: TokenParts, app: App, exchange: Exchange): Promise<TokenResponse> {
  const type = exchange.form.get('grant_type')
  if (type === 'authorization_code') return byCode(parts, app, exchange)
  if (type === 'refresh_token') return byRefresh(parts, app, exchange)
  if (type === 'client_credentials') return byItself(parts, app, exchange)
  throw oauthRefusal('unsupported_grant_type', 'authorization_code, refresh_token or client_credentials')
}

interface GrantRow {
  readonly id: string
  readonly tenant_id: string
  readonly app_id: string
  readonly user_id: string
  readonly patient_id: string | null
  readonly scopes: string[]
  readonly is_offline: boolean
  readonly auth_time: Date
  readonly expires_at: Date
  readonly ended_at: Date | null
  /** Of an online grant: its session is there. */
  readonly is_live: boolean
}

const GRANT = `g.id, g.tenant_id, g.app_id, g.user_id, g.patient_id, g.scopes, g.is_offline, g.auth_time, g.expires_at, g.ended_at,
  exists (select from auth.member m where m.user_id = g.user_id and m.tenant_id = g.tenant_id and m.ended_at is null)
    and (g.is_offline or exists (select from auth.session s where s.id = g.session_id and s.ends_at > $2)) as is_live`

interface CodeRow extends GrantRow {
  readonly redirect_uri: string
  readonly challenge: string
  readonly nonce: Buffer | null
  readonly code_expires_at: Date
  readonly used_at: Date | null
}

async function byCode(parts: TokenParts, app: App, exchange: Exchange): Promise<TokenResponse> {
  const { engine } = parts
  const { form } = exchange
  const code = form.get('code') ?? ''
  return settled(parts, exchange, async (tx) => {
    const now = new Date(engine.clock.now())
    const { rows } = await tx.client.query<CodeRow>(
      `select c.redirect_uri, c.challenge, c.nonce, c.expires_at as code_expires_at, c.used_at, ${GRANT}
         from auth.app_code c join auth.app_grant g on g.id = c.grant_id where c.sha256 = $1 for update of c, g`,
      [sha256(code), now],
    )
    const row = rows[0]
    if (row === undefined || row.app_id !== app.id) return refusedGrant('this code is unknown')
    if (row.used_at !== null) return theft(parts, tx, app, row, exchange)
    await tx.client.query('update auth.app_code set used_at = $2 where sha256 = $1', [sha256(code), now])
    if (row.code_expires_at <= now) return refusedGrant('this code has expired')
    if (form.get('redirect_uri') !== row.redirect_uri) return refusedGrant('redirect_uri is not the one of the request')
    if (!isVerifier(form.get('code_verifier'), row.challenge)) return refusedGrant('code_verifier does not fit')
    if (!isGood(engine, row)) return refusedGrant('what was allowed has ended')
    return give(parts, tx, row, exchange, { scopes: leftOf(app, row.scopes), nonce: row.nonce })
  })
}

async function byRefresh(parts: TokenParts, app: App, exchange: Exchange): Promise<TokenResponse> {
  const { engine } = parts
  const shown = sha256(exchange.form.get('refresh_token') ?? '')
  return settled(parts, exchange, async (tx) => {
    const now = new Date(engine.clock.now())
    const { rows } = await tx.client.query<GrantRow & { used_at: Date | null; given: string[] }>(
      `select t.used_at, t.scopes as given, ${GRANT} from auth.app_token t join auth.app_grant g on g.id = t.grant_id
        where t.sha256 = $1 and t.kind = 'refresh' and t.expires_at > $2 for update of t, g`,
      [shown, now],
    )
    const row = rows[0]
    if (row === undefined || row.app_id !== app.id) return refusedGrant('this refresh token is unknown')
    if (row.used_at !== null) return theft(parts, tx, app, row, exchange)
    if (!isGood(engine, row)) return refusedGrant('what was allowed has ended')
    const asked = exchange.form.get('scope')
    const given = leftOf(app, row.given)
    const scopes = asked === undefined ? given : lessOf(asked, given)
    if (scopes === null) return oauthRefusal('invalid_scope', 'a refresh can ask for less, not for more')
    await tx.client.query('update auth.app_token set used_at = $2 where sha256 = $1', [shown, now])
    return give(parts, tx, row, exchange, { scopes, nonce: null })
  })
}

/** Backend services: an app by itself, by its own key only. */
async function byItself(parts: TokenParts, app: App, exchange: Exchange): Promise<TokenResponse> {
  const { engine } = parts
  if (app.kind !== 'asymmetric')
    throw oauthRefusal('unauthorized_client', 'client_credentials are for apps that prove themselves by their own key')
  const scopes = grantable(exchange.form.get('scope') ?? '', app.scopes, 'system')
  if (scopes.length === 0) throw oauthRefusal('invalid_scope', 'nothing of it was allowed to this client')
  return engine.db.asEngine(async (tx) => {
    await sweepTokens(engine, tx, app.id)
    const expiresAt = engine.clock.now() + backendAccessMs
    const of = { tenant: app.tenant, app: app.id, grant: null, scopes, expiresAt }
    const access_token = await issueToken(engine, tx, { kind: 'access', ...of })
    const by = { actor: `service:${app.id}`, requestId: exchange.requestId }
    await recordAct(tx, { tenant: app.tenant, by, action: 'login', resource: 'app', id: app.id })
    return { access_token, token_type: 'Bearer', expires_in: backendAccessMs / 1000, scope: scopes.join(' ') }
  })
}

/**
 * What is written of a refusal stays written: the transaction ends before the refusal is thrown. Names and the id_token are read and made
 * after it: they ask the database for connections of their own.
 */
async function settled(
  parts: TokenParts,
  exchange: Exchange,
  act: (tx: EngineTx) => Promise<Given | OAuthRefusal>,
): Promise<TokenResponse> {
  const given = await parts.engine.db.asEngine(act)
  if (given instanceof OAuthRefusal) throw given
  const { grant, tokens } = given
  const { patient_id: patient, tenant_id: tenant } = grant
  const id_token = tokens.scopes.includes('openid') ? await idTokenOf(parts, given, exchange) : undefined
  return {
    ...{
      access_token: tokens.access,
      token_type: 'Bearer',
      expires_in: tokens.seconds,
      scope: tokens.scopes.join(' '),
    },
    ...(tokens.refresh === undefined ? {} : { refresh_token: tokens.refresh }),
    ...(id_token === undefined ? {} : { id_token }),
    ...(patient === null ? {} : { patient: await parts.patientId(tenant, patient) }),
  }
}

async function idTokenOf(
  { engine, patientId, idTokens, key }: TokenParts,
  { grant, tokens, nonce }: Given,
  exchange: Exchange,
) {
  const { tenant_id: tenant, user_id: user } = grant
  return idTokens.sign({
    ...{ issuer: exchange.issuer, client: grant.app_id, user, authTime: grant.auth_time.getTime() },
    fhirUser: tokens.scopes.includes('fhirUser')
      ? `${exchange.fhirUrl}/${await fhirUserOf(engine, patientId, tenant, user)}`
      : undefined,
    nonce: nonce === null ? undefined : key.open(nonce, nonceAad(grant.id)).toString(),
  })
}

const refusedGrant = (description: string) => oauthRefusal('invalid_grant', description)

/** A code or refresh token that comes a second time is in two hands: whichever is the thief's, all of it ends. */
async function theft({ engine }: TokenParts, tx: EngineTx, app: App, { id, user_id }: GrantRow, exchange: Exchange) {
  await endGrant(engine, tx, id)
  const by = { actor: `staff:${user_id}`, requestId: exchange.requestId }
  await recordAct(tx, { tenant: app.tenant, by, action: 'denied', resource: 'app', id: app.id, outcome: 'denied' })
  await tx.publish(app.tenant, { type: 'AccessChanged', principal: user_id })
  return refusedGrant('it was used before: everything given for it has ended')
}

const isGood = ({ clock }: Engine, row: GrantRow): boolean =>
  row.ended_at === null && row.expires_at.getTime() > clock.now() && row.is_live

/** RFC 7636, 4.6. */
function isVerifier(verifier: string | undefined, challenge: string): boolean {
  if (verifier === undefined || !/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) return false
  const made = createHash('sha256').update(verifier).digest()
  const known = Buffer.from(challenge, 'base64url')
  return made.length === known.length && timingSafeEqual(made, known)
}

/** Of what a person allowed, what the app is still registered for. */
const leftOf = (app: App, scopes: readonly string[]): string[] => grantable(scopes.join(' '), app.scopes, 'staff')

interface Given {
  readonly grant: GrantRow
  readonly tokens: {
    readonly access: string
    readonly refresh: string | undefined
    readonly scopes: readonly string[]
    readonly seconds: number
  }
  /** Sealed. */
  readonly nonce: Buffer | null
}

async function give(
  { engine }: TokenParts,
  tx: EngineTx,
  grant: GrantRow,
  exchange: Exchange,
  { scopes, nonce }: { readonly scopes: readonly string[]; readonly nonce: Buffer | null },
): Promise<Given> {
  const { tenant_id: tenant, app_id: app, user_id: user, patient_id: patient } = grant
  await sweepTokens(engine, tx, app)
  const [now, ends] = [engine.clock.now(), grant.expires_at.getTime()]
  const expiresAt = Math.min(now + accessMs, ends)
  const of = { tenant, app, grant: grant.id, scopes }
  const access = await issueToken(engine, tx, { ...of, kind: 'access', expiresAt })
  const refresh = grant.is_offline
    ? await issueToken(engine, tx, { ...of, scopes: grant.scopes, kind: 'refresh', expiresAt: ends })
    : undefined
  const act = { tenant, by: { actor: `staff:${user}`, requestId: exchange.requestId }, action: 'login' } as const
  await recordAct(tx, { ...act, resource: 'app', id: app, ...(patient === null ? {} : { subject: patient }) })
  return { grant, tokens: { access, refresh, scopes, seconds: Math.floor((expiresAt - now) / 1000) }, nonce }
}
