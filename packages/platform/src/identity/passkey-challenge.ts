/** What an authenticator is asked to sign: random, good once, for five minutes, for one purpose and one asker. */
import { randomBytes } from 'node:crypto'
import type { Engine } from '../engine/index.ts'
import { fail } from './errors.ts'
import { sha256 } from './service-tokens.ts'

export type PasskeyPurpose = 'register' | 'sign-in' | 'second-factor' | 'session'

export interface Binding {
  readonly purpose: PasskeyPurpose
  /** What only the same asker has: the session's id, or the secret of a cookie. */
  readonly boundTo: string
}

export const passkeyChallengeMs = 5 * 60_000
const challengeBytes = 32

/** @returns the challenge itself; the database keeps its SHA-256 */
export async function openPasskeyChallenge(
  engine: Engine,
  { purpose, boundTo }: Binding,
): Promise<Uint8Array<ArrayBuffer>> {
  const challenge = new Uint8Array(randomBytes(challengeBytes))
  const now = engine.clock.now()
  await engine.db.pool.query('delete from auth.passkey_challenge where expires_at <= $1', [new Date(now)])
  await engine.db.pool.query(
    'insert into auth.passkey_challenge (sha256, purpose, binding, expires_at) values ($1, $2, $3, $4)',
    [
      hashOf(Buffer.from(challenge).toString('base64url')),
      purpose,
      sha256(boundTo),
      new Date(now + passkeyChallengeMs),
    ],
  )
  return challenge
}

/**
 * Uses up the challenge that was signed, whether the signature turns out right or not.
 * @param clientDataJSON as the browser sent it, base64url
 * @returns the challenge, base64url
 * @throws Failure `passkey-refused`
 */
export async function takePasskeyChallenge(
  engine: Engine,
  clientDataJSON: string,
  { purpose, boundTo }: Binding,
): Promise<string> {
  const challenge = challengeIn(clientDataJSON)
  const used = await engine.db.pool.query(
    'delete from auth.passkey_challenge where sha256 = $1 and purpose = $2 and binding = $3 and expires_at > $4',
    [hashOf(challenge), purpose, sha256(boundTo), new Date(engine.clock.now())],
  )
  if (used.rowCount !== 1) throw passkeyRefused()
  return challenge
}

const hashOf = (challenge: string): Buffer => sha256(challenge)

function challengeIn(clientDataJSON: string): string {
  try {
    const said: unknown = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString())
    const challenge = (said as { challenge?: unknown } | null)?.challenge
    if (typeof challenge === 'string') return challenge
  } catch {
    // Not JSON: refused like every other answer that is none.
  }
  throw passkeyRefused()
}

/** One answer for all that can be wrong: what exactly is of use to a guesser only. */
export const passkeyRefused = () =>
  fail('passkey-refused', 'This passkey was not taken. Begin again, or use a code.', { pointer: '/body/passkey' })
