/** What a person does to their own account while signed in: password, second factor, lock. Each answer to a secret is throttled. */
import { Failure } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import { type ActedBy, recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import { assertPassword, hashPassword } from './password.ts'
import { actorOf, type StaffPrincipal } from './principal.ts'
import {
  confirmSecret,
  demandsSecondFactor,
  type OfferedSecret,
  offerSecret,
  readSecondFactor,
  removeSecondFactor,
  replaceBackupCodes,
  takeCode,
  wrongCode,
} from './second-factor.ts'
import { assertUnlocked, recordRefusedUnlock, unlockSession } from './session-hold.ts'
import { type Door, isPasswordOfUser } from './sign-in.ts'
import { beginSession } from './staff-auth.ts'
import { tenantName } from './tenants.ts'
import type { GuardedDoor } from './throttle.ts'

/** Who asks, from where. */
export interface Asker {
  readonly person: StaffPrincipal
  readonly ip: string
  readonly userAgent: string | undefined
  readonly requestId: string
  /** Whether their cookie outlives the browser. */
  readonly remember: boolean
}

/** What was typed to prove that it is them. */
export interface Proof {
  readonly password?: string | undefined
  readonly code?: string | undefined
}

/** Password or code, whichever is shown. @throws Failure `sign-in-refused`, `second-factor-refused`, `sign-in-throttled` */
async function assertProof(door: Door, asker: Asker, proof: Proof, guarded: GuardedDoor): Promise<void> {
  const { engine, secrets, throttle } = door
  const { person, ip } = asker
  const attempt = { door: guarded, ip, account: person.id, user: person.id }
  await throttle.take(attempt)
  if (proof.password !== undefined && !(await isPasswordOfUser(engine, person.id, proof.password)))
    throw fail('sign-in-refused', 'The password is wrong.', { pointer: '/body/password' })
  if (proof.code !== undefined && !(await takeCode(engine, secrets, person.id, proof.code)))
    throw wrongCode('This code is not right, or was used already. Wait for the next one.')
  await throttle.settle(attempt)
}

/** Lets a locked session go on. @throws Failure `sign-in-refused`, `second-factor-refused`, `sign-in-throttled` */
export async function unlock(door: Door, asker: Asker, proof: Proof): Promise<void> {
  const { engine } = door
  try {
    await assertProof(door, asker, proof, 'unlock')
  } catch (error) {
    // What was not looked at is no answer: written down, a cookie from a desk could fill the trail as fast as the network goes.
    if (!(error instanceof Failure && error.code === 'sign-in-throttled'))
      await recordRefusedUnlock(engine, asker.person, asker.requestId)
    throw error
  }
  await unlockSession(engine, asker.person, asker.requestId)
}

/**
 * Offers a secret for the authenticator app. Who has to enrol has just given the password; everybody else gives it again, and a code
 * of the old app when there is one: an open desk must not become somebody else's second factor.
 * @throws Failure `session-locked`, `sign-in-refused`, `second-factor-refused`, `sign-in-throttled`
 */
export async function beginEnrolment(door: Door, asker: Asker, proof: Proof): Promise<OfferedSecret> {
  const { person } = asker
  assertUnlocked(person)
  if (person.held === undefined) {
    const { isOn } = await readSecondFactor(door.engine, person.id)
    await assertProof(door, asker, whole(proof, isOn), isOn ? 'second-factor' : 'password')
  }
  return offerSecret(door.engine, door.secrets, {
    user: person.id,
    tenantName: await tenantName(door.engine, person.tenant),
  })
}

/** What is demanded and was left out counts as wrong. */
const whole = ({ password = '', code = '' }: Proof, withCode: boolean): Proof =>
  withCode ? { password, code } : { password }

/**
 * @returns backup codes, shown once, and the cookies of the session that goes on
 * @throws Failure `second-factor-not-offered`, `second-factor-refused`, `sign-in-throttled`
 */
export async function confirmEnrolment(
  door: Door,
  asker: Asker,
  code: string,
): Promise<{ codes: string[]; cookies: readonly string[] }> {
  const { person, ip } = asker
  assertUnlocked(person)
  const attempt = { door: 'second-factor', ip, account: person.id, user: person.id } as const
  await door.throttle.take(attempt)
  const codes = await confirmSecret(door.engine, door.secrets, {
    ...{ tenant: person.tenant, user: person.id, session: person.session, code, by: byOf(asker) },
  })
  await door.throttle.settle(attempt)
  return { codes, cookies: await renewSession(door, asker) }
}

/** @throws Failure `second-factor-off`, and those of a wrong code */
export async function renewBackupCodes(door: Door, asker: Asker, code: string): Promise<string[]> {
  const { person } = asker
  await assertOn(door.engine, person.id)
  await assertProof(door, asker, { code }, 'second-factor')
  return replaceBackupCodes(door.engine, door.secrets, { tenant: person.tenant, user: person.id, by: byOf(asker) })
}

/** Of one's own free will; not where the role demands one. @throws Failure `second-factor-needed`, `second-factor-off` and those of a wrong proof */
export async function giveUpSecondFactor(door: Door, asker: Asker, proof: Proof): Promise<void> {
  const { person } = asker
  await assertOn(door.engine, person.id)
  if (demandsSecondFactor(person.roles))
    throw fail('second-factor-needed', 'Your role needs a second factor. Move it to another telephone instead.')
  await assertProof(door, asker, whole(proof, true), 'second-factor')
  await removeSecondFactor(door.engine, {
    ...{ tenant: person.tenant, user: person.id, by: byOf(asker), keep: person.session },
  })
}

async function assertOn(engine: Engine, user: string): Promise<void> {
  if (!(await readSecondFactor(engine, user)).isOn)
    throw fail('second-factor-off', 'You have no second factor. Set one up first.')
}

export interface PasswordChange {
  readonly currentPassword: string
  readonly newPassword: string
  readonly revokeOtherSessions: boolean
}

/**
 * The session goes on under another token: a cookie that was taken before opens nothing any more.
 * @returns the cookies of the session that goes on
 * @throws Failure `sign-in-refused`, `password-weak`, `sign-in-throttled`
 */
export async function changePassword(door: Door, asker: Asker, change: PasswordChange): Promise<readonly string[]> {
  const { person, ip } = asker
  assertPassword(change.newPassword, '', '/body/newPassword')
  const attempt = { door: 'password', ip, account: person.id, user: person.id } as const
  await door.throttle.take(attempt)
  if (!(await isPasswordOfUser(door.engine, person.id, change.currentPassword)))
    throw fail('sign-in-refused', 'The current password is wrong.', { pointer: '/body/currentPassword' })
  await door.throttle.settle(attempt)
  const hash = await hashPassword(change.newPassword)
  await door.engine.db.asEngine(async (tx) => {
    await tx.client.query(
      `update auth.account set password = $2, updated_at = now() where user_id = $1 and provider_id = 'credential'`,
      [person.id, hash],
    )
    await tx.client.query('delete from auth.challenge where user_id = $1', [person.id])
    if (change.revokeOtherSessions)
      await tx.client.query('delete from auth.session where user_id = $1 and id <> $2', [person.id, person.session])
    await recordAct(tx, { tenant: person.tenant, by: byOf(asker), action: 'update', resource: 'user', id: person.id })
  })
  return renewSession(door, asker)
}

async function renewSession(door: Door, asker: Asker): Promise<readonly string[]> {
  const { person, ip, userAgent, remember } = asker
  const { session, cookies } = await beginSession(door.staffAuth, { user: person.id, remember, ip, userAgent })
  await door.engine.db.asEngine(async ({ client }) => {
    await client.query(
      `update auth.session now_ set active_at = before.active_at, second_factor_at = before.second_factor_at
         from auth.session before where now_.id = $1 and before.id = $2`,
      [session, person.session],
    )
    await client.query('delete from auth.session where id = $1', [person.session])
  })
  return cookies
}

const byOf = ({ person, requestId }: Asker): ActedBy => ({ actor: actorOf(person), requestId })
