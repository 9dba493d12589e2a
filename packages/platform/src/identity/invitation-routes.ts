/** Invitations over HTTP. The link's token stands behind `#`, where browsers keep it, and comes here in a body: no log sees it. */
import {
  AcceptInvitation,
  Id,
  InvitationList,
  InvitationMade,
  InvitationShown,
  InvitationToken,
  NewInvitation,
} from '@careloop/contract'
import { z } from 'zod'
import { by } from './asked-by.ts'
import { assertMayGrantRoles } from './grant.ts'
import type { Identity } from './identity.ts'
import type { MadeInvitation } from './invitations.ts'
import { defineRoute, type Route } from './route.ts'

const byId = z.object({ id: Id })
const once = { headers: { 'cache-control': 'no-store' } }

export function invitationRoutes({ invitations }: Identity): Route[] {
  return [
    defineRoute({
      method: 'GET',
      url: '/api/v1/invitations',
      summary: 'Invitations to work here, newest first',
      policy: { action: 'read', resource: 'invitation' },
      response: { 200: InvitationList },
      async handler(ctx) {
        const items = await invitations.list(ctx.tenant)
        return ctx.reply(200, { items: items.map((each) => ({ ...each, roles: [...each.roles] })) })
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/invitations',
      summary: 'Invite somebody by a one-time link; it is answered once, and sent by e-mail where that is set up',
      policy: { action: 'create', resource: 'invitation' },
      // The link makes an account with these roles, by whoever holds it.
      stepUp: true,
      body: NewInvitation,
      response: { 201: InvitationMade },
      async handler(ctx) {
        assertMayGrantRoles(ctx.principal, ctx.body.roles)
        return ctx.reply(201, madeOf(await invitations.invite(ctx.tenant, ctx.body, by(ctx))), once)
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/v1/invitations/:id/resend',
      summary: 'Another link for the same person; the one before is over',
      policy: { action: 'create', resource: 'invitation' },
      stepUp: true,
      params: byId,
      response: { 201: InvitationMade },
      async handler(ctx) {
        const before = (await invitations.list(ctx.tenant)).find(({ id }) => id === ctx.params.id)
        assertMayGrantRoles(ctx.principal, before?.roles ?? [])
        return ctx.reply(201, madeOf(await invitations.resend(ctx.tenant, ctx.params.id, by(ctx))), once)
      },
    }),
    defineRoute({
      method: 'DELETE',
      url: '/api/v1/invitations/:id',
      summary: 'Take an invitation back: its link opens nothing any more',
      policy: { action: 'delete', resource: 'invitation' },
      params: byId,
      response: { 204: 'empty' },
      async handler(ctx) {
        await invitations.revoke(ctx.tenant, ctx.params.id, by(ctx))
        return ctx.reply(204, undefined)
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/auth/invitation/look',
      summary: 'What an invitation is for; one answer for all that are over',
      tag: 'sign-in',
      policy: 'public',
      perMinute: 30,
      body: InvitationToken,
      maxBodyBytes: 1024,
      response: { 200: InvitationShown },
      async handler(ctx) {
        const shown = await invitations.look(ctx.body.token, ctx.ip)
        return ctx.reply(200, { ...shown, roles: [...shown.roles] })
      },
    }),
    defineRoute({
      method: 'POST',
      url: '/api/auth/invitation/accept',
      summary: 'Make the account of an invitation, with a name and a password of one’s own; then sign in',
      tag: 'sign-in',
      policy: 'public',
      perMinute: 30,
      body: AcceptInvitation,
      maxBodyBytes: 8192,
      response: { 201: z.object({ email: z.string() }) },
      handler: async (ctx) => ctx.reply(201, await invitations.accept(ctx.body, ctx)),
    }),
  ]
}

const madeOf = ({ token, ...made }: MadeInvitation): InvitationMade => ({ ...made, path: `/invitation#token=${token}` })
