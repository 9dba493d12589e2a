/** What people ask about apps: administrators register them, everybody decides about their own. */
import {
  AppBody,
  AppLaunch,
  AppList,
  AppMade,
  AuthorizationDecided,
  AuthorizationShown,
  DecideAuthorization,
  Id,
  LaunchApp,
  LaunchableApps,
  LookAtAuthorization,
  NewApp,
  OwnAppGrants,
  SetApp,
} from '@careloop/contract'
import { z } from 'zod'
import { assertStaff, by } from '../asked-by.ts'
import type { Identity } from '../identity.ts'
import { defineRoute, type Route } from '../route.ts'
import { patientNotFound } from './authorize.ts'
import type { SmartWorld } from './smart.ts'
import { addressesFor } from './smart-routes.ts'

const byId = z.object({ id: Id })

export const appRoutes = (identity: Identity, world: SmartWorld): Route[] => [
  ...registrationRoutes(identity),
  ...authorizationRoutes(identity, world),
]

const registrationRoutes = (identity: Identity): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/apps',
    summary: 'Apps that are registered, without their secrets, and the FHIR base URL they are told',
    policy: { action: 'read', resource: 'app' },
    response: { 200: AppList },
    async handler(ctx) {
      return ctx.reply(200, { items: await identity.smart.apps.list(ctx.tenant), fhirUrl: fhirUrlOf(identity, ctx) })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/apps',
    summary: 'Register an app; a secret is answered once',
    policy: { action: 'create', resource: 'app' },
    stepUp: true,
    body: NewApp,
    response: { 201: AppMade },
    handler: async (ctx) => ctx.reply(201, await identity.smart.apps.create(ctx.tenant, ctx.body, by(ctx))),
  }),
  defineRoute({
    method: 'PUT',
    url: '/api/v1/apps/:id',
    summary: 'Change an app, or switch it off: from the next request on none of its tokens opens anything',
    policy: { action: 'update', resource: 'app' },
    stepUp: true,
    params: byId,
    body: SetApp,
    response: { 200: AppBody },
    handler: async (ctx) =>
      ctx.reply(200, await identity.smart.apps.change(ctx.tenant, ctx.params.id, ctx.body, by(ctx))),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/apps/:id/secret',
    summary: 'A new secret for an app; the one before opens nothing any more',
    policy: { action: 'update', resource: 'app' },
    stepUp: true,
    params: byId,
    response: { 200: AppMade },
    handler: async (ctx) => ctx.reply(200, await identity.smart.apps.renewSecret(ctx.tenant, ctx.params.id, by(ctx))),
  }),
]

function fhirUrlOf(identity: Identity, { headers }: { headers: Parameters<typeof addressesFor>[1] }): string | null {
  try {
    return addressesFor(identity, headers).fhirUrl
  } catch {
    return null // This server has no address for apps yet; the page says what to set.
  }
}

const authorizationRoutes = (identity: Identity, world: SmartWorld): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/launchable-apps',
    summary: 'Apps that a patient’s page can open',
    tag: 'apps',
    policy: 'signed-in',
    response: { 200: LaunchableApps },
    async handler(ctx) {
      assertStaff(ctx.principal)
      return ctx.reply(200, { items: await identity.smart.apps.launchable(ctx.tenant) })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/apps/:id/launch',
    summary: 'Open an app at a patient: an address that is good once, for five minutes, for who asks',
    policy: 'signed-in',
    params: byId,
    body: LaunchApp,
    response: { 200: AppLaunch },
    async handler(ctx) {
      const person = assertStaff(ctx.principal)
      const { subject } = ctx.body
      if (!(await world.sees(person, subject))) throw patientNotFound()
      const opened = { addresses: addressesFor(identity, ctx.headers), by: by(ctx) }
      return ctx.reply(200, { url: await identity.smart.launch(person, { app: ctx.params.id, subject }, opened) })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/authorizations/look',
    summary: 'What an app asks a person for',
    tag: 'apps',
    policy: 'signed-in',
    body: LookAtAuthorization,
    maxBodyBytes: 32_768,
    response: { 200: AuthorizationShown },
    async handler(ctx) {
      const person = assertStaff(ctx.principal)
      const addresses = addressesFor(identity, ctx.headers)
      return ctx.reply(200, await identity.smart.look(world, person, ctx.body.query, addresses))
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/authorizations',
    summary: 'Allow or refuse what an app asks for; answers where to go on',
    tag: 'apps',
    policy: 'signed-in',
    body: DecideAuthorization,
    maxBodyBytes: 65_536,
    response: { 200: AuthorizationDecided },
    async handler(ctx) {
      const person = assertStaff(ctx.principal)
      const opened = { addresses: addressesFor(identity, ctx.headers), by: by(ctx) }
      return ctx.reply(200, { redirect: await identity.smart.decide(world, person, ctx.body, opened) })
    },
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/my-apps',
    summary: 'What who asks has allowed to apps',
    tag: 'apps',
    policy: 'signed-in',
    response: { 200: OwnAppGrants },
    handler: async (ctx) => ctx.reply(200, { items: await identity.smart.grantsOf(assertStaff(ctx.principal)) }),
  }),
  defineRoute({
    method: 'DELETE',
    url: '/api/v1/my-apps/:id',
    summary: 'Take back what was allowed to an app: from the next request on it opens nothing',
    tag: 'apps',
    policy: 'signed-in',
    params: byId,
    response: { 204: 'empty' },
    async handler(ctx) {
      await identity.smart.revokeGrant(assertStaff(ctx.principal), ctx.params.id, by(ctx))
      return ctx.reply(204, undefined)
    },
  }),
]
