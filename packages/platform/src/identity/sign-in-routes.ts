/**
 * Sign-in and sign-out, each a route of ours; the sign-in library's own paths do not exist here. No token leaves in a body: it is
 * in cookies that no script reads.
 */
import { ChangePassword, SecondFactorCode, SignedIn, SignIn } from '@careloop/contract'
import { z } from 'zod'
import { askerOf } from './asked-by.ts'
import { fail } from './errors.ts'
import type { Identity } from './identity.ts'
import { actorOf } from './principal.ts'
import { defineRoute, type ReplyHeaders, type Route } from './route.ts'
import { challengeMs, type Peer, type SignInStep } from './sign-in.ts'
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
      if (!z.email().safeParse(email.trim()).success)
        throw fail('sign-in-invalid', 'Not understood. Check the e-mail address and the password rules.')
      const step = await identity.signIn({ email, password, remember }, peerOf(ctx))
      return ctx.reply(200, shown(step), { headers: cookiesOf(identity, step) })
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
      const challenge = cookieNamed(ctx.headers.cookie, challengeCookie(identity))
      const step = await identity.passSecondFactor({ challenge, code: ctx.body.code }, peerOf(ctx))
      return ctx.reply(200, shown(step), { headers: cookiesOf(identity, step) })
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
      const { status, headers } = await askLibrary(identity, 'sign-out', ctx, {})
      if (status >= 300) throw new Error('the sign-in library ended no session')
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
      // Whoever is held back, or is not there any more, prolongs nothing.
      const asking = { authorization: undefined, cookie: [ctx.headers.cookie].flat()[0] }
      if ((await identity.authenticate(asking, async () => null).catch(() => null)) === null)
        return ctx.reply(200, null)
      const { status, value, headers } = await askLibrary(identity, 'get-session', ctx)
      if (status >= 300) throw new Error('the sign-in library read no session')
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

const peerOf = ({ ip, requestId, headers }: Asked): Peer => ({
  ...{ ip, requestId, userAgent: [headers['user-agent']].flat()[0] },
})

const shown = (step: SignInStep): SignedIn =>
  step.next === 'second-factor' ? { next: step.next } : { next: step.next, user: { ...step.user } }

const challengeCookie = (identity: Identity): string =>
  `${identity.secureCookies ? '__Secure-' : ''}careloop.second_factor`

/** A finished sign-in takes its challenge away. */
function cookiesOf(identity: Identity, step: SignInStep): ReplyHeaders {
  const attributes = `Path=/api/auth; HttpOnly; SameSite=Lax${identity.secureCookies ? '; Secure' : ''}`
  const name = challengeCookie(identity)
  if (step.next === 'second-factor')
    return { 'set-cookie': [`${name}=${step.challenge}; Max-Age=${challengeMs / 1000}; ${attributes}`] }
  return { 'set-cookie': [...step.cookies, `${name}=; Max-Age=0; ${attributes}`] }
}

function cookieNamed(header: string | string[] | undefined, name: string): string | undefined {
  const pairs = [header].flat().flatMap((each) => (each ?? '').split(';'))
  const found = pairs.find((pair) => pair.trim().startsWith(`${name}=`))
  return found?.trim().slice(name.length + 1)
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
