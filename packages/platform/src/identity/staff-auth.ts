/**
 * better-auth, set up for staff: e-mail and password, sessions in the database, no sign-up. It keeps its tables in schema
 * `auth` in our spelling. Origin checks are switched off here because `api` makes the same check for every route, once.
 */
import { createHmac } from 'node:crypto'
import { betterAuth } from 'better-auth'
import { createAuthEndpoint } from 'better-auth/api'
import { setSessionCookie } from 'better-auth/cookies'
import { Kysely, PostgresDialect } from 'kysely'
import { z } from 'zod'
import type { Engine, OutboundPolicy } from '../engine/index.ts'
import { hashPassword, maxPasswordLength, minPasswordLength, verifyPassword } from './password.ts'

/** Requests reach the library under this name: cookies carry no domain, so it is seen by nobody. */
export const internalOrigin = 'http://careloop.internal'
/** Set by us from the socket; what a client sends under this name is thrown away. */
export const peerHeader = 'x-careloop-peer'

export interface StaffAuthOptions {
  /** True when browsers reach Careloop by TLS: cookies are then sent over TLS only. */
  readonly secureCookies: boolean
  /** Wrong passwords, and wrong codes, a minute from one address. */
  readonly signInsPerMinute: number
  /** A session in which no human being did anything for so long is locked. */
  readonly idleLockMs: number
  /** Where browsers reach us, e.g. `https://care.example.org`: passkeys are for this name. Left out: for localhost only. */
  readonly publicOrigin?: string | undefined
  /** Which inner networks an identity provider may stand in; left out: none. */
  readonly outbound?: OutboundPolicy | undefined
  /** Whether integrations sends invitations by e-mail. */
  readonly mailsInvitations?: boolean | undefined
}

/** A working day. Nothing prolongs it: `ends_at` of the session's row holds (authenticate.ts), by the engine's clock. */
export const sessionMs = 12 * 3600_000

/**
 * Begins a session for somebody whom `sign-in.ts` has let in. The library's own sign-in begins one with the password alone; its path
 * is not served. Neither is this one: it is called in this process only.
 */
const sessionsOfOurs = {
  id: 'careloop-sessions',
  endpoints: {
    beginSession: createAuthEndpoint(
      '/careloop/begin-session',
      {
        method: 'POST',
        body: z.object({ user: z.string(), remember: z.boolean() }),
        metadata: { SERVER_ONLY: true },
      },
      async (ctx) => {
        const { user: id, remember } = ctx.body
        const user = await ctx.context.internalAdapter.findUserById(id)
        if (user === null) throw new Error('the person who was let in is gone')
        const session = await ctx.context.internalAdapter.createSession(user.id, !remember)
        await setSessionCookie(ctx, { session, user }, !remember)
        return ctx.json({ session: session.id, user: { id: user.id, email: user.email, name: user.name } })
      },
    ),
    carrySession: createAuthEndpoint(
      '/careloop/carry-session',
      {
        method: 'POST',
        body: z.object({ token: z.string(), remember: z.boolean() }),
        metadata: { SERVER_ONLY: true },
      },
      async (ctx) => {
        const { token, remember } = ctx.body
        const found = await ctx.context.internalAdapter.findSession(token)
        if (found === null) throw new Error('the session that was to go on is gone')
        await setSessionCookie(ctx, found, !remember)
        return ctx.json({})
      },
    ),
  },
} as const

export async function makeStaffAuth(engine: Engine, options: StaffAuthOptions) {
  const key = await engine.keys.keyFor('auth', 'session-cookies')
  const database = new Kysely({ dialect: new PostgresDialect({ pool: engine.db.pool }) }).withSchema('auth')
  return betterAuth({
    appName: 'Careloop',
    baseURL: internalOrigin,
    basePath: '/api/auth',
    secret: createHmac('sha256', key.raw).update('better-auth cookies').digest('base64url'),
    database: { db: database, type: 'postgres', transaction: true },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength,
      maxPasswordLength,
      password: { hash: hashPassword, verify: ({ hash, password }) => verifyPassword(hash, password) },
    },
    session: {
      expiresIn: sessionMs / 1000,
      disableSessionRefresh: true,
      fields: {
        expiresAt: 'expires_at',
        createdAt: 'created_at',
        updatedAt: 'updated_at',
        ipAddress: 'ip_address',
        userAgent: 'user_agent',
        userId: 'user_id',
      },
    },
    user: { fields: { emailVerified: 'email_verified', createdAt: 'created_at', updatedAt: 'updated_at' } },
    account: {
      fields: {
        accountId: 'account_id',
        providerId: 'provider_id',
        userId: 'user_id',
        accessToken: 'access_token',
        refreshToken: 'refresh_token',
        idToken: 'id_token',
        accessTokenExpiresAt: 'access_token_expires_at',
        refreshTokenExpiresAt: 'refresh_token_expires_at',
        createdAt: 'created_at',
        updatedAt: 'updated_at',
      },
    },
    verification: { fields: { expiresAt: 'expires_at', createdAt: 'created_at', updatedAt: 'updated_at' } },
    rateLimit: {
      enabled: true,
      storage: 'database',
      modelName: 'rate_limit',
      fields: { lastRequest: 'last_request' },
      window: 60,
      max: 600,
    },
    advanced: {
      cookiePrefix: 'careloop',
      // The library's own prefix would be `__Secure-`: it lets another host of the same domain set our cookies.
      useSecureCookies: false,
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', path: '/', secure: options.secureCookies },
      cookies: Object.fromEntries(
        ['session_token', 'session_data', 'dont_remember'].map((name) => [
          name,
          { name: cookieName(options.secureCookies, name) },
        ]),
      ),
      disableCSRFCheck: true,
      disableOriginCheck: true,
      ipAddress: { ipAddressHeaders: [peerHeader] },
      database: { generateId: () => engine.ids.uuid(), validateSchema: false },
    },
    plugins: [sessionsOfOurs],
    telemetry: { enabled: false },
    logger: {
      level: 'warn',
      disableColors: true,
      log: (level, message) => watchLibrary(engine, level, message),
    },
  })
}

/** By TLS with `__Host-`: set by this very host, for all of it, and sent over TLS only. */
export const cookieName = (isSecure: boolean, name: string): string => `${isSecure ? '__Host-' : ''}careloop.${name}`

export type StaffAuth = Awaited<ReturnType<typeof makeStaffAuth>>

/** The library puts addresses and origins after a colon, and objects into further arguments: neither reaches our log. */
function watchLibrary(engine: Engine, level: 'debug' | 'info' | 'warn' | 'error', message: string): void {
  engine.watch.log[level]({ room: 'identity' }, `sign-in library: ${message.split(':')[0]}`)
}

const Begun = z.object({ session: z.string(), user: z.object({ id: z.string(), email: z.string(), name: z.string() }) })

/** @returns the session's id, and the cookies that carry it */
export async function beginSession(
  staffAuth: StaffAuth,
  wanted: { user: string; remember: boolean; ip: string; userAgent: string | undefined },
) {
  const { user, remember, ip, userAgent } = wanted
  const headers = new Headers({ [peerHeader]: ip, ...(userAgent === undefined ? {} : { 'user-agent': userAgent }) })
  const answered = await staffAuth.api.beginSession({ body: { user, remember }, headers, asResponse: true })
  if (!answered.ok) throw new Error('the sign-in library began no session')
  return { ...Begun.parse(await answered.json()), cookies: answered.headers.getSetCookie() }
}

/** The cookies of a session that goes on under another token. */
export async function carrySession(
  staffAuth: StaffAuth,
  body: { token: string; remember: boolean },
): Promise<readonly string[]> {
  const answered = await staffAuth.api.carrySession({ body, headers: new Headers(), asResponse: true })
  if (!answered.ok) throw new Error('the sign-in library carried no session')
  return answered.headers.getSetCookie()
}
