/** Sign-out at the identity provider: from here (RP-initiated) and from there (back-channel, OpenID Connect Back-Channel Logout 1.0). */
import { jwtVerify } from 'jose'
import { buildEndSessionUrl } from 'openid-client'
import { z } from 'zod'
import type { DataKey, Engine } from '../engine/index.ts'
import { tellAccessChanged } from './access-changed.ts'
import { recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import { sha256 } from './service-tokens.ts'
import type { SsoClient } from './sso-client.ts'
import { providerOfTenant, type SsoProvider } from './sso-provider.ts'

interface Parts {
  readonly engine: Engine
  readonly key: DataKey
  readonly clientOf: (provider: SsoProvider) => Promise<SsoClient>
}

/** @returns null when this session did not begin at a provider, or the provider knows no sign-out */
export async function leaveUrl(
  { engine, key, clientOf }: Parts,
  session: string,
  origin: string,
): Promise<string | null> {
  const { rows } = await engine.db.pool.query<{ tenant_id: string; issuer: string; id_token: Buffer }>(
    'select tenant_id, issuer, id_token from auth.sso_session where session_id = $1',
    [session],
  )
  if (rows[0] === undefined) return null
  const provider = await providerOfTenant(engine, key, rows[0].tenant_id)
  if (provider === null || provider.issuer !== rows[0].issuer) return null
  const { configuration } = await clientOf(provider)
  if (configuration.serverMetadata().end_session_endpoint === undefined) return null
  const hint = key.open(rows[0].id_token, `auth.sso_session ${session}`).toString()
  const url = buildEndSessionUrl(configuration, {
    id_token_hint: hint,
    post_logout_redirect_uri: `${origin}/sign-in`,
  })
  return /^https?:$/.test(url.protocol) ? url.href : null
}

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
/** Those with a public key; never `none`, never one that is signed with what both know. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const maxAgeSeconds = 120

const LogoutClaims = z
  .object({
    jti: z.string().min(1).max(500),
    sub: z.string().max(500).optional(),
    sid: z.string().max(500).optional(),
    events: z.object({ [logoutEvent]: z.object({}) }),
    nonce: z.undefined().optional(),
  })
  .refine(({ sub, sid }) => sub !== undefined || sid !== undefined)

/** @throws Failure `logout-token-refused`, `identity-provider-unreachable` */
export async function endByLogoutToken(
  { engine, clientOf }: Parts,
  provider: SsoProvider,
  token: string,
): Promise<void> {
  const { keys } = await clientOf(provider)
  const now = engine.clock.now()
  const { payload } = await jwtVerify(token, keys, {
    ...{ issuer: provider.issuer, audience: provider.clientId, algorithms, currentDate: new Date(now) },
    ...{ clockTolerance: 60, maxTokenAge: maxAgeSeconds, requiredClaims: ['iat', 'jti'] },
  }).catch(() => {
    throw refused()
  })
  const claims = LogoutClaims.safeParse(payload)
  if (!claims.success) throw refused()
  const { jti, sub, sid } = claims.data
  await engine.db.asEngine(async (tx) => {
    const { client } = tx
    await client.query('delete from auth.sso_logout_token where expires_at <= $1', [new Date(now)])
    const taken = await client.query('insert into auth.sso_logout_token values ($1, $2) on conflict do nothing', [
      ...[sha256(`${provider.id} ${jti}`), new Date(now + 3_600_000)],
    ])
    if (taken.rowCount !== 1) throw refused()
    const { rows } = await client.query<{ id: string; user_id: string }>(
      `delete from auth.session s using auth.sso_session o
        where o.session_id = s.id and o.tenant_id = $1 and o.issuer = $2
          and ($3::text is null or o.subject = $3) and ($4::text is null or o.sid = $4) returning s.id, s.user_id`,
      [provider.tenant, provider.issuer, sub ?? null, sid ?? null],
    )
    // Who stands between the provider and our own second factor has no session yet: they begin anew.
    await client.query(
      `delete from auth.challenge where sso_tenant_id = $1 and sso_issuer = $2
          and ($3::text is null or sso_subject = $3) and ($4::text is null or sso_sid = $4)`,
      [provider.tenant, provider.issuer, sub ?? null, sid ?? null],
    )
    const by = { actor: 'system:identity-provider' }
    for (const { id } of rows)
      await recordAct(tx, { tenant: provider.tenant, by, action: 'revoke', resource: 'session', id })
    for (const user of new Set(rows.map(({ user_id }) => user_id))) await tellAccessChanged(tx, user)
  })
}

const refused = () => fail('logout-token-refused', 'This logout token is not good here.')
