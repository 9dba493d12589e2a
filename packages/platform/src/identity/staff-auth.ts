/**
 * better-auth, set up for staff: e-mail and password, sessions in the database, no sign-up. It keeps its tables in schema
 * `auth` in our spelling. Origin checks are switched off here because `api` makes the same check for every route, once.
 */
import { createHmac } from 'node:crypto'
import { betterAuth } from 'better-auth'
import { Kysely, PostgresDialect } from 'kysely'
import type { Engine } from '../engine/index.ts'
import { hashPassword, maxPasswordLength, minPasswordLength, verifyPassword } from './password.ts'

/** Requests reach the library under this name: cookies carry no domain, so it is seen by nobody. */
export const internalOrigin = 'http://careloop.internal'
/** Set by us from the socket; what a client sends under this name is thrown away. */
export const peerHeader = 'x-careloop-peer'

export interface StaffAuthOptions {
  /** True when browsers reach Careloop by TLS: cookies are then sent over TLS only. */
  readonly secureCookies: boolean
  /** Sign-ins a minute from one address. */
  readonly signInsPerMinute: number
}

/** A working day; a session in use is prolonged once an hour. */
const sessionSeconds = 12 * 3600
const prolongSeconds = 3600

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
      expiresIn: sessionSeconds,
      updateAge: prolongSeconds,
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
      customRules: { '/sign-in/email': { window: 60, max: options.signInsPerMinute } },
    },
    advanced: {
      cookiePrefix: 'careloop',
      useSecureCookies: options.secureCookies,
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', path: '/' },
      disableCSRFCheck: true,
      disableOriginCheck: true,
      ipAddress: { ipAddressHeaders: [peerHeader] },
      database: { generateId: () => engine.ids.uuid(), validateSchema: false },
    },
    telemetry: { enabled: false },
    logger: {
      level: 'warn',
      disableColors: true,
      log: (level, message) => watchLibrary(engine, level, message),
    },
  })
}

export type StaffAuth = Awaited<ReturnType<typeof makeStaffAuth>>

/** The library puts addresses and origins after a colon, and objects into further arguments: neither reaches our log. */
function watchLibrary(engine: Engine, level: 'debug' | 'info' | 'warn' | 'error', message: string): void {
  engine.watch.log[level]({ room: 'identity' }, `sign-in library: ${message.split(':')[0]}`)
}
