/**
 * Sign-in and sign-out, each a route of ours; the sign-in library's own paths do not exist here. No token leaves in a body: it is
 * in cookies that no script reads.
 */
import { ChangePassword, SecondFactorCode, SignedIn, SignIn } from '@careloop/contract'
import { z } from 'zod'
import { askerOf } from './asked-by.ts'
import { fail } from './errors.ts'
import type { Identity } from './identity.ts'
import { normaliseLogin } from './person-login.ts'
import { defineRoute, type ReplyHeaders, type Route } from './route.ts'
import { challengeCookie, cookieNamed, cookiesOf, peerOf, shown } from './sign-in-cookies.ts'
import { internalOrigin, peerHeader } from './staff-auth.ts'

export const signInRoutes = (identity: Identity): Route[] => [
  defineRoute({
    method: 'POST',
    url: '/api/auth/sign-in/email',
    summary: 'Sign in; sets the session cookie, or asks for the second factor first',
    tag: 'sign-in',
    policy: 'public',
    body: SignIn,
    maxBodyBytes: 8192,
    response: { 200: SignedIn },
    async handler(ctx) {
      const { email, password, rememberMe: remember } = ctx.body
      if (!z.email().safeParse(email.trim()).success && normaliseLogin(email) === null)
        throw fail('sign-in-invalid', 'Not understood. Check the e-mail address and the password rules.')
      const step = await identity.signIn({ email, password, remember }, peerOf(ctx))
      return ctx.reply(200, shown(step), { headers: { 'set-cookie': cookiesOf(identity, step) } })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/auth/sign-in/second-factor',
    summary: 'The second step: a code of the authenticator app, or a backup code; sets the session cookie',
    tag: 'sign-in',
    policy: 'public',
    body: SecondFactorCode,
    maxBodyBytes: 1024,
    response: { 200: SignedIn },
    async handler(ctx) {
      const challenge = cookieNamed(ctx.headers.cookie, identity, challengeCookie)
      const step = await identity.passSecondFactor({ challenge, code: ctx.body.code }, peerOf(ctx))
      return ctx.reply(200, shown(step), { headers: { 'set-cookie': cookiesOf(identity, step) } })
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
      const asking = { authorization: undefined, cookie: [ctx.headers.cookie].flat()[0] }
      const leaving = await identity.authenticateHeld(asking, async () => null).catch(() => null)
      // Ours first, with the trail, and told to every process; the library takes the cookies back.
      if (leaving?.kind === 'staff') await identity.leave(leaving, ctx.requestId)
      const { status, headers } = await askLibrary(identity, 'sign-out', ctx, {})
      if (status >= 300) throw new Error('the sign-in library ended no session')
      return ctx.reply(204, undefined, { headers })
    },
  }),
  defineRoute({
    method: 'GET',
    url: '/api/auth/get-session',
    summary: 'Until when this session lasts; null when there is none. Nothing prolongs it',
    tag: 'sign-in',
    policy: 'public',
    response: { 200: z.object({ expiresAt: z.iso.datetime() }).nullable() },
    async handler(ctx) {
      const asking = { authorization: undefined, cookie: [ctx.headers.cookie].flat()[0] }
      const asker = await identity.authenticate(asking, async () => null).catch(() => null)
      if (asker?.kind !== 'staff') return ctx.reply(200, null)
      const own = (await identity.sessions(asker)).find(({ isThis }) => isThis)
      return ctx.reply(200, own === undefined ? null : { expiresAt: new Date(own.expiresAt).toISOString() })
    },
  }),
  defineRoute({
    method: 'POST',
    url: '/api/auth/change-password',
    summary:
      'Change the password of who asks, or replace one that was handed over; other sessions end unless said otherwise',
    tag: 'sign-in',
    policy: 'session',
    perMinute: 10,
    body: ChangePassword,
    response: { 204: 'empty' },
    async handler(ctx) {
      const cookies = await identity.changePassword(askerOf(ctx), ctx.body)
      return ctx.reply(204, undefined, { headers: { 'set-cookie': cookies } })
    },
  }),
]

interface Asked {
  readonly ip: string
  readonly requestId: string
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
  return {
    status: answered.status,
    value: text === '' ? null : JSON.parse(text),
    headers: cookies.length === 0 ? {} : { 'set-cookie': cookies },
  }
}
