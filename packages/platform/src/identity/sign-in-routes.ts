/**
 * Sign-in, sign-out and sessions: the few paths of the sign-in library that staff need, each a route of ours; the rest of the
 * library's paths do not exist here. Its refusals become ours, so that there is one error body.
 */
import { z } from 'zod'
import { fail } from './errors.ts'
import type { Identity } from './identity.ts'
import { actorOf, type Principal } from './principal.ts'
import { type BytesBody, defineRoute, type Method, type Replied, type ReplyHeaders, type Route } from './route.ts'
import { internalOrigin, peerHeader } from './staff-auth.ts'

const paths: readonly (readonly [method: Method, path: string, summary: string])[] = [
  ['POST', 'sign-in/email', 'Sign in with { email, password }; sets the session cookie'],
  ['POST', 'sign-out', 'End this session'],
  ['GET', 'get-session', 'This session, prolonged when in use; null when there is none'],
  ['GET', 'list-sessions', 'All sessions of this person'],
  ['POST', 'revoke-session', 'End one session by { token }'],
  ['POST', 'revoke-other-sessions', 'End all sessions but this'],
  ['POST', 'change-password', '{ currentPassword, newPassword, revokeOtherSessions }'],
]

const json: BytesBody = { maxBytes: 8192, maxInflatedBytes: 8192, contentTypes: ['application/json'] }

export const signInRoutes = (identity: Identity): Route[] =>
  paths.map(([method, path, summary]) =>
    defineRoute({
      method,
      url: `/api/auth/${path}`,
      summary,
      tag: 'sign-in',
      policy: 'public',
      ...(method === 'POST' ? { bytes: json } : {}),
      response: { 200: { stream: 'application/json' } },
      async handler(ctx) {
        const headers = new Headers({ [peerHeader]: ctx.ip })
        for (const name of ['cookie', 'user-agent', 'content-type']) {
          const value = ctx.headers[name]
          if (typeof value === 'string') headers.set(name, value)
        }
        const body = method === 'POST' ? { body: new Uint8Array(ctx.bytes) } : {}
        const request = new Request(`${internalOrigin}/api/auth/${path}`, { method, headers, ...body })
        const leaving = path === 'sign-out' ? await whoLeaves(identity, ctx.headers.cookie) : null
        const answered = await identity.serveSignIn(request)
        const text = await answered.text()
        await keepTrail(identity, {
          path,
          status: answered.status,
          sent: ctx.bytes,
          text,
          requestId: ctx.requestId,
          leaving,
        })
        return pass(text, answered, (bytes, options) => ctx.send(200, 'application/json', bytes, options))
      },
    }),
  )

interface Served {
  readonly path: string
  readonly status: number
  readonly sent: Buffer
  readonly text: string
  readonly requestId: string
  readonly leaving: Principal | null
}

/** A session that is given must stand in the trail: when the trail cannot be written, the sign-in fails. */
async function keepTrail(identity: Identity, served: Served): Promise<void> {
  const { path, status, requestId, leaving } = served
  if (path === 'sign-in/email' && status === 200)
    await identity.recordSignIn(SignedIn.parse(JSON.parse(served.text)).user.id, requestId)
  if (path === 'sign-in/email' && status === 401) {
    const tried = Tried.safeParse(JSON.parse(served.sent.toString('utf8')))
    if (tried.success) await identity.recordRefusedSignIn(tried.data.email, requestId)
  }
  if (path === 'sign-out' && status === 200 && leaving !== null) {
    const { tenant, id } = leaving
    const by = { actor: actorOf(leaving), requestId }
    await identity.recordAct({ tenant, by, action: 'logout', resource: 'user', id })
  }
}

const SignedIn = z.object({ user: z.object({ id: z.string() }) })
const Tried = z.object({ email: z.string() })

async function whoLeaves(identity: Identity, cookie: string | string[] | undefined): Promise<Principal | null> {
  const asking = { authorization: undefined, cookie: [cookie].flat()[0] }
  return identity.authenticate(asking, async () => null).catch(() => null)
}

type Send = (text: string, options: { headers: ReplyHeaders }) => Replied

function pass(text: string, answered: Response, send: Send): Replied {
  if (answered.ok) {
    const cookies = answered.headers.getSetCookie()
    return send(text === '' ? 'null' : text, { headers: cookies.length === 0 ? {} : { 'set-cookie': cookies } })
  }
  if (answered.status === 429)
    throw fail('sign-in-throttled', 'Too many attempts from this address. Wait and try again.', {
      retryAfterSeconds: Math.max(1, Number(answered.headers.get('x-retry-after') ?? 60)),
    })
  if (answered.status === 401) throw fail('sign-in-refused', 'E-mail or password is wrong, or the session has ended.')
  if (answered.status < 500) throw fail('sign-in-invalid', 'Not understood. Check the fields and the password rules.')
  throw new Error('the sign-in library failed')
}
