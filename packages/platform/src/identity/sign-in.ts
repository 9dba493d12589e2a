/**
 * Sign-in: the password, then the second factor of who has one, then the session. Between the two there is no session, only a
 * challenge of five minutes whose token is in a cookie. Sessions and their cookies are the library's.
 */
import type { Engine } from '../engine/index.ts'
import { fail } from './errors.ts'
import { hashPassword, verifyPassword } from './password.ts'
import { personOfLogin } from './person-login.ts'
import { demandsSecondFactor, readSecondFactor, type SecondFactorState, takeCode, wrongCode } from './second-factor.ts'
import type { Secrets } from './secrets.ts'
import { sha256 } from './service-tokens.ts'
import { recordRefusedCode, recordRefusedSignIn, recordSignIn } from './sign-in-trail.ts'
import { type CarriedRow, carriedBy, carryByChallenge, type SsoOrigin, tieToProvider } from './sso-session.ts'
import { isPasswordHandedOver, rolesOf } from './staff.ts'
import { beginSession, type StaffAuth, sessionMs } from './staff-auth.ts'
import { keepAddress, type Throttle } from './throttle.ts'

export interface Door {
  readonly engine: Engine
  readonly staffAuth: StaffAuth
  readonly secrets: Secrets
  readonly throttle: Throttle
  /** Where browsers reach us; passkeys are for this name. */
  readonly publicOrigin?: string | undefined
}

/** Where an answer comes from. */
export interface Peer {
  readonly ip: string
  readonly userAgent: string | undefined
  readonly requestId: string
  /** Under which name the server was asked. */
  readonly host?: string | undefined
}

export type SignInStep =
  | {
      readonly next: 'signed-in' | 'enrol-second-factor' | 'change-password'
      readonly user: { readonly id: string; readonly email: string; readonly name: string }
      /** Values of Set-Cookie. */
      readonly cookies: readonly string[]
    }
  /** `challenge` goes into a cookie of five minutes; no session exists. */
  | { readonly next: 'second-factor'; readonly challenge: string; readonly factors: readonly ('code' | 'passkey')[] }

export const challengeMs = 5 * 60_000
/** Wrong codes after which the password is asked for again. */
const challengeTries = 5

/** @throws Failure `sign-in-refused`, `sign-in-throttled` */
export async function signIn(
  door: Door,
  shown: { readonly email: string; readonly password: string; readonly remember: boolean },
  peer: Peer,
): Promise<SignInStep> {
  const email = shown.email.trim().toLowerCase()
  const { engine, throttle } = door
  // Staff by their address; a patient or caregiver by what only its HMAC is kept of.
  const account = (await accountOf(engine, email)) ?? (await personOfLogin(engine, door.secrets, email))
  const attempt = { door: 'sign-in', ip: peer.ip, account: email, user: account?.id ?? null } as const
  await throttle.take(attempt)
  if (account === null || !(await isPasswordOf(account, shown.password))) {
    // An unknown address costs as much time as a wrong password.
    if (account === null) await hashPassword(shown.password)
    await recordRefusedSignIn(engine, email, peer.requestId)
    throw fail('sign-in-refused', 'E-mail or password is wrong, or the session has ended.')
  }
  await throttle.settle(attempt)
  const factor = await readSecondFactor(engine, account.id)
  if (factor.isOn) {
    const challenge = await openChallenge(engine, account.id, shown.remember)
    return { next: 'second-factor', challenge, factors: factorsOf(factor) }
  }
  return begin(door, { user: account.id, remember: shown.remember, passedSecondFactor: false }, peer)
}

/** @throws Failure `challenge-over`, `second-factor-refused`, `sign-in-throttled` */
export async function passSecondFactor(
  door: Door,
  shown: { readonly challenge: string | undefined; readonly code: string },
  peer: Peer,
): Promise<SignInStep> {
  const { engine, secrets, throttle } = door
  const token = sha256(shown.challenge ?? '')
  const challenge = await readChallenge(engine, token)
  if (challenge === null) throw challengeOver()
  const attempt = { door: 'second-factor', ip: peer.ip, account: challenge.user, user: challenge.user } as const
  await throttle.take(attempt)
  if (!(await takeCode(engine, secrets, challenge.user, shown.code))) {
    await recordRefusedCode(engine, challenge.user, peer.requestId)
    await countWrong(engine, token)
    throw wrongCode('This code is not right, or was used already. Wait for the next one, or use a backup code.')
  }
  await useUp(engine, token)
  await throttle.settle(attempt)
  return begin(door, { ...challenge, passedSecondFactor: true }, peer)
}

/** With which the second step can be passed. */
export const factorsOf = ({ hasApp, passkeys, backupCodesLeft }: SecondFactorState): ('code' | 'passkey')[] => [
  ...(passkeys > 0 ? (['passkey'] as const) : []),
  ...(hasApp || backupCodesLeft > 0 ? (['code'] as const) : []),
]

/** Deleting takes the row's lock: of two right answers that come at once with one challenge, one finds nothing. */
export async function useUp(engine: Engine, token: Buffer): Promise<void> {
  const used = await engine.db.pool.query('delete from auth.challenge where sha256 = $1', [token])
  if (used.rowCount !== 1) throw challengeOver()
}

export const challengeOver = () =>
  fail('challenge-over', 'The sign-in took too long or had too many wrong codes. Give your password again.')

// ---------------------------------------------------------------- password

interface Account {
  readonly id: string
  readonly password: string
}

async function accountOf(engine: Engine, email: string): Promise<Account | null> {
  const { rows } = await engine.db.pool.query<Account>(
    `select u.id, a.password from auth.user u join auth.account a on a.user_id = u.id
      where u.email = $1 and a.provider_id = 'credential' and a.password is not null`,
    [email],
  )
  return rows[0] ?? null
}

const isPasswordOf = (account: Account, password: string): Promise<boolean> =>
  verifyPassword(account.password, password)

/** Of somebody who is signed in already, at the lock screen or before a change. */
export async function isPasswordOfUser(engine: Engine, user: string, password: string): Promise<boolean> {
  const { rows } = await engine.db.pool.query<{ password: string }>(
    `select password from auth.account where user_id = $1 and provider_id = 'credential' and password is not null`,
    [user],
  )
  return rows[0] !== undefined && verifyPassword(rows[0].password, password)
}

// ---------------------------------------------------------------- challenge and session

/** For who has proved the first factor, here or at the identity provider of their organisation. @param origin that provider */
export async function openChallenge(
  engine: Engine,
  user: string,
  remember: boolean,
  origin?: SsoOrigin,
): Promise<string> {
  const token = engine.ids.token('clstep')
  const now = engine.clock.now()
  await engine.db.pool.query('delete from auth.challenge where expires_at <= $1', [new Date(now)])
  await engine.db.pool.query(
    'insert into auth.challenge (sha256, user_id, remember, expires_at) values ($1, $2, $3, $4)',
    [sha256(token), user, remember, new Date(now + challengeMs)],
  )
  if (origin !== undefined) await carryByChallenge(engine, sha256(token), origin)
  return token
}

/** The first factor was right. */
export interface OpenChallenge {
  readonly user: string
  readonly remember: boolean
  /** Where it was proved; null = here, by the password. */
  readonly origin: SsoOrigin | null
}

/** What stands after the first factor; null when it is over. */
export async function readChallenge(engine: Engine, token: Buffer): Promise<OpenChallenge | null> {
  const { rows } = await engine.db.pool.query<{ user_id: string; remember: boolean } & CarriedRow>(
    'select * from auth.challenge where sha256 = $1 and expires_at > $2 and failures < $3',
    [token, new Date(engine.clock.now()), challengeTries],
  )
  const row = rows[0]
  if (row === undefined) return null
  return { user: row.user_id, remember: row.remember, origin: await carriedBy(engine, token, row) }
}

export const countWrong = (engine: Engine, token: Buffer) =>
  engine.db.pool.query('update auth.challenge set failures = failures + 1 where sha256 = $1', [token])

export interface Beginning {
  readonly user: string
  readonly remember: boolean
  readonly passedSecondFactor: boolean
  /** Absent or null: nothing ties the session to an identity provider. */
  readonly origin?: SsoOrigin | null
}

/** Lets somebody in. */
export async function begin(door: Door, beginning: Beginning, peer: Peer): Promise<SignInStep> {
  const { engine, staffAuth, secrets } = door
  const { user, remember, passedSecondFactor, origin = null } = beginning
  const begun = await beginSession(staffAuth, { user, remember, ...peer })
  const now = new Date(engine.clock.now())
  await engine.db.asEngine(async ({ client }) => {
    await client.query(
      'update auth.session set active_at = $2, second_factor_at = $3, proved_at = $3, ends_at = $4 where id = $1',
      [begun.session, now, passedSecondFactor ? now : null, new Date(now.getTime() + sessionMs)],
    )
    if (origin !== null) await tieToProvider(engine, client, begun.session, origin)
  })
  // What is given must stand in the trail: when it cannot be written, nobody signs in.
  await recordSignIn(engine, user, peer.requestId)
  await keepAddress(engine, secrets, user, peer.ip)
  return { next: await nextFor(engine, user, passedSecondFactor), user: begun.user, cookies: begun.cookies }
}

async function nextFor(engine: Engine, user: string, passedSecondFactor: boolean) {
  if (await isPasswordHandedOver(engine, user)) return 'change-password'
  const mustEnrol = !passedSecondFactor && demandsSecondFactor(await rolesOf(engine, user))
  return mustEnrol ? 'enrol-second-factor' : 'signed-in'
}
