/**
 * Sign-in: the password, then the second factor of who has one, then the session. Between the two there is no session, only a
 * challenge of five minutes whose token is in a cookie. Sessions and their cookies are the library's.
 */
import type { Engine } from '../engine/index.ts'
import { fail } from './errors.ts'
import { hashPassword, verifyPassword } from './password.ts'
import { demandsSecondFactor, readSecondFactor, takeCode, wrongCode } from './second-factor.ts'
import type { Secrets } from './secrets.ts'
import { sha256 } from './service-tokens.ts'
import { recordRefusedCode, recordRefusedSignIn, recordSignIn } from './sign-in-trail.ts'
import { rolesOf } from './staff.ts'
import { beginSession, type StaffAuth } from './staff-auth.ts'
import { keepAddress, type Throttle } from './throttle.ts'

export interface Door {
  readonly engine: Engine
  readonly staffAuth: StaffAuth
  readonly secrets: Secrets
  readonly throttle: Throttle
}

/** Where an answer comes from. */
export interface Peer {
  readonly ip: string
  readonly userAgent: string | undefined
  readonly requestId: string
}

export type SignInStep =
  | {
      readonly next: 'signed-in' | 'enrol-second-factor'
      readonly user: { readonly id: string; readonly email: string; readonly name: string }
      /** Values of Set-Cookie. */
      readonly cookies: readonly string[]
    }
  /** `challenge` goes into a cookie of five minutes; no session exists. */
  | { readonly next: 'second-factor'; readonly challenge: string }

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
  const account = await accountOf(engine, email)
  const attempt = { door: 'sign-in', ip: peer.ip, account: email, user: account?.id ?? null } as const
  await throttle.take(attempt)
  if (account === null || !(await isPasswordOf(account, shown.password))) {
    // An unknown address costs as much time as a wrong password.
    if (account === null) await hashPassword(shown.password)
    await recordRefusedSignIn(engine, email, peer.requestId)
    throw fail('sign-in-refused', 'E-mail or password is wrong, or the session has ended.')
  }
  await throttle.settle(attempt)
  if ((await readSecondFactor(engine, account.id)).isOn)
    return { next: 'second-factor', challenge: await openChallenge(engine, account.id, shown.remember) }
  return begin(door, account.id, shown.remember, peer, false)
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
  // Deleting takes the row's lock: of two right codes that come at once with one challenge, one finds nothing.
  const used = await engine.db.pool.query('delete from auth.challenge where sha256 = $1', [token])
  if (used.rowCount !== 1) throw challengeOver()
  await throttle.settle(attempt)
  return begin(door, challenge.user, challenge.remember, peer, true)
}

const challengeOver = () =>
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

async function openChallenge(engine: Engine, user: string, remember: boolean): Promise<string> {
  const token = engine.ids.token('clstep')
  const now = engine.clock.now()
  await engine.db.pool.query('delete from auth.challenge where expires_at <= $1', [new Date(now)])
  await engine.db.pool.query(
    'insert into auth.challenge (sha256, user_id, remember, expires_at) values ($1, $2, $3, $4)',
    [sha256(token), user, remember, new Date(now + challengeMs)],
  )
  return token
}

async function readChallenge(engine: Engine, token: Buffer): Promise<{ user: string; remember: boolean } | null> {
  const { rows } = await engine.db.pool.query<{ user: string; remember: boolean }>(
    'select user_id as user, remember from auth.challenge where sha256 = $1 and expires_at > $2 and failures < $3',
    [token, new Date(engine.clock.now()), challengeTries],
  )
  return rows[0] ?? null
}

const countWrong = (engine: Engine, token: Buffer) =>
  engine.db.pool.query('update auth.challenge set failures = failures + 1 where sha256 = $1', [token])

async function begin(
  door: Door,
  user: string,
  remember: boolean,
  peer: Peer,
  passedSecondFactor: boolean,
): Promise<SignInStep> {
  const { engine, staffAuth, secrets } = door
  const begun = await beginSession(staffAuth, { user, remember, ...peer })
  const now = new Date(engine.clock.now())
  await engine.db.pool.query('update auth.session set active_at = $2, second_factor_at = $3 where id = $1', [
    ...[begun.session, now, passedSecondFactor ? now : null],
  ])
  // What is given must stand in the trail: when it cannot be written, nobody signs in.
  await recordSignIn(engine, user, peer.requestId)
  await keepAddress(engine, secrets, user, peer.ip)
  const roles = await rolesOf(engine, user)
  const mustEnrol = !passedSecondFactor && demandsSecondFactor(roles)
  return { next: mustEnrol ? 'enrol-second-factor' : 'signed-in', user: begun.user, cookies: begun.cookies }
}
