/** Who am I, the first administrator, staff and service tokens. */
import { ColleagueList, Id, Me, NewServiceToken, OwnPerson, ServiceToken, SetUp } from '@careloop/contract'
import { z } from 'zod'
import { by } from './asked-by.ts'
import { displayRoutes } from './display-routes.ts'
import { fail } from './errors.ts'
import { assertMayGrantScopes } from './grant.ts'
import type { Identity } from './identity.ts'
import { invitationRoutes } from './invitation-routes.ts'
import { allowedFor } from './may.ts'
import { appRoutes } from './oauth/app-routes.ts'
import type { SmartWorld } from './oauth/smart.ts'
import { smartRoutes } from './oauth/smart-routes.ts'
import { passkeyRoutes } from './passkey-routes.ts'
import { peopleRoutes } from './people-routes.ts'
import { defineRoute, type Route } from './route.ts'
import { secondFactorRoutes } from './second-factor-routes.ts'
import { idleLockOf, isPerson } from './session-hold.ts'
import { sessionRoutes } from './session-routes.ts'
import { signInPasskeyRoutes } from './sign-in-passkey-routes.ts'
import { signInRoutes } from './sign-in-routes.ts'
import { ssoRoutes } from './sso-routes.ts'

export const identityRoutes = (identity: Identity): Route[] => [
  ...signInRoutes(identity),
  ...signInPasskeyRoutes(identity),
  ...sessionRoutes(identity),
  ...secondFactorRoutes(identity),
  ...passkeyRoutes(identity),
  defineRoute({
    method: 'GET',
    url: '/api/v1/me',
    summary: 'Who asks, and what they may do',
    tag: 'identity',
    policy: 'signed-in',
    response: { 200: Me },
    async handler(ctx) {
      const { principal } = ctx
      return ctx.reply(200, {
        kind: principal.kind,
        id: principal.id,
        displayName: principal.kind === 'staff' ? principal.displayName : 'Service token',
        roles: principal.kind === 'staff' ? [...principal.roles] : [],
        tenant: { id: ctx.tenant, name: await identity.tenantName(ctx.tenant) },
        allowed: allowedFor(principal),
        idleLockMs: principal.kind === 'staff' ? idleLockOf(principal.roles, identity.idleLockMs) : null,
      })
    },
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/me/person',
    summary: 'What the account of a patient or caregiver is for',
    tag: 'identity',
    policy: 'signed-in',
    response: { 200: OwnPerson },
    async handler(ctx) {
      const own = await identity.persons.own(ctx.tenant, ctx.principal.id)
      if (own === null) throw fail('person-account-not-found', 'This is the account of a member of staff.')
      return ctx.reply(200, own)
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/setup',
    summary: 'Make the organisation and its first administrator, with the one-time token that the first start prints',
    tag: 'identity',
    policy: 'public',
    perMinute: 10,
    body: SetUp,
    response: { 201: z.object({ tenant: Id, user: Id }) },
    handler: async (ctx) => ctx.reply(201, await identity.setUp(ctx.body, ctx.ip)),
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/colleagues',
    summary: 'Who works here now, by name and role, to hand work to',
    tag: 'identity',
    policy: 'signed-in',
    response: { 200: ColleagueList },
    async handler(ctx) {
      // Whoever hands no work on needs no list of who works here.
      if (ctx.principal.kind === 'staff' && isPerson(ctx.principal.roles))
        throw fail('not-allowed', 'For those who work here.')
      const working = (await identity.members(ctx.tenant)).filter(({ endedAt }) => endedAt === null)
      return ctx.reply(200, {
        items: working.map(({ id, displayName, roles }) => ({ id, displayName, roles: [...roles] })),
      })
    },
  }),
  ...peopleRoutes(identity),
  ...serviceTokenRoutes(identity),
  ...displayRoutes(identity),
  ...ssoRoutes(identity),
  ...invitationRoutes(identity),
]

/** Apart from the rest: it asks of patients, which later rooms know. */
export const appAndSmartRoutes = (identity: Identity, world: SmartWorld): Route[] => [
  ...appRoutes(identity, world),
  ...smartRoutes(identity, world),
]

const serviceTokenRoutes = (identity: Identity): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/service-tokens',
    summary: 'Tokens of programs, without the secrets',
    policy: { action: 'read', resource: 'service-token' },
    response: { 200: z.object({ items: z.array(ServiceToken) }) },
    async handler(ctx) {
      const tokens = await identity.serviceTokens(ctx.tenant)
      return ctx.reply(200, { items: tokens.map((token) => ({ ...token, scopes: [...token.scopes] })) })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/service-tokens',
    summary: 'A token for a program; it is answered once',
    policy: { action: 'create', resource: 'service-token' },
    stepUp: true,
    body: NewServiceToken,
    response: { 201: z.object({ id: Id, token: z.string() }) },
    async handler(ctx) {
      assertMayGrantScopes(ctx.principal, ctx.body.scopes)
      const { expiresAt, ...wanted } = ctx.body
      const expiry = expiresAt === undefined ? {} : { expiresAt }
      const made = await identity.createServiceToken({ ...wanted, ...expiry, tenant: ctx.tenant }, by(ctx))
      return ctx.reply(201, made)
    },
  }),
  defineRoute({
    method: 'DELETE',
    url: '/api/v1/service-tokens/:id',
    summary: 'Revoke a token: from the next request on it opens nothing',
    policy: { action: 'delete', resource: 'service-token' },
    params: z.object({ id: Id }),
    response: { 204: 'empty' },
    async handler(ctx) {
      await identity.revokeServiceToken(ctx.tenant, ctx.params.id, by(ctx))
      return ctx.reply(204, undefined)
    },
  }),
]
