/** One walk to the identity provider and back: begun in one browser, ended there once, within ten minutes. */
import { calculatePKCECodeChallenge, randomNonce, randomPKCECodeVerifier, randomState } from 'openid-client'
import { z } from 'zod'
import type { DataKey, Engine } from '../engine/index.ts'
import { sha256 } from './service-tokens.ts'
import type { SsoProvider } from './sso-provider.ts'

export const attemptMs = 10 * 60_000

export interface BegunAttempt {
  readonly state: string
  readonly nonce: string
  readonly challenge: string
  readonly redirectUri: string
  /** Goes into the cookie. */
  readonly browser: string
}

const Kept = z.object({ nonce: z.string(), verifier: z.string(), redirectUri: z.string() })

export interface Attempt extends z.infer<typeof Kept> {
  readonly state: string
  readonly returnTo: string
  /** An administrator who tries the settings; null = somebody who signs in. */
  readonly trialBy: string | null
  /** Whose person proves again who they are; null = somebody who signs in. */
  readonly provesSession: string | null
  /** ms since epoch. */
  readonly begunAt: number
}

export interface WantedAttempt {
  readonly redirectUri: string
  readonly returnTo: string
  readonly trialBy: string | null
  readonly provesSession: string | null
}

export async function beginAttempt(
  engine: Engine,
  key: DataKey,
  provider: SsoProvider,
  wanted: WantedAttempt,
): Promise<BegunAttempt> {
  const { redirectUri, returnTo, trialBy, provesSession } = wanted
  const [state, nonce, verifier] = [randomState(), randomNonce(), randomPKCECodeVerifier()]
  const browser = engine.ids.token('clsso')
  const now = engine.clock.now()
  const hash = sha256(state)
  await engine.db.pool.query('delete from auth.sso_attempt where expires_at <= $1', [new Date(now)])
  await engine.db.pool.query(
    `insert into auth.sso_attempt (state_sha256, provider_id, browser_sha256, sealed, return_to, trial_by, expires_at,
       proves_session)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      ...[
        hash,
        provider.id,
        sha256(browser),
        key.seal(Buffer.from(JSON.stringify({ nonce, verifier, redirectUri })), aadOf(hash)),
      ],
      ...[returnTo, trialBy, new Date(now + attemptMs), provesSession],
    ],
  )
  return { state, nonce, challenge: await calculatePKCECodeChallenge(verifier), redirectUri, browser }
}

/** @returns null when it was used, has expired, or belongs to another provider or browser. Whatever it was, it is over now. */
export async function takeAttempt(
  engine: Engine,
  key: DataKey,
  provider: SsoProvider,
  shown: { readonly state: string; readonly browser: string },
): Promise<Attempt | null> {
  const hash = sha256(shown.state)
  const { rows } = await engine.db.pool.query<AttemptRow>(
    'delete from auth.sso_attempt where state_sha256 = $1 returning *',
    [hash],
  )
  const row = rows[0]
  if (row === undefined || row.provider_id !== provider.id) return null
  if (row.expires_at.getTime() <= engine.clock.now() || !row.browser_sha256.equals(sha256(shown.browser))) return null
  const kept = Kept.parse(JSON.parse(key.open(row.sealed, aadOf(hash)).toString()))
  const { return_to: returnTo, trial_by: trialBy, proves_session: provesSession } = row
  const begunAt = row.expires_at.getTime() - attemptMs
  return { ...kept, state: shown.state, returnTo, trialBy, provesSession, begunAt }
}

const aadOf = (hash: Buffer): string => `auth.sso_attempt ${hash.toString('hex')}`

interface AttemptRow {
  readonly provider_id: string
  readonly browser_sha256: Buffer
  readonly sealed: Buffer
  readonly return_to: string
  readonly trial_by: string | null
  readonly proves_session: string | null
  readonly expires_at: Date
}
