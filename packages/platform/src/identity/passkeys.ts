/** A person's passkeys: made, listed, taken off, and asked for a signature. Attestation is not asked for: any authenticator will do. */
import type { MadePasskey, Passkey, PasskeyAnswer } from '@careloop/contract'
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import type { z } from 'zod'
import type { Engine, EngineTx } from '../engine/index.ts'
import { fail } from './errors.ts'
import {
  type Binding,
  openPasskeyChallenge,
  passkeyChallengeMs,
  passkeyRefused,
  takePasskeyChallenge,
} from './passkey-challenge.ts'
import type { RelyingParty } from './relying-party.ts'
import type { Secrets } from './secrets.ts'

/** More than that nobody has in their pockets; it bounds what the browser is sent. */
const maxPasskeys = 20

/** Options as browsers take them (WebAuthn's ...OptionsJSON): handed through, not read here. */
export type BrowserOptions = Record<string, unknown>

// ---------------------------------------------------------------- a new one

export interface PasskeyOwner {
  readonly user: string
  /** Shown by the authenticator, beside the site's name. */
  readonly email: string
  readonly displayName: string
}

export async function offerPasskey(
  engine: Engine,
  party: RelyingParty,
  owner: PasskeyOwner,
  binding: Binding,
): Promise<BrowserOptions> {
  const known = await rowsOf(engine, owner.user)
  if (known.length >= maxPasskeys)
    throw fail('passkey-too-many', `You have ${maxPasskeys} passkeys. Remove one that you no longer use first.`)
  const options = await generateRegistrationOptions({
    ...{ rpName: 'Careloop', rpID: party.id, timeout: passkeyChallengeMs, attestationType: 'none' },
    userID: new Uint8Array(Buffer.from(owner.user)),
    ...{ userName: owner.email, userDisplayName: owner.displayName },
    challenge: await openPasskeyChallenge(engine, binding),
    excludeCredentials: known.map(descriptorOf),
    // Discoverable: it signs in without an address. User verification: who holds it is also who it is.
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  })
  return { ...options }
}

/** Whether the browser made one for us; nothing is kept yet. @throws Failure `passkey-refused` */
export async function readMadePasskey(
  engine: Engine,
  party: RelyingParty,
  made: z.output<typeof MadePasskey>,
  binding: Binding,
) {
  const expectedChallenge = await takePasskeyChallenge(engine, made.response.clientDataJSON, binding)
  const { transports: _, ...response } = made.response
  const { authenticatorAttachment: __, ...rest } = made
  const verified = await verifyRegistrationResponse({
    response: { ...rest, response, clientExtensionResults: {} },
    ...{ expectedChallenge, expectedOrigin: [...party.origins], expectedRPID: party.id, requireUserVerification: true },
  }).catch(() => null)
  if (verified?.verified !== true) throw passkeyRefused()
  const { credential, credentialBackedUp } = verified.registrationInfo
  return { ...credential, isSynced: credentialBackedUp, transports: made.response.transports }
}

/** @returns its id. @throws Failure `passkey-refused` when somebody has it already */
export async function keepPasskey(
  engine: Engine,
  secrets: Secrets,
  tx: EngineTx,
  kept: { readonly user: string; readonly name: string } & Awaited<ReturnType<typeof readMadePasskey>>,
): Promise<string> {
  const id = engine.ids.uuid()
  const added = await tx.client.query(
    `insert into auth.passkey (id, user_id, credential_id, public_key, counter, transports, name, is_synced, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (credential_id) do nothing`,
    [
      ...[id, kept.user, Buffer.from(kept.id, 'base64url'), Buffer.from(kept.publicKey), kept.counter],
      ...[kept.transports, secrets.key.seal(Buffer.from(kept.name), aadOf(id)), kept.isSynced],
      new Date(engine.clock.now()),
    ],
  )
  if (added.rowCount !== 1) throw passkeyRefused()
  return id
}

// ---------------------------------------------------------------- an answer

/** @param user whose; null: whichever the person picks, whoever they are */
export async function askForPasskey(
  engine: Engine,
  party: RelyingParty,
  user: string | null,
  binding: Binding,
): Promise<BrowserOptions> {
  const known = user === null ? [] : (await rowsOf(engine, user)).filter(({ suspected_at }) => suspected_at === null)
  if (user !== null && known.length === 0) throw fail('passkey-none', 'You have no passkey. Use a code.')
  const options = await generateAuthenticationOptions({
    ...{ rpID: party.id, timeout: passkeyChallengeMs, userVerification: 'required' },
    challenge: await openPasskeyChallenge(engine, binding),
    ...(user === null ? {} : { allowCredentials: known.map(descriptorOf) }),
  })
  return { ...options }
}

/** What was found of an answer: whose passkey signed it, and whether that is of worth. */
export type PasskeyFinding =
  | { readonly is: 'right'; readonly user: string }
  /** The signature is right and its counter is not: there are two of it. From now on it opens nothing. */
  | { readonly is: 'suspected'; readonly user: string; readonly passkey: string }
  | { readonly is: 'wrong'; readonly user: string | null }

/** @param user whose it has to be; null: anybody's, who then is named by the authenticator too */
export async function readPasskey(
  engine: Engine,
  party: RelyingParty,
  answer: PasskeyAnswer,
  user: string | null,
  binding: Binding,
): Promise<PasskeyFinding> {
  const expectedChallenge = await takePasskeyChallenge(engine, answer.response.clientDataJSON, binding).catch(
    () => null,
  )
  const { rows } = await engine.db.pool.query<PasskeyRow>('select * from auth.passkey where credential_id = $1', [
    Buffer.from(answer.id, 'base64url'),
  ])
  const row = rows[0]
  if (row === undefined) return { is: 'wrong', user: null }
  const wrong = { is: 'wrong', user: row.user_id } as const
  const { userHandle } = answer.response
  const handle = userHandle === undefined ? null : Buffer.from(userHandle, 'base64url').toString()
  const isTheirs = user === null ? handle === row.user_id : user === row.user_id && (handle ?? user) === user
  if (expectedChallenge === null || !isTheirs) return wrong
  const counter = await signedCounter(party, answer, row, expectedChallenge)
  if (counter === null) return wrong
  if (row.suspected_at !== null || !(await moveCounter(engine, row.id, counter)))
    return { is: 'suspected', user: row.user_id, passkey: row.id }
  return { is: 'right', user: row.user_id }
}

/** The counter that was signed; null when the signature, the site or the proof of who holds it is not right. */
async function signedCounter(
  party: RelyingParty,
  answer: PasskeyAnswer,
  row: PasskeyRow,
  expectedChallenge: string,
): Promise<number | null> {
  const { clientDataJSON, authenticatorData, signature } = answer.response
  const verified = await verifyAuthenticationResponse({
    response: {
      ...{ id: answer.id, rawId: answer.rawId, type: answer.type, clientExtensionResults: {} },
      response: { clientDataJSON, authenticatorData, signature },
    },
    ...{ expectedChallenge, expectedOrigin: [...party.origins], expectedRPID: party.id, requireUserVerification: true },
    // The library compares counters before it checks the signature: whoever knows an id could have it set aside. So it knows none.
    credential: { id: answer.id, publicKey: new Uint8Array(row.public_key), counter: 0 },
  }).catch(() => null)
  return verified?.verified === true ? verified.authenticationInfo.newCounter : null
}

/** Moves the counter on, of two at once one; where it did not grow the passkey is set aside. Some authenticators never count: 0. */
async function moveCounter(engine: Engine, id: string, counter: number): Promise<boolean> {
  const now = new Date(engine.clock.now())
  const moved = await engine.db.pool.query(
    `update auth.passkey set counter = $2, used_at = $3
      where id = $1 and suspected_at is null and (counter < $2 or (counter = 0 and $2 = 0))`,
    [id, counter, now],
  )
  if (moved.rowCount === 1) return true
  await engine.db.pool.query('update auth.passkey set suspected_at = coalesce(suspected_at, $2) where id = $1', [
    id,
    now,
  ])
  return false
}

// ---------------------------------------------------------------- the list

export async function listPasskeys(engine: Engine, secrets: Secrets, user: string): Promise<Passkey[]> {
  return (await rowsOf(engine, user)).map((row) => ({
    id: row.id,
    name: secrets.key.open(row.name, aadOf(row.id)).toString(),
    createdAt: row.created_at.getTime(),
    usedAt: row.used_at?.getTime() ?? null,
    isSynced: row.is_synced,
    isSuspected: row.suspected_at !== null,
  }))
}

/** @throws Failure `passkey-not-found` */
export async function dropPasskey(tx: EngineTx, user: string, id: string): Promise<void> {
  const dropped = await tx.client.query('delete from auth.passkey where id = $1 and user_id = $2', [id, user])
  if (dropped.rowCount !== 1)
    throw fail('passkey-not-found', 'You have no such passkey. Read the list again.', { pointer: '/params/id' })
}

interface PasskeyRow {
  readonly id: string
  readonly user_id: string
  readonly credential_id: Buffer
  readonly public_key: Buffer
  readonly transports: string[]
  readonly name: Buffer
  readonly is_synced: boolean
  readonly created_at: Date
  readonly used_at: Date | null
  readonly suspected_at: Date | null
}

const rowsOf = async (engine: Engine, user: string): Promise<PasskeyRow[]> =>
  (
    await engine.db.pool.query<PasskeyRow>('select * from auth.passkey where user_id = $1 order by created_at, id', [
      user,
    ])
  ).rows

type Transport = 'ble' | 'cable' | 'hybrid' | 'internal' | 'nfc' | 'smart-card' | 'usb'
const transports: ReadonlySet<string> = new Set<Transport>([
  'ble',
  'cable',
  'hybrid',
  'internal',
  'nfc',
  'smart-card',
  'usb',
])

const descriptorOf = (row: PasskeyRow) => ({
  id: row.credential_id.toString('base64url'),
  transports: row.transports.filter((each): each is Transport => transports.has(each)),
})

const aadOf = (id: string): string => `passkey-name:${id}`
