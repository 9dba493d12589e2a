/** Sign-in at the organisation's identity provider, over HTTP: links to follow, the way back, and what administrators set up. */
import {
  type IdentityProvider,
  ProviderSlug,
  SetIdentityProvider,
  SsoButton,
  IdentityProvider as View,
} from '@careloop/contract'
import { z } from 'zod'
import { by } from './asked-by.ts'
import { fail } from './errors.ts'
import { assertMayGrantRoles } from './grant.ts'
import type { Identity } from './identity.ts'
import { defineRoute, type Route } from './route.ts'
import { assertFree } from './session-hold.ts'
import { challengeMs } from './sign-in.ts'
import { challengeCookie, cookieNamed, peerOf, shortCookie } from './sign-in-cookies.ts'
import { callbackPath, type SsoOutcome, type SsoStart } from './sso.ts'
import { attemptMs } from './sso-attempts.ts'
import type { SsoProvider } from './sso-provider.ts'
import { cookieName } from './staff-auth.ts'

const bySlug = z.object({ slug: ProviderSlug })

export const ssoRoutes = (identity: Identity): Route[] => [...walkRoutes(identity), ...settingRoutes(identity)]

function walkRoutes(identity: Identity): Route[] {
  const { sso } = identity
  return [
    defineRoute({
      method: 'GET',
      url: '/api/auth/sso',
      summary: 'The identity provider that the sign-in page offers: of an installation with one organisation',
      tag: 'sign-in',
      policy: 'public',
      perMinute: 120,
      response: { 200: z.object({ items: z.array(SsoButton) }) },
      handler: async (ctx) => ctx.reply(200, { items: [await sso.only()].filter((each) => each !== null) }),
    }),
    defineRoute({
      method: 'GET',
      url: '/api/auth/sso/:slug/start',
      summary: 'Go to the identity provider of this link; an unknown link leads back to the sign-in page',
      tag: 'sign-in',
      policy: 'public',
      perMinute: 60,
      params: bySlug,
      query: z.object({ back: z.string().max(500).optional() }),
      response: { 303: 'empty' },
      async handler(ctx) {
        const origin = originOf(identity, ctx.headers.host)
        const started = await sso.start(ctx.params.slug, { origin, returnTo: ctx.query.back }).catch(() => null)
        if (started === null) return ctx.reply(303, undefined, { headers: { location: '/sign-in?sso=refused' } })
        return ctx.reply(303, undefined, {
          headers: { location: started.url, 'set-cookie': [boundCookie(identity, started)] },
        })
      },
    }),
    defineRoute({
      method: 'GET',
      url: '/api/auth/sso/:slug/callback',
      summary: 'Back from the identity provider: sets the session cookie, or says on the sign-in page why not',
      tag: 'sign-in',
      policy: 'public',
      perMinute: 60,
      params: bySlug,
      // What the provider sends: read as it is, by the library that verifies it.
      query: z.record(z.string().max(64), z.string().max(4096)),
      response: { 303: 'empty' },
      async handler(ctx) {
        const shown = {
          query: new URLSearchParams(ctx.query).toString(),
          browser: cookieNamed(ctx.headers.cookie, identity, browserCookie),
        }
        const outcome = await sso.finish(ctx.params.slug, shown, peerOf(ctx))
        const cookies = [...cookiesOf(identity, outcome), boundCookie(identity, null)]
        return ctx.reply(303, undefined, { headers: { location: pageOf(outcome), 'set-cookie': cookies } })
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/auth/sso/leave',
      summary: 'Where to go to sign out at the identity provider too; null when this session did not begin there',
      tag: 'sign-in',
      policy: 'session',
      response: { 200: z.object({ url: z.string().nullable() }) },
      async handler(ctx) {
        const origin = originOf(identity, ctx.headers.host)
        return ctx.reply(200, { url: await sso.leaveUrl(ctx.principal.session, origin).catch(() => null) })
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/session/step-up/provider',
      summary: 'Where to show again who asks, at the identity provider of this session; it counts for five minutes',
      description:
        'For who signed in there and has no second factor here. The provider asks anew, and leads back to /proved.',
      tag: 'sign-in',
      policy: 'session',
      perMinute: 20,
      response: { 200: z.object({ url: z.string() }) },
      async handler(ctx) {
        assertFree(ctx.principal)
        const started = await sso.startProof(ctx.principal, originOf(identity, ctx.headers.host))
        return ctx.reply(200, { url: started.url }, { headers: { 'set-cookie': [boundCookie(identity, started)] } })
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/auth/sso/:slug/logout',
      summary: 'The identity provider says that a session there has ended (back-channel logout)',
      tag: 'sign-in',
      policy: 'public',
      perMinute: 120,
      params: bySlug,
      bytes: { maxBytes: 16_384, maxInflatedBytes: 16_384, contentTypes: ['application/x-www-form-urlencoded'] },
      response: { 200: z.object({}) },
      async handler(ctx) {
        const token = new URLSearchParams(ctx.bytes.toString()).get('logout_token')
        await sso.endByLogoutToken(ctx.params.slug, token ?? '')
        return ctx.reply(200, {})
      },
    }),
  ]
}

function settingRoutes(identity: Identity): Route[] {
  const { sso } = identity
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/identity-provider',
      summary: 'The identity provider of this organisation, without its secret; null when none is set up',
      policy: { action: 'read', resource: 'identity-provider' },
      response: { 200: z.object({ provider: View.nullable() }) },
      async handler(ctx) {
        const provider = await sso.settings(ctx.tenant)
        return ctx.reply(200, { provider: provider === null ? null : viewOf(identity, provider, ctx.headers.host) })
      },
    }),
    defineRoute({
      method: 'PUT',
      url: '/api/v1/identity-provider',
      summary: 'Set up the identity provider of this organisation',
      policy: { action: 'update', resource: 'identity-provider' },
      stepUp: true,
      body: SetIdentityProvider,
      response: { 204: 'empty' },
      async handler(ctx) {
        for (const { roles } of ctx.body.roleMap) assertMayGrantRoles(ctx.principal, roles)
        await sso.save(ctx.tenant, ctx.body, by(ctx))
        return ctx.reply(204, undefined)
      },
    }),
    defineRoute({
      method: 'DELETE',
      url: '/api/v1/identity-provider',
      summary: 'Take the identity provider away; who signed in by it is signed out',
      policy: { action: 'delete', resource: 'identity-provider' },
      stepUp: true,
      response: { 204: 'empty' },
      async handler(ctx) {
        await sso.remove(ctx.tenant, by(ctx))
        return ctx.reply(204, undefined)
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/identity-provider/trial',
      summary: 'Try a sign-in with the settings as they are: nobody is signed in, the page says what would be',
      policy: { action: 'update', resource: 'identity-provider' },
      perMinute: 20,
      response: { 200: z.object({ url: z.string() }) },
      async handler(ctx) {
        const started = await sso.startTrial(ctx.tenant, originOf(identity, ctx.headers.host), ctx.principal.id)
        return ctx.reply(200, { url: started.url }, { headers: { 'set-cookie': [boundCookie(identity, started)] } })
      },
    }),
  ]
}

/**
 * Where browsers reach us. A name in a request is believed for this machine only: anybody may write one, and codes go where it says.
 * @throws Failure `identity-provider-unfit`
 */
function originOf(identity: Identity, host: string | string[] | undefined): string {
  if (identity.publicOrigin !== undefined) return identity.publicOrigin
  const name = [host].flat()[0] ?? ''
  if (/^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/.test(name)) return `http://${name}`
  throw fail('identity-provider-unfit', 'An operator first says where browsers reach Careloop: CARELOOP_PUBLIC_ORIGIN.')
}

const browserCookie = 'sso'

/** Lax: it must come along on the way back from the provider. @param started null takes it away */
function boundCookie({ secureCookies }: Identity, started: SsoStart | null): string {
  const attributes = `Path=/; HttpOnly; SameSite=Lax${secureCookies ? '; Secure' : ''}`
  const [value, ageMs] = started === null ? ['', 0] : [started.browser, attemptMs]
  return `${cookieName(secureCookies, browserCookie)}=${value}; Max-Age=${ageMs / 1000}; ${attributes}`
}

function cookiesOf(identity: Identity, outcome: SsoOutcome): readonly string[] {
  if (outcome.next === 'signed-in' || outcome.next === 'enrol-second-factor')
    return [...outcome.cookies, shortCookie(identity, challengeCookie, '', 0)]
  if (outcome.next === 'proved') return outcome.cookies
  if (outcome.next !== 'second-factor') return []
  return [shortCookie(identity, challengeCookie, outcome.challenge, challengeMs)]
}

/** Paths of ours with words of ours only. */
function pageOf(outcome: SsoOutcome): string {
  switch (outcome.next) {
    case 'signed-in':
      return outcome.returnTo
    case 'enrol-second-factor':
      return `/second-factor?${new URLSearchParams({ back: outcome.returnTo })}`
    case 'second-factor':
      return `/sign-in?${new URLSearchParams({ sso: outcome.factors.join('-'), back: outcome.returnTo })}`
    case 'refused':
      return `/sign-in?sso=${outcome.why}`
    case 'tried':
      return `/identity-provider?${new URLSearchParams({ tried: outcome.roles.join('-'), mfa: outcome.isMfa ? 'yes' : 'no' })}`
    case 'proved':
      return '/proved'
    case 'proof-failed':
      return `/proved?failed=${outcome.why}`
    case 'trial-failed':
      return `/identity-provider?failed=${outcome.why}`
  }
}

function viewOf(identity: Identity, provider: SsoProvider, host: string | string[] | undefined): IdentityProvider {
  const { tenant: _tenant, clientSecret, roleMap, emailDomains, mfaAcr, mfaAmr, ...rest } = provider
  const origin = tryOrigin(identity, host)
  return {
    ...rest,
    hasSecret: clientSecret !== null,
    roleMap: roleMap.map(({ group, roles }) => ({ group, roles: [...roles] })),
    ...{ emailDomains: [...emailDomains], mfaAcr: [...mfaAcr], mfaAmr: [...mfaAmr] },
    redirectUri: origin === null ? null : `${origin}${callbackPath(provider.slug)}`,
    logoutUri: origin === null ? null : `${origin}/api/auth/sso/${provider.slug}/logout`,
  }
}

function tryOrigin(identity: Identity, host: string | string[] | undefined): string | null {
  try {
    return originOf(identity, host)
  } catch {
    return null
  }
}
