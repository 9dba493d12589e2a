/**
 * Proof again before a grave act, at the identity provider: for who has its second factor and none here. The provider asks them anew
 * (`prompt=login`, `max_age=0`) and says when it did; what it did earlier, or for somebody else, proves nothing.
 */
import type { DataKey, Engine } from '../engine/index.ts'
import { recordAct } from './acted-by.ts'
import { renewSession } from './proof.ts'
import { readSecondFactor } from './second-factor.ts'
import type { Door } from './sign-in.ts'
import { type Claims, provedAtOf, provesSecondFactor } from './sso-claims.ts'
import { providerOfTenant, type SsoProvider } from './sso-provider.ts'

/** Clocks of the provider and of ours may differ by so much, as for its tokens. */
const skewMs = 60_000

/**
 * @returns the provider at which this session's person can prove themselves; null when it did not begin there, when no second factor of
 *   the provider counts here, or when they have one of ours
 */
export async function proverOf(
  engine: Engine,
  key: DataKey,
  { user, session }: { readonly user: string; readonly session: string },
): Promise<SsoProvider | null> {
  const { rows } = await engine.db.pool.query<{ tenant_id: string; issuer: string }>(
    'select tenant_id, issuer from auth.sso_session where session_id = $1',
    [session],
  )
  if (rows[0] === undefined || (await readSecondFactor(engine, user)).isOn) return null
  const provider = await providerOfTenant(engine, key, rows[0].tenant_id)
  if (provider === null || !provider.isEnabled || provider.issuer !== rows[0].issuer) return null
  return provider.mfaAcr.length + provider.mfaAmr.length === 0 ? null : provider
}

/** What the attempt asks of the provider beyond a sign-in. */
export const askAnew = ({ mfaAcr }: SsoProvider): Record<string, string> => ({
  ...{ prompt: 'login', max_age: '0' },
  ...(mfaAcr.length === 0 ? {} : { acr_values: mfaAcr.join(' ') }),
})

export interface Proving {
  readonly session: string
  /** ms: when they were sent to the provider. */
  readonly begunAt: number
  readonly subject: string
  readonly claims: Claims
}

/** Whose session it is, when what the provider says proves that it is them, just now; else null. */
export async function provenUser(engine: Engine, provider: SsoProvider, proving: Proving): Promise<string | null> {
  const { session, begunAt, subject, claims } = proving
  const provedAt = provedAtOf(claims)
  if (!provesSecondFactor(claims, provider) || provedAt === null || provedAt < begunAt - skewMs) return null
  const { rows } = await engine.db.pool.query<{ user_id: string }>(
    `select s.user_id from auth.session s join auth.sso_session o on o.session_id = s.id
      where s.id = $1 and o.tenant_id = $2 and o.issuer = $3 and o.subject = $4`,
    [session, provider.tenant, provider.issuer, subject],
  )
  return rows[0]?.user_id ?? null
}

/** The session goes on under another token, proved for five minutes. @returns its cookies */
export async function keepProof(
  door: Door,
  { tenant, user, session, requestId }: Readonly<Record<'tenant' | 'user' | 'session' | 'requestId', string>>,
): Promise<readonly string[]> {
  const { engine } = door
  // Sessions that begin at a provider end with the browser.
  const cookies = await renewSession(door, { person: { session }, remember: false }, true)
  await engine.db.asEngine(async (tx) => {
    await tx.client.query(
      'update auth.session set second_factor_at = coalesce(second_factor_at, proved_at) where id = $1',
      [session],
    )
    const by = { actor: `staff:${user}`, requestId }
    await recordAct(tx, { tenant, by, action: 'login', resource: 'second-factor', id: user })
  })
  return cookies
}
