/** Passkeys of who asks, and proof again. Open to sessions that wait for a second factor: one of their ways on. */
import { Id, NewPasskey, Passkey, PasskeyOptions, Proof, StepUp } from '@careloop/contract'
import { z } from 'zod'
import { askerOf } from './asked-by.ts'
import type { Identity } from './identity.ts'
import { defineRoute, type Route } from './route.ts'
import { assertFree, assertUnlocked } from './session-hold.ts'

const secret = { headers: { 'cache-control': 'no-store' } }

export const passkeyRoutes = (identity: Identity): Route[] => [
  defineRoute({
    method: 'GET',
    url: '/api/v1/passkeys',
    summary: 'The passkeys of who asks',
    tag: 'sign-in',
    policy: 'session',
    response: { 200: z.object({ items: z.array(Passkey) }) },
    async handler(ctx) {
      assertUnlocked(ctx.principal)
      return ctx.reply(200, { items: await identity.passkeys(ctx.principal.id) })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/passkeys/begin',
    summary: 'What the browser needs to make a passkey; it counts once what was made came back',
    description:
      'The password is asked again, and a code or passkey of who has one; not of who has just signed in to enrol.',
    tag: 'sign-in',
    policy: 'session',
    perMinute: 20,
    body: Proof,
    response: { 200: PasskeyOptions },
    handler: async (ctx) => ctx.reply(200, { options: await identity.beginPasskey(askerOf(ctx), ctx.body) }, secret),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/passkeys',
    summary: 'Take a passkey on; other sessions of the person end, first backup codes are answered once',
    tag: 'sign-in',
    policy: 'session',
    body: NewPasskey,
    maxBodyBytes: 32_768,
    response: { 201: z.object({ id: Id, codes: z.array(z.string()) }) },
    async handler(ctx) {
      const { id, codes, cookies } = await identity.confirmPasskey(askerOf(ctx), ctx.body)
      return ctx.reply(201, { id, codes: [...codes] }, { headers: { ...secret.headers, 'set-cookie': cookies } })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/passkeys/:id/remove',
    summary: 'Give a passkey up, with password and code or passkey; other sessions of the person end',
    tag: 'sign-in',
    policy: 'signed-in',
    params: z.object({ id: Id }),
    body: Proof,
    response: { 204: 'empty' },
    async handler(ctx) {
      await identity.removePasskey(askerOf(ctx), ctx.params.id, ctx.body)
      return ctx.reply(204, undefined)
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/session/passkey',
    summary: 'A challenge for a passkey of who asks: at the lock screen, for proof again, for a change of the account',
    tag: 'sign-in',
    policy: 'session',
    perMinute: 60,
    response: { 200: PasskeyOptions },
    handler: async (ctx) => ctx.reply(200, { options: await identity.askPasskey(askerOf(ctx)) }, secret),
  }),
  defineRoute({
    method: 'POST',
    url: '/api/v1/session/step-up',
    summary: 'Show again who asks, by a code or a passkey: grave acts are open for five minutes in this session',
    tag: 'sign-in',
    policy: 'session',
    body: StepUp,
    maxBodyBytes: 32_768,
    response: { 204: 'empty' },
    async handler(ctx) {
      assertFree(ctx.principal)
      const cookies = await identity.stepUp(askerOf(ctx), ctx.body)
      return ctx.reply(204, undefined, { headers: { 'set-cookie': cookies } })
    },
  }),
]
