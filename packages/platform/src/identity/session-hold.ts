/**
 * What holds a session back: locked, in want of a password of one's own, or of a second factor. A held session reaches the few routes that let go of the hold
 * (`policy: 'session'`), and nothing else. Held by the server: a cookie that was taken from a desk is worth nothing after the idle time.
 */
import type { AnyRole } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import { tellAccessChanged } from './access-changed.ts'
import { type ActedBy, recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import { actorOf, type Hold, type StaffPrincipal } from './principal.ts'
import { demandsSecondFactor } from './second-factor.ts'

/** Nobody passes by a patient's telephone as they pass a ward's desk. */
const personIdleLockMs = 30 * 60_000

/** ms without a human being after which a session of these roles is locked. */
export const idleLockOf = (roles: readonly AnyRole[], idleLockMs: number): number =>
  isPerson(roles) ? Math.max(personIdleLockMs, idleLockMs) : idleLockMs

/** A patient or caregiver: they are nothing else under the same account. */
export const isPerson = (roles: readonly AnyRole[]): boolean =>
  roles.length > 0 && roles.every((role) => role === 'patient' || role === 'caregiver')

export interface Standing {
  readonly roles: readonly AnyRole[]
  /** Last act of a human being, ms since epoch. */
  readonly activeAt: number
  readonly lockedAt: number | null
  readonly hasSecondFactor: boolean
  /** Somebody else made the password, or knows it. */
  readonly isPasswordHandedOver: boolean
}

/** Pure. A lock comes first: who is not there enrols nothing. Then the password: who else knows it must not set up a factor. */
export function holdOf(standing: Standing, now: number, idleLockMs: number): Hold | null {
  if (standing.lockedAt !== null || now - standing.activeAt >= idleLockMs) return 'locked'
  if (standing.isPasswordHandedOver) return 'password-change-needed'
  return !standing.hasSecondFactor && demandsSecondFactor(standing.roles) ? 'second-factor-needed' : null
}

/** @throws Failure `session-locked`, `password-change-needed`, `second-factor-needed` */
export function assertFree(person: StaffPrincipal): void {
  assertUnlocked(person)
  assertPasswordOwn(person)
  if (person.held === 'second-factor-needed')
    throw fail(
      'second-factor-needed',
      'Your role needs a second factor. Set up a passkey or an authenticator app on the sign-in page, then go on.',
    )
}

/** @throws Failure `password-change-needed` */
export function assertPasswordOwn(person: StaffPrincipal): void {
  if (person.held === 'password-change-needed')
    throw fail(
      'password-change-needed',
      'Your password was made by somebody else. Choose one of your own on the sign-in page, then go on.',
    )
}

/** @throws Failure `session-locked` */
export function assertUnlocked(person: StaffPrincipal): void {
  if (person.held === 'locked')
    throw fail('session-locked', 'This session is locked. Give your password to go on where you were.')
}

/** A human being did something just now. Cannot wake a session whose time has passed. @throws Failure `session-locked` */
export async function keepAwake(engine: Engine, person: StaffPrincipal): Promise<void> {
  assertUnlocked(person)
  const { rowCount } = await engine.db.pool.query(
    'update auth.session set active_at = greatest(active_at, $2) where id = $1 and locked_at is null',
    [person.session, new Date(engine.clock.now())],
  )
  if (rowCount === 0) assertUnlocked({ ...person, held: 'locked' })
}

export const lockSession = (engine: Engine, person: StaffPrincipal, requestId: string): Promise<void> =>
  change(engine, person, requestId, { lock: true })

/** After the password or a code was found right. */
export const unlockSession = (engine: Engine, person: StaffPrincipal, requestId: string): Promise<void> =>
  change(engine, person, requestId, { lock: false })

/** An answer at the lock screen that was wrong. */
export const recordRefusedUnlock = (engine: Engine, person: StaffPrincipal, requestId: string): Promise<void> =>
  engine.db.asEngine((tx) =>
    recordAct(tx, {
      ...{ tenant: person.tenant, by: byOf(person, requestId), outcome: 'denied' },
      ...{ action: 'login', resource: 'session', id: person.session },
    }),
  )

async function change(engine: Engine, person: StaffPrincipal, requestId: string, { lock }: { lock: boolean }) {
  const now = new Date(engine.clock.now())
  await engine.db.asEngine(async (tx) => {
    await tx.client.query(
      lock
        ? 'update auth.session set locked_at = coalesce(locked_at, $2) where id = $1'
        : 'update auth.session set locked_at = null, active_at = $2 where id = $1',
      [person.session, now],
    )
    if (lock) await tellAccessChanged(tx, person.id)
    const action = lock ? 'logout' : 'login'
    const by = byOf(person, requestId)
    await recordAct(tx, { tenant: person.tenant, by, action, resource: 'session', id: person.session })
  })
}

const byOf = (person: StaffPrincipal, requestId: string): ActedBy => ({ actor: actorOf(person), requestId })
