/** What is shown to prove that it is them: a password, a code, a passkey. Each answer to a secret is throttled. */
import type { PasskeyAnswer } from '@careloop/contract'
import type { ActedBy } from './acted-by.ts'
import { recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import { passkeyRefused } from './passkey-challenge.ts'
import { type PasskeyFinding, readPasskey } from './passkeys.ts'
import { actorOf, type StaffPrincipal } from './principal.ts'
import { relyingParty } from './relying-party.ts'
import { takeCode, wrongCode } from './second-factor.ts'
import { type Door, isPasswordOfUser } from './sign-in.ts'
import { carrySession } from './staff-auth.ts'
import type { GuardedDoor } from './throttle.ts'

/** Who asks, from where. */
export interface Asker {
  readonly person: StaffPrincipal
  readonly ip: string
  readonly userAgent: string | undefined
  readonly requestId: string
  /** Whether their cookie outlives the browser. */
  readonly remember: boolean
  /** Under which name the server was asked. */
  readonly host?: string | undefined
}

export interface Proof {
  readonly password?: string | undefined
  readonly code?: string | undefined
  readonly passkey?: PasskeyAnswer | undefined
}

/** What is demanded and was left out counts as wrong. @param withFactor a code or a passkey beside the password */
export const whole = ({ password = '', code = '', passkey }: Proof, withFactor: boolean): Proof => ({
  password,
  ...(withFactor ? (passkey === undefined ? { code } : { passkey }) : {}),
})

/**
 * All that is shown has to be right.
 * @throws Failure `sign-in-refused`, `second-factor-refused`, `passkey-refused`, `passkey-suspected`, `sign-in-throttled`
 */
export async function assertProof(door: Door, asker: Asker, proof: Proof, guarded: GuardedDoor): Promise<void> {
  const { engine, secrets, throttle } = door
  const { person, ip } = asker
  const attempt = { door: guarded, ip, account: person.id, user: person.id }
  // A signature cannot be guessed: who guesses codes keeps nobody from using their passkey.
  const isGuessable = proof.password !== undefined || proof.code !== undefined
  if (isGuessable) await throttle.take(attempt)
  if (proof.password !== undefined && !(await isPasswordOfUser(engine, person.id, proof.password)))
    throw fail('sign-in-refused', 'The password is wrong.', { pointer: '/body/password' })
  if (proof.code !== undefined && !(await takeCode(engine, secrets, person.id, proof.code)))
    throw wrongCode('This code is not right, or was used already. Wait for the next one.')
  if (proof.passkey !== undefined) {
    const party = relyingParty(door.publicOrigin, asker.host)
    const found = await readPasskey(engine, party, proof.passkey, person.id, ofSession(person))
    await assertRight(door, found, { tenant: person.tenant, by: byAsker(asker) })
  }
  if (isGuessable) await throttle.settle(attempt)
}

/** Challenges for who is signed in, locked or not. */
export const ofSession = (person: StaffPrincipal) => ({ purpose: 'session', boundTo: person.session }) as const

/** @throws Failure `passkey-refused`, `passkey-suspected` (and then the trail tells) */
export async function assertRight(
  { engine }: Door,
  found: PasskeyFinding,
  { tenant, by }: { readonly tenant: string; readonly by: ActedBy },
): Promise<void> {
  if (found.is === 'right') return
  if (found.is === 'wrong') throw passkeyRefused()
  const { passkey: id } = found
  await engine.db.asEngine((tx) =>
    recordAct(tx, { tenant, by, action: 'denied', resource: 'passkey', id, outcome: 'denied' }),
  )
  throw fail(
    'passkey-suspected',
    'There seem to be two of this passkey, so it opens nothing any more. Use a code or another passkey, and remove this one on your account page.',
    { pointer: '/body/passkey' },
  )
}

/**
 * The session goes on under another token: a cookie that was taken before opens nothing any more.
 * @param proved whether a second factor was proved just now
 * @returns the cookies that carry it from here on
 */
export async function renewSession(
  door: Door,
  asker: { readonly person: Pick<StaffPrincipal, 'session'>; readonly remember: boolean },
  proved: boolean,
): Promise<readonly string[]> {
  const { person, remember } = asker
  const { engine } = door
  const token = engine.ids.token('clsess')
  const { rowCount } = await engine.db.pool.query(
    `update auth.session set token = $2, updated_at = now(), proved_at = case when $3::boolean then $4::timestamptz else proved_at end
      where id = $1`,
    [person.session, token, proved, new Date(engine.clock.now())],
  )
  if (rowCount !== 1) throw fail('not-signed-in', 'This session has ended meanwhile. Sign in.')
  return carrySession(door.staffAuth, { token, remember })
}

export const byAsker = ({ person, requestId }: Asker): ActedBy => ({ actor: actorOf(person), requestId })
