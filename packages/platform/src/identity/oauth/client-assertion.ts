/**
 * An app proves who it is by a key of its own (private_key_jwt): RS384 or ES384, for our token endpoint, five minutes long at most, each
 * one once. SMART App Launch 2.2, "Client Authentication: Asymmetric"; RFC 7523.
 */
import { decodeJwt, type JWTPayload, errors as joseErrors, jwtVerify } from 'jose'
import type { Engine } from '../../engine/index.ts'
import { sha256 } from '../service-tokens.ts'
import type { App } from './apps.ts'
import type { ClientKeys } from './client-keys.ts'
import { oauthRefusal } from './oauth-refusal.ts'

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const assertionAlgorithms = ['RS384', 'ES384'] as const
/** s: so long it may be good, and so far its clock may be off from ours. */
const maxLifeSeconds = 300
const toleranceSeconds = 10

/** Whose it claims to be, unproved; null when it is no assertion at all. */
export function claimedClient(assertion: string): string | null {
  try {
    const { iss, sub } = decodeJwt(assertion)
    return iss !== undefined && iss === sub ? iss : null
  } catch {
    return null
  }
}

interface Parts {
  readonly engine: Pick<Engine, 'clock' | 'db'>
  readonly keys: ClientKeys
}

/** @param audience the token endpoint, as published. @throws OAuthRefusal `invalid_client` */
export async function verifyAssertion(parts: Parts, app: App, assertion: string, audience: string): Promise<void> {
  const payload = await verified(parts, app, assertion, audience)
  const now = parts.engine.clock.now() / 1000
  const { exp, iat, jti } = payload
  if (exp === undefined || exp - now > maxLifeSeconds + toleranceSeconds)
    throw oauthRefusal('invalid_client', 'exp is missing, or more than five minutes ahead')
  if (iat !== undefined && iat - now > toleranceSeconds) throw oauthRefusal('invalid_client', 'iat is ahead of time')
  if (typeof jti !== 'string' || jti === '' || jti.length > 512)
    throw oauthRefusal('invalid_client', 'jti is missing or too long')
  await takeOnce(parts, app, jti, exp)
}

async function verified(parts: Parts, app: App, assertion: string, audience: string): Promise<JWTPayload> {
  const checked = {
    ...{ algorithms: [...assertionAlgorithms], issuer: app.id, subject: app.id, audience },
    ...{ currentDate: new Date(parts.engine.clock.now()), clockTolerance: toleranceSeconds },
  }
  for (const isUnknown of [false, true]) {
    const { find, isFresh } = await parts.keys.of(app, isUnknown)
    try {
      return (await jwtVerify(assertion, find, checked)).payload
    } catch (error) {
      if (!isUnknown && !isFresh && isOtherKey(error)) continue
      throw oauthRefusal('invalid_client', wordsOf(error))
    }
  }
  throw oauthRefusal('invalid_client', 'no key of this client fits')
}

/** Its key may have been changed since we looked, also under the same name. */
const isOtherKey = (error: unknown): boolean =>
  error instanceof joseErrors.JWKSNoMatchingKey || error instanceof joseErrors.JWSSignatureVerificationFailed

function wordsOf(error: unknown): string {
  if (error instanceof joseErrors.JWTExpired) return 'the assertion has expired'
  if (error instanceof joseErrors.JWTClaimValidationFailed) return `the claim ${error.claim} is not as it must be`
  if (error instanceof joseErrors.JWKSNoMatchingKey) return 'no key of this client fits; is kid right?'
  if (error instanceof joseErrors.JOSEAlgNotAllowed) return 'sign by RS384 or ES384'
  return 'the assertion could not be verified'
}

/** Written before anything is given for it: of two that come at once, in whichever process, one is refused. */
async function takeOnce({ engine }: Parts, { id }: App, jti: string, exp: number): Promise<void> {
  const { pool } = engine.db
  const until = new Date((exp + toleranceSeconds) * 1000)
  await pool.query('delete from auth.app_assertion where app_id = $1 and expires_at < $2', [
    ...[id, new Date(engine.clock.now() - maxLifeSeconds * 1000)],
  ])
  const { rowCount } = await pool.query(
    'insert into auth.app_assertion (app_id, jti_sha256, expires_at) values ($1, $2, $3) on conflict do nothing',
    [id, sha256(jti), until],
  )
  if (rowCount !== 1) throw oauthRefusal('invalid_client', 'this jti was used before')
}
