/** What a person does to their own account while signed in: password, second factor, lock, proof again. */
import { Failure } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import { endSessions, tellAccessChanged } from './access-changed.ts'
import { recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import { assertPassword, hashPassword } from './password.ts'
import { wordsAbout } from './password-words.ts'
import { type Asker, assertProof, byAsker, type Proof, renewSession, whole } from './proof.ts'
import {
  confirmSecret,
  demandsSecondFactor,
  type OfferedSecret,
  offerSecret,
  readSecondFactor,
  removeSecondFactor,
  replaceBackupCodes,
} from './second-factor.ts'
import { assertPasswordOwn, assertUnlocked, recordRefusedUnlock, unlockSession } from './session-hold.ts'
import { type Door, isPasswordOfUser } from './sign-in.ts'
import { recordRefusedCode } from './sign-in-trail.ts'
import { tenantName } from './tenants.ts'

/**
 * Lets a locked session go on. A code or passkey counts as a fresh proof too.
 * @returns the cookies of the session that goes on
 * @throws Failure `sign-in-refused`, `second-factor-refused`, `passkey-refused`, `passkey-suspected`, `sign-in-throttled`
 */
export async function unlock(door: Door, asker: Asker, proof: Proof): Promise<readonly string[]> {
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
  return renewSession(door, asker, proof.password === undefined)
}

/**
 * Proof again before a grave act; it counts for five minutes in this session.
 * @returns the cookies of the session that goes on
 * @throws Failure `second-factor-off`, `second-factor-refused`, `passkey-refused`, `passkey-suspected`, `sign-in-throttled`
 */
export async function stepUp(door: Door, asker: Asker, { code, passkey }: Proof): Promise<readonly string[]> {
  const { engine } = door
  const { person, requestId } = asker
  await assertOn(engine, person.id)
  try {
    await assertProof(door, asker, passkey === undefined ? { code: code ?? '' } : { passkey }, 'step-up')
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'sign-in-throttled'))
      await recordRefusedCode(engine, person.id, requestId)
    throw error
  }
  const cookies = await renewSession(door, asker, true)
  await engine.db.asEngine((tx) =>
    recordAct(tx, {
      ...{ tenant: person.tenant, by: byAsker(asker), action: 'login' },
      ...{ resource: 'second-factor', id: person.id },
    }),
  )
  return cookies
}

/**
 * Offers a secret for the authenticator app. Who has to enrol has just given the password; everybody else gives it again, and a code
 * of the old app when there is one: an open desk must not become somebody else's second factor.
 * @throws Failure `session-locked`, `sign-in-refused`, `second-factor-refused`, `sign-in-throttled`
 */
export async function beginEnrolment(door: Door, asker: Asker, proof: Proof): Promise<OfferedSecret> {
  const { person } = asker
  await assertMayEnrol(door, asker, proof)
  return offerSecret(door.engine, door.secrets, {
    user: person.id,
    tenantName: await tenantName(door.engine, person.tenant),
  })
}

/** @throws Failure `session-locked`, `password-change-needed`, and those of a wrong proof */
export async function assertMayEnrol(door: Door, asker: Asker, proof: Proof): Promise<void> {
  const { person } = asker
  assertUnlocked(person)
  assertPasswordOwn(person)
  if (person.held !== undefined) return
  const { isOn } = await readSecondFactor(door.engine, person.id)
  await assertProof(door, asker, whole(proof, isOn), isOn ? 'second-factor' : 'password')
}

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
  assertPasswordOwn(person)
  const attempt = { door: 'second-factor', ip, account: person.id, user: person.id } as const
  await door.throttle.take(attempt)
  const codes = await confirmSecret(door.engine, door.secrets, {
    ...{ tenant: person.tenant, user: person.id, session: person.session, code, by: byAsker(asker) },
  })
  await door.throttle.settle(attempt)
  return { codes, cookies: await renewSession(door, asker, true) }
}

/** @throws Failure `second-factor-off`, and those of a wrong code */
export async function renewBackupCodes(door: Door, asker: Asker, { code, passkey }: Proof): Promise<string[]> {
  const { person } = asker
  await assertOn(door.engine, person.id)
  await assertProof(door, asker, passkey === undefined ? { code: code ?? '' } : { passkey }, 'second-factor')
  return replaceBackupCodes(door.engine, door.secrets, { tenant: person.tenant, user: person.id, by: byAsker(asker) })
}

/** App, passkeys and backup codes, of one's own free will; not where the role demands one. @throws Failure `second-factor-needed`, `second-factor-off` and those of a wrong proof */
export async function giveUpSecondFactor(door: Door, asker: Asker, proof: Proof): Promise<void> {
  const { person } = asker
  await assertOn(door.engine, person.id)
  if (demandsSecondFactor(person.roles))
    throw fail('second-factor-needed', 'Your role needs a second factor. Move it to another telephone instead.')
  await assertProof(door, asker, whole(proof, true), 'second-factor')
  await removeSecondFactor(door.engine, {
    ...{ tenant: person.tenant, user: person.id, by: byAsker(asker), keep: person.session },
  })
}

export async function assertOn(engine: Engine, user: string): Promise<void> {
  if (!(await readSecondFactor(engine, user)).isOn)
    throw fail('second-factor-off', 'You have no second factor. Set one up first.')
}

export interface PasswordChange {
  /** Not asked of who is held for it: they have just given the one that was handed over. */
  readonly currentPassword?: string | undefined
  readonly newPassword: string
  readonly revokeOtherSessions: boolean
}

/**
 * The session goes on under another token: a cookie that was taken before opens nothing any more. A password that was handed over
 * is the person's own from here on.
 * @returns the cookies of the session that goes on
 * @throws Failure `session-locked`, `sign-in-refused`, `password-weak`, `sign-in-throttled`
 */
export async function changePassword(door: Door, asker: Asker, change: PasswordChange): Promise<readonly string[]> {
  const { person } = asker
  const { engine } = door
  assertUnlocked(person)
  assertPassword(change.newPassword, await wordsAbout(engine, person.tenant, person.id), '/body/newPassword')
  if (person.held !== 'password-change-needed') await assertCurrentPassword(door, asker, change.currentPassword ?? '')
  if (await isPasswordOfUser(engine, person.id, change.newPassword))
    throw fail('password-weak', 'This is the password that you have now. Choose another.', {
      pointer: '/body/newPassword',
    })
  const hash = await hashPassword(change.newPassword)
  await engine.db.asEngine(async (tx) => {
    await tx.client.query(
      `update auth.account set password = $2, handed_over_at = null, updated_at = now()
        where user_id = $1 and provider_id = 'credential'`,
      [person.id, hash],
    )
    await tx.client.query('delete from auth.challenge where user_id = $1', [person.id])
    if (change.revokeOtherSessions) await endSessions(tx, person.id, person.session)
    else await tellAccessChanged(tx, person.id)
    const by = byAsker(asker)
    await recordAct(tx, { tenant: person.tenant, by, action: 'update', resource: 'user', id: person.id })
  })
  return renewSession(door, asker, false)
}

async function assertCurrentPassword(door: Door, { person, ip }: Asker, password: string): Promise<void> {
  const attempt = { door: 'password', ip, account: person.id, user: person.id } as const
  await door.throttle.take(attempt)
  if (!(await isPasswordOfUser(door.engine, person.id, password)))
    throw fail('sign-in-refused', 'The current password is wrong.', { pointer: '/body/currentPassword' })
  await door.throttle.settle(attempt)
}
