/** A person's sessions, and the lock of the one that asks. */
import { Id, Session, Unlock } from '@careloop/contract'
import { z } from 'zod'
import { askerOf, assertStaff } from './asked-by.ts'
import type { Identity } from './identity.ts'
import { defineRoute, type Route } from './route.ts'

export const sessionRoutes = (identity: Identity): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/sessions',
    summary: 'All sessions of who asks',
    tag: 'sign-in',
    policy: 'signed-in',
    response: { 200: z.object({ items: z.array(Session) }) },
    handler: async (ctx) => ctx.reply(200, { items: await identity.sessions(assertStaff(ctx.principal)) }),
  }),
  defineRoute({
    method: 'DELETE',
    url: '/api/v1/sessions/:id',
    summary: 'End one session of who asks',
    tag: 'sign-in',
    policy: 'signed-in',
    params: z.object({ id: Id }),
    response: { 204: 'empty' },
    async handler(ctx) {
      await identity.endSession(assertStaff(ctx.principal), ctx.params.id, ctx.requestId)
      return ctx.reply(204, undefined)
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/session/activity',
    summary: 'A human being did something in this session just now: it is not locked for the idle time from here on',
    description: 'Sent by pages on keys, pointers and scrolling only; nothing that runs by itself may send it.',
    tag: 'sign-in',
    policy: 'session',
    response: { 204: 'empty' },
    async handler(ctx) {
      await identity.keepAwake(ctx.principal)
      return ctx.reply(204, undefined)
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/session/lock',
    summary: 'Lock this session now',
    tag: 'sign-in',
    policy: 'session',
    response: { 204: 'empty' },
    async handler(ctx) {
      await identity.lock(ctx.principal, ctx.requestId)
      return ctx.reply(204, undefined)
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/session/unlock',
    summary: 'Let a locked session go on, by the password, a code or a passkey',
    tag: 'sign-in',
    policy: 'session',
    body: Unlock,
    maxBodyBytes: 32_768,
    response: { 204: 'empty' },
    async handler(ctx) {
      const cookies = await identity.unlock(askerOf(ctx), ctx.body)
      return ctx.reply(204, undefined, { headers: { 'set-cookie': cookies } })
    },
  }),
]
