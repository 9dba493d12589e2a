/** Wall screens over HTTP: who makes and revokes them, and what a screen itself asks besides its board. */
import { DisplayLink, DisplayList, Id, NewDisplay, OpenDisplay, OwnDisplay } from '@careloop/contract'
import { z } from 'zod'
import { by } from './asked-by.ts'
import { displayCookie } from './display-cookie.ts'
import type { Identity } from './identity.ts'
import { defineRoute, type Route } from './route.ts'

const byId = z.object({ id: Id })

export const displayRoutes = (identity: Identity): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/displays',
    summary: 'Wall screens, with when each was last seen',
    policy: { action: 'read', resource: 'display' },
    response: { 200: DisplayList },
    handler: async (ctx) => ctx.reply(200, { items: await identity.displays.list(ctx.tenant) }),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/displays',
    summary: 'A screen for one board; the token of its one-time link is answered once',
    policy: { action: 'create', resource: 'display' },
    body: NewDisplay,
    response: { 201: DisplayLink },
    handler: async (ctx) =>
      ctx.reply(201, await identity.displays.create({ ...ctx.body, tenant: ctx.tenant }, by(ctx))),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/displays/:id/link',
    summary: 'A new one-time link for a screen: whoever opens it takes its place',
    policy: { action: 'create', resource: 'display' },
    params: byId,
    response: { 201: DisplayLink },
    handler: async (ctx) => ctx.reply(201, await identity.displays.renewLink(ctx.tenant, ctx.params.id, by(ctx))),
  }),
  defineRoute({
    method: 'DELETE',
    url: '/api/v1/displays/:id',
    summary: 'Revoke a screen: from the next request on it shows nothing',
    policy: { action: 'delete', resource: 'display' },
    params: byId,
    response: { 204: 'empty' },
    async handler(ctx) {
      await identity.displays.revoke(ctx.tenant, ctx.params.id, by(ctx))
      return ctx.reply(204, undefined)
    },
  }),
  ...ownDisplayRoutes(identity),
]

const ownDisplayRoutes = (identity: Identity): Route[] => [
  defineRoute({
    method: 'POST',
    url: '/api/v1/display/open',
    summary: 'Open the one-time link of a wall screen: sets the cookie by which it reads its board',
    tag: 'display',
    policy: 'public',
    perMinute: 20,
    body: OpenDisplay,
    maxBodyBytes: 1024,
    response: { 204: 'empty' },
    async handler(ctx) {
      const { credential, expiresAt } = await identity.displays.open(ctx.body.token, ctx.requestId)
      const maxAgeS = Math.floor((expiresAt - ctx.engine.clock.now()) / 1000)
      const cookie = displayCookie(identity.secureCookies, credential, maxAgeS)
      return ctx.reply(204, undefined, { headers: { 'set-cookie': cookie } })
    },
  }),
  defineRoute({
    method: 'GET',
    url: '/api/v1/display',
    summary: 'Which screen asks, and which board it shows',
    tag: 'display',
    policy: 'display',
    response: { 200: OwnDisplay },
    async handler(ctx) {
      const { id, name, board, expiresAt } = ctx.principal
      const organisation = await identity.tenantName(ctx.tenant)
      return ctx.reply(200, { id, name, board, expiresAt, organisation })
    },
  }),
]
