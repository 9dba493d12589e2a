/** What a person who is signed in does with their passkeys: take one on, give one up, be asked for one. */
import type { MadePasskey } from '@careloop/contract'
import type { z } from 'zod'
import { endSessions } from './access-changed.ts'
import { recordAct } from './acted-by.ts'
import { fail } from './errors.ts'
import { assertMayEnrol } from './own-account.ts'
import {
  askForPasskey,
  type BrowserOptions,
  dropPasskey,
  keepPasskey,
  offerPasskey,
  readMadePasskey,
} from './passkeys.ts'
import { type Asker, assertProof, byAsker, ofSession, type Proof, renewSession, whole } from './proof.ts'
import { relyingParty } from './relying-party.ts'
import { beginFactor, demandsSecondFactor, firstBackupCodes, readSecondFactor } from './second-factor.ts'
import { assertPasswordOwn, assertUnlocked } from './session-hold.ts'
import type { Door } from './sign-in.ts'

const registering = ({ person }: Asker) => ({ purpose: 'register', boundTo: person.session }) as const

/**
 * Like a new authenticator app it wants the password, and what they have already: an open desk must not become somebody else's key.
 * @throws Failure `session-locked`, `password-change-needed`, `passkey-not-here`, `passkey-too-many`, and those of a wrong proof
 */
export async function beginPasskey(door: Door, asker: Asker, proof: Proof): Promise<BrowserOptions> {
  const { person } = asker
  const party = relyingParty(door.publicOrigin, asker.host)
  await assertMayEnrol(door, asker, proof)
  const { rows } = await door.engine.db.pool.query<{ email: string }>('select email from auth.user where id = $1', [
    person.id,
  ])
  const owner = { user: person.id, email: rows[0]!.email, displayName: person.displayName }
  return offerPasskey(door.engine, party, owner, registering(asker))
}

export interface KeptPasskey {
  readonly id: string
  /** Shown once; empty for who has some already. */
  readonly codes: readonly string[]
  /** Of the session that goes on. */
  readonly cookies: readonly string[]
}

/** The person's other sessions end: what was signed in before it was so without the passkey. @throws Failure `passkey-refused` */
export async function confirmPasskey(
  door: Door,
  asker: Asker,
  wanted: { readonly name: string; readonly passkey: z.output<typeof MadePasskey> },
): Promise<KeptPasskey> {
  const { person } = asker
  const { engine, secrets } = door
  assertUnlocked(person)
  assertPasswordOwn(person)
  const party = relyingParty(door.publicOrigin, asker.host)
  const made = await readMadePasskey(engine, party, wanted.passkey, registering(asker))
  const kept = await engine.db.asEngine(async (tx) => {
    const id = await keepPasskey(engine, secrets, tx, { ...made, user: person.id, name: wanted.name })
    await beginFactor(tx, { user: person.id, session: person.session, now: engine.clock.now() })
    await recordAct(tx, { tenant: person.tenant, by: byAsker(asker), action: 'create', resource: 'passkey', id })
    return { id, codes: await firstBackupCodes(tx, secrets, person.id) }
  })
  return { ...kept, cookies: await renewSession(door, asker, true) }
}

/**
 * Not the last factor of who needs one. With the last one the backup codes go: they would open beside nothing.
 * @throws Failure `passkey-not-found`, `second-factor-needed`, and those of a wrong proof
 */
export async function removePasskey(door: Door, asker: Asker, id: string, proof: Proof): Promise<void> {
  const { person } = asker
  const { engine } = door
  const owned = await engine.db.pool.query<{ id: string }>('select id from auth.passkey where user_id = $1', [
    person.id,
  ])
  if (!owned.rows.some((each) => each.id === id))
    throw fail('passkey-not-found', 'You have no such passkey. Read the list again.', { pointer: '/params/id' })
  const { hasApp } = await readSecondFactor(engine, person.id)
  const isLast = !hasApp && owned.rows.length === 1
  if (isLast && demandsSecondFactor(person.roles))
    throw fail('second-factor-needed', 'Your role needs a second factor. Add another passkey, or an app, first.')
  await assertProof(door, asker, whole(proof, true), 'second-factor')
  await engine.db.asEngine(async (tx) => {
    await dropPasskey(tx, person.id, id)
    if (isLast) await tx.client.query('delete from auth.backup_code where user_id = $1', [person.id])
    await endSessions(tx, person.id, person.session)
    await recordAct(tx, { tenant: person.tenant, by: byAsker(asker), action: 'revoke', resource: 'passkey', id })
  })
}

/** For the lock screen, for proof again, and for changes of the account. @throws Failure `passkey-none`, `passkey-not-here` */
export const askOwnPasskey = (door: Door, asker: Asker): Promise<BrowserOptions> =>
  askForPasskey(door.engine, relyingParty(door.publicOrigin, asker.host), asker.person.id, ofSession(asker.person))
