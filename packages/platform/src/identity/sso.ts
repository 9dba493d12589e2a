/**
 * Sign-in at an organisation's own identity provider: OpenID Connect, code flow with PKCE, state and nonce. What the provider says is
 * verified by its keys; what somebody may do here is decided here, from their groups, at each sign-in.
 */
import type { SetIdentityProvider } from '@careloop/contract'
import { authorizationCodeGrant, buildAuthorizationUrl, fetchUserInfo } from 'openid-client'
import {
  assertOutboundUrl,
  type DataKey,
  type Engine,
  makeGuardedFetch,
  type OutboundPolicy,
  publicOnly,
} from '../engine/index.ts'
import { type ActedBy, recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import { demandsSecondFactor, readSecondFactor } from './second-factor.ts'
import { type Door, factorsOf, openChallenge, type Peer } from './sign-in.ts'
import { recordSignIn } from './sign-in-trail.ts'
import { settleAccount } from './sso-account.ts'
import { type Attempt, type BegunAttempt, beginAttempt, takeAttempt, type WantedAttempt } from './sso-attempts.ts'
import { type Claims, provedAtOf, provesSecondFactor, returnPathOf, rolesOfGroups } from './sso-claims.ts'
import { makeSsoClients, type SsoClient } from './sso-client.ts'
import { endByLogoutToken, leaveUrl } from './sso-logout.ts'
import { askAnew, keepProof, provenUser, proverOf } from './sso-proof.ts'
import {
  notFound,
  onlyProvider,
  providerOfSlug,
  providerOfTenant,
  removeProvider,
  type SsoProvider,
  saveProvider,
} from './sso-provider.ts'
import { type SsoOrigin, tieToProvider } from './sso-session.ts'
import { beginSession, sessionMs } from './staff-auth.ts'
import { keepAddress } from './throttle.ts'

/** What is said to the person; why exactly stands in the trail of their organisation. */
export type SsoRefusal = 'refused' | 'expired' | 'no-role'

export type SsoOutcome =
  | {
      readonly next: 'signed-in' | 'enrol-second-factor'
      readonly cookies: readonly string[]
      readonly returnTo: string
    }
  | {
      readonly next: 'second-factor'
      readonly challenge: string
      readonly factors: readonly string[]
      readonly returnTo: string
    }
  | { readonly next: 'refused'; readonly why: SsoRefusal }
  /** An administrator tried the settings; nobody was signed in. */
  | { readonly next: 'tried'; readonly roles: readonly string[]; readonly isMfa: boolean }
  | { readonly next: 'trial-failed'; readonly why: SsoRefusal }
  /** Somebody who is signed in showed again who they are. */
  | { readonly next: 'proved'; readonly cookies: readonly string[] }
  | { readonly next: 'proof-failed'; readonly why: SsoRefusal }

export interface SsoStart {
  /** At the provider. */
  readonly url: string
  /** For the cookie that binds the walk to this browser. */
  readonly browser: string
}

export interface Sso {
  button(slug: string): Promise<{ slug: string; name: string } | null>
  only(): Promise<{ slug: string; name: string } | null>
  settings(tenant: string): Promise<SsoProvider | null>
  /** @throws Failure `outbound-url-refused`, `identity-provider-taken`, `identity-provider-unfit` */
  save(tenant: string, wanted: SetIdentityProvider, by: ActedBy): Promise<void>
  /** @throws Failure `identity-provider-not-found` */
  remove(tenant: string, by: ActedBy): Promise<void>
  /** @throws Failure `identity-provider-not-found`, `identity-provider-unreachable` */
  start(slug: string, wanted: { origin: string; returnTo: string | undefined }): Promise<SsoStart>
  /** @throws Failure as `start` */
  startTrial(tenant: string, origin: string, by: string): Promise<SsoStart>
  /** Its name, when this session's person can prove there again who they are. */
  prover(person: { readonly id: string; readonly session: string }): Promise<string | null>
  /** @throws Failure as `start` */
  startProof(person: { readonly id: string; readonly session: string }, origin: string): Promise<SsoStart>
  finish(slug: string, shown: { query: string; browser: string | undefined }, peer: Peer): Promise<SsoOutcome>
  /** Where to go to sign out at the provider too; null when this session did not begin there. */
  leaveUrl(session: string, origin: string): Promise<string | null>
  /** The provider says that a session there has ended. @throws Failure `logout-token-refused` */
  endByLogoutToken(slug: string, token: string): Promise<void>
}

export const callbackPath = (slug: string): string => `/api/auth/sso/${slug}/callback`

interface Parts {
  readonly door: Door
  readonly engine: Engine
  readonly key: DataKey
  readonly clientOf: (provider: SsoProvider) => Promise<SsoClient>
}

export async function makeSso(door: Door, outbound: OutboundPolicy = publicOnly): Promise<Sso> {
  const { engine } = door
  const key = await engine.keys.keyFor('auth', 'sso')
  const open = makeSsoClients(makeGuardedFetch(outbound), engine.clock)
  const parts: Parts = { door, engine, key, clientOf: (provider) => orUnreachable(engine, provider, open(provider)) }
  const enabled = async (slug: string): Promise<SsoProvider> => {
    const provider = await providerOfSlug(engine, key, slug)
    if (provider === null || !provider.isEnabled) throw notFound()
    return provider
  }
  return {
    button: async (slug) => {
      const provider = await providerOfSlug(engine, key, slug)
      return provider?.isEnabled ? { slug: provider.slug, name: provider.name } : null
    },
    only: () => onlyProvider(engine),
    settings: (tenant) => providerOfTenant(engine, key, tenant),
    async save(tenant, wanted, by) {
      assertIssuer(wanted.issuer)
      await assertOutboundUrl(wanted.issuer, outbound)
      await saveProvider(engine, key, tenant, wanted, by)
    },
    remove: (tenant, by) => removeProvider(engine, tenant, by),
    start: async (slug, { origin, returnTo }) =>
      walk(parts, await enabled(slug), { origin, returnTo: returnPathOf(returnTo) }),
    async startTrial(tenant, origin, trialBy) {
      const provider = await providerOfTenant(engine, key, tenant)
      if (provider === null) throw notFound()
      return walk(parts, provider, { origin, returnTo: '/', trialBy })
    },
    prover: async ({ id: user, session }) => (await proverOf(engine, key, { user, session }))?.name ?? null,
    async startProof({ id: user, session }, origin) {
      const provider = await proverOf(engine, key, { user, session })
      if (provider === null) throw notFound()
      return walk(parts, provider, { origin, returnTo: '/', provesSession: session })
    },
    finish: (slug, shown, peer) => finish(parts, slug, shown, peer),
    leaveUrl: (session, origin) => leaveUrl(parts, session, origin),
    endByLogoutToken: async (slug, token) => endByLogoutToken(parts, await enabled(slug), token),
  }
}

/** An issuer is compared letter by letter: no query, no fragment, no document's address. @throws Failure `identity-provider-unfit` */
function assertIssuer(issuer: string): void {
  const url = new URL(issuer)
  if (url.search === '' && url.hash === '' && !url.pathname.includes('/.well-known/')) return
  throw fail('identity-provider-unfit', 'Give the issuer itself, not the address of its document.', {
    pointer: '/body/issuer',
  })
}

/** The library's own words may hold addresses and tokens: they go to the log of operators without them. */
async function orUnreachable<T>(engine: Engine, provider: SsoProvider, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    engine.watch.log.warn({ provider: provider.id, code: nameOf(cause) }, 'an identity provider could not be read')
    throw fail('identity-provider-unreachable', 'The identity provider does not answer as it should. Check its issuer.')
  }
}

/** The kind of failure, without its message. */
const nameOf = (error: unknown): string =>
  error instanceof Error ? String((error as { code?: unknown }).code ?? error.name).slice(0, 60) : 'unknown'

async function walk(
  parts: Parts,
  provider: SsoProvider,
  wanted: Pick<WantedAttempt, 'returnTo'> & Partial<WantedAttempt> & { readonly origin: string },
): Promise<SsoStart> {
  const { origin, returnTo, trialBy = null, provesSession = null } = wanted
  const { configuration } = await parts.clientOf(provider)
  const redirectUri = `${origin}${callbackPath(provider.slug)}`
  const begun = await beginAttempt(parts.engine, parts.key, provider, {
    ...{ redirectUri, returnTo, trialBy, provesSession },
  })
  const more = provesSession === null ? {} : askAnew(provider)
  const url = buildAuthorizationUrl(configuration, { ...authorizationRequest(begun), ...more })
  if (!/^https?:$/.test(url.protocol))
    throw fail('identity-provider-unreachable', 'The provider names no page to go to.')
  return { url: url.href, browser: begun.browser }
}

const authorizationRequest = ({ redirectUri, state, nonce, challenge }: BegunAttempt): Record<string, string> => ({
  ...{ redirect_uri: redirectUri, scope: 'openid email profile', response_type: 'code', state, nonce },
  ...{ code_challenge: challenge, code_challenge_method: 'S256' },
})

async function finish(
  parts: Parts,
  slug: string,
  shown: { readonly query: string; readonly browser: string | undefined },
  peer: Peer,
): Promise<SsoOutcome> {
  const provider = await providerOfSlug(parts.engine, parts.key, slug)
  const state = new URLSearchParams(shown.query).get('state')
  if (provider === null || state === null || shown.browser === undefined) return { next: 'refused', why: 'expired' }
  const attempt = await takeAttempt(parts.engine, parts.key, provider, { state, browser: shown.browser })
  if (attempt === null) return { next: 'refused', why: 'expired' }
  const said = await verified(parts, provider, attempt, shown.query)
  if (attempt.trialBy !== null) return tried(provider, said)
  if (attempt.provesSession !== null)
    return proved(parts, provider, { session: attempt.provesSession, begunAt: attempt.begunAt, said }, peer)
  if (said === null || !provider.isEnabled) return refuse(parts, provider, 'refused', peer)
  const settled = await settleAccount(parts.engine, provider, said, peer.requestId)
  if ('refused' in settled) return refuse(parts, provider, settled.refused === 'no-role' ? 'no-role' : 'refused', peer)
  return letIn(parts, provider, { ...said, user: settled.user, returnTo: attempt.returnTo }, peer)
}

function tried(provider: SsoProvider, said: Said | null): SsoOutcome {
  if (said === null) return { next: 'trial-failed', why: 'refused' }
  const roles = rolesOfGroups(said.claims, provider)
  if (roles.length === 0) return { next: 'trial-failed', why: 'no-role' }
  return { next: 'tried', roles, isMfa: provesSecondFactor(said.claims, provider) }
}

/** Nobody is signed in by it: one session, of the same person at the provider, may more for a while. */
async function proved(
  parts: Parts,
  provider: SsoProvider,
  { session, begunAt, said }: { readonly session: string; readonly begunAt: number; readonly said: Said | null },
  peer: Peer,
): Promise<SsoOutcome> {
  const failed = async (why: SsoRefusal): Promise<SsoOutcome> => {
    await refuse(parts, provider, why, peer)
    return { next: 'proof-failed', why }
  }
  const user =
    said === null || !provider.isEnabled
      ? null
      : await provenUser(parts.engine, provider, { session, begunAt, ...said })
  if (said === null || user === null) return failed('refused')
  // What they may here is by their groups of now, as at each sign-in.
  const settled = await settleAccount(parts.engine, provider, said, peer.requestId)
  if ('refused' in settled) return failed(settled.refused === 'no-role' ? 'no-role' : 'refused')
  const kept = { tenant: provider.tenant, user, session, requestId: peer.requestId }
  return { next: 'proved', cookies: await keepProof(parts.door, kept) }
}

async function refuse(parts: Parts, provider: SsoProvider, why: SsoRefusal, peer: Peer): Promise<SsoOutcome> {
  const by = { actor: 'anonymous', requestId: peer.requestId }
  const act = { tenant: provider.tenant, by, action: 'login', resource: 'identity-provider', id: provider.id } as const
  await parts.engine.db.asEngine((tx) => recordAct(tx, { ...act, outcome: 'denied' }))
  return { next: 'refused', why }
}

interface Said {
  readonly subject: string
  readonly claims: Claims
  readonly idToken: string
}

/** The code, given for tokens and verified: issuer, audience, keys, algorithm, nonce, time. @returns null when anything is not right */
async function verified(parts: Parts, provider: SsoProvider, attempt: Attempt, query: string): Promise<Said | null> {
  try {
    const { configuration } = await parts.clientOf(provider)
    const tokens = await authorizationCodeGrant(configuration, new URL(`${attempt.redirectUri}?${query}`), {
      ...{ pkceCodeVerifier: attempt.verifier, expectedState: attempt.state, expectedNonce: attempt.nonce },
      idTokenExpected: true,
    })
    const claims = tokens.claims()
    if (claims === undefined || tokens.id_token === undefined) return null
    const more = await userinfoOf(configuration, tokens.access_token, claims.sub)
    return { subject: claims.sub, claims: { ...more, ...claims }, idToken: tokens.id_token }
  } catch (error) {
    parts.engine.watch.log.warn(
      { provider: provider.id, code: nameOf(error) },
      'a sign-in by an identity provider was refused',
    )
    return null
  }
}

/** Many providers tell groups and e-mail there only. It must be of the same person; what the ID token says stands above it. */
async function userinfoOf(
  configuration: SsoClient['configuration'],
  accessToken: string,
  subject: string,
): Promise<Claims> {
  if (configuration.serverMetadata().userinfo_endpoint === undefined) return {}
  return fetchUserInfo(configuration, accessToken, subject)
}

async function letIn(
  { door, engine }: Parts,
  provider: SsoProvider,
  arrived: Said & { readonly user: string; readonly returnTo: string },
  peer: Peer,
): Promise<SsoOutcome> {
  const { user, claims, returnTo } = arrived
  const isMfa = provesSecondFactor(claims, provider)
  // Who has a second factor here is asked for it, unless the provider asked for one.
  const factor = await readSecondFactor(engine, user)
  const origin: SsoOrigin = {
    ...{ tenant: provider.tenant, issuer: provider.issuer, subject: arrived.subject, idToken: arrived.idToken },
    sid: typeof claims.sid === 'string' ? claims.sid : null,
  }
  if (!isMfa && factor.isOn) {
    const challenge = await openChallenge(engine, user, false, origin)
    return { next: 'second-factor', challenge, factors: factorsOf(factor), returnTo }
  }
  const begun = await beginSession(door.staffAuth, { user, remember: false, ...peer })
  const now = engine.clock.now()
  const provedAt = isMfa ? provedAtOf(claims) : null
  await engine.db.asEngine(async ({ client }) => {
    await client.query(
      'update auth.session set active_at = $2, second_factor_at = $3, proved_at = $4, ends_at = $5 where id = $1',
      [
        ...[begun.session, new Date(now), isMfa ? new Date(now) : null],
        // For grave acts it counts when they proved it there, which may be hours ago; not said, it does not count.
        ...[provedAt === null ? null : new Date(Math.min(now, provedAt)), new Date(now + sessionMs)],
      ],
    )
    await tieToProvider(engine, client, begun.session, origin)
  })
  await recordSignIn(engine, user, peer.requestId)
  await keepAddress(engine, door.secrets, user, peer.ip)
  const mustEnrol = !isMfa && demandsSecondFactor(rolesOfGroups(claims, provider))
  return { next: mustEnrol ? 'enrol-second-factor' : 'signed-in', cookies: begun.cookies, returnTo }
}
