/**
 * Sign-in, sign-out and passwords: the few paths of the sign-in library that staff need, each a route of ours; the rest of the
 * library's paths do not exist here. Its refusals become ours, so that there is one error body, and no token leaves in a body.
 */
import { ChangePassword, Id, Session, SignedIn, SignIn } from '@careloop/contract'
import { z } from 'zod'
import { fail } from './errors.ts'
import type { Identity } from './identity.ts'
import { assertPassword } from './password.ts'
import { actorOf, type Principal, type StaffPrincipal } from './principal.ts'
import { defineRoute, type ReplyHeaders, type Route } from './route.ts'
import { internalOrigin, peerHeader } from './staff-auth.ts'

export const signInRoutes = (identity: Identity): Route[] => [
  defineRoute({
    method: 'POST',
    url: '/api/auth/sign-in/email',
    summary: 'Sign in; sets the session cookie',
    tag: 'sign-in',
    policy: 'public',
    body: SignIn,
    maxBodyBytes: 8192,
    response: { 200: SignedIn },
    async handler(ctx) {
      const { status, value, headers } = await askLibrary(identity, 'sign-in/email', ctx, ctx.body)
      // What is given and what is refused must stand in the trail: when it cannot be written, nobody signs in.
      if (status === 401) await identity.recordRefusedSignIn(ctx.body.email, ctx.requestId)
      assertServed(status, headers)
      const signedIn = SignedIn.parse(value)
      await identity.recordSignIn(signedIn.user.id, ctx.requestId)
      return ctx.reply(200, signedIn, { headers })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/auth/sign-out',
    summary: 'End this session',
    tag: 'sign-in',
    policy: 'public',
    response: { 204: 'empty' },
    async handler(ctx) {
      const leaving = await whoLeaves(identity, ctx.headers.cookie)
      const { status, headers } = await askLibrary(identity, 'sign-out', ctx, {})
      assertServed(status, headers)
      if (leaving !== null) {
        const by = { actor: actorOf(leaving), requestId: ctx.requestId }
        await identity.recordAct({ tenant: leaving.tenant, by, action: 'logout', resource: 'user', id: leaving.id })
      }
      return ctx.reply(204, undefined, { headers })
    },
  }),
  defineRoute({
    method: 'GET',
    url: '/api/auth/get-session',
    summary: 'Until when this session lasts (asking prolongs one that is in use); null when there is none',
    tag: 'sign-in',
    policy: 'public',
    response: { 200: z.object({ expiresAt: z.iso.datetime() }).nullable() },
    async handler(ctx) {
      const { status, value, headers } = await askLibrary(identity, 'get-session', ctx)
      assertServed(status, headers)
      const found = z
        .object({ session: z.object({ expiresAt: z.iso.datetime() }) })
        .nullable()
        .parse(value)
      return ctx.reply(200, found === null ? null : { expiresAt: found.session.expiresAt }, { headers })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/auth/change-password',
    summary: 'Change the password of who asks; other sessions end unless said otherwise',
    tag: 'sign-in',
    policy: 'signed-in',
    perMinute: 10,
    body: ChangePassword,
    response: { 204: 'empty' },
    async handler(ctx) {
      assertStaff(ctx.principal)
      assertPassword(ctx.body.newPassword, '', '/body/newPassword')
      const { status, headers } = await askLibrary(identity, 'change-password', ctx, ctx.body)
      if (status === 400)
        throw fail('sign-in-refused', 'The current password is wrong.', { pointer: '/body/currentPassword' })
      assertServed(status, headers)
      const by = { actor: actorOf(ctx.principal), requestId: ctx.requestId }
      await identity.recordAct({ tenant: ctx.tenant, by, action: 'update', resource: 'user', id: ctx.principal.id })
      return ctx.reply(204, undefined, { headers })
    },
  }),
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
]

interface Asked {
  readonly ip: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

interface Served {
  readonly status: number
  readonly value: unknown
  readonly headers: ReplyHeaders
}

async function askLibrary(identity: Identity, path: string, asked: Asked, body?: object): Promise<Served> {
  const headers = new Headers({ [peerHeader]: asked.ip })
  for (const name of ['cookie', 'user-agent']) {
    const value = asked.headers[name]
    if (typeof value === 'string') headers.set(name, value)
  }
  if (body !== undefined) headers.set('content-type', 'application/json')
  const sent = body === undefined ? { method: 'GET' } : { method: 'POST', body: JSON.stringify(body) }
  const answered = await identity.serveSignIn(new Request(`${internalOrigin}/api/auth/${path}`, { ...sent, headers }))
  const text = await answered.text()
  const cookies = answered.headers.getSetCookie()
  const wait = answered.headers.get('x-retry-after')
  return {
    status: answered.status,
    value: text === '' ? null : JSON.parse(text),
    headers: {
      ...(cookies.length === 0 ? {} : { 'set-cookie': cookies }),
      ...(wait === null ? {} : { 'retry-after': wait }),
    },
  }
}

function assertServed(status: number, headers: ReplyHeaders): void {
  if (status < 300) return
  if (status === 429)
    throw fail('sign-in-throttled', 'Too many attempts from this address. Wait and try again.', {
      retryAfterSeconds: Math.max(1, Number(headers['retry-after'] ?? 60)),
    })
  if (status === 401) throw fail('sign-in-refused', 'E-mail or password is wrong, or the session has ended.')
  if (status < 500) throw fail('sign-in-invalid', 'Not understood. Check the e-mail address and the password rules.')
  throw new Error('the sign-in library failed')
}

/** @throws Failure `not-allowed` for a service: it has no session and no password */
function assertStaff(principal: Principal): StaffPrincipal {
  if (principal.kind === 'staff') return principal
  throw fail('not-allowed', 'Only a person who is signed in has sessions and a password.')
}

async function whoLeaves(identity: Identity, cookie: string | string[] | undefined): Promise<Principal | null> {
  const asking = { authorization: undefined, cookie: [cookie].flat()[0] }
  return identity.authenticate(asking, async () => null).catch(() => null)
}
