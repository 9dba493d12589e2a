/** What of an app's settings cannot stand, found before it is kept: a mistake there is somebody else's way in later. */
import type { AppKind, SetApp } from '@careloop/contract'
import { importJWK, type JWK } from 'jose'
import { assertOutboundUrl, type OutboundPolicy } from '../../engine/index.ts'
import { fail } from '../errors.ts'
import { isScope } from './grantable.ts'
import { wrongWithRedirect } from './redirect-uri.ts'
import { parseScope } from './scopes.ts'

export type AppSettings = Omit<SetApp, 'isEnabled'>

/** Of keys: by RS384 or ES384 only, and nothing that signs. */
const publicMembers = ['kty', 'kid', 'alg', 'use', 'key_ops', 'n', 'e', 'crv', 'x', 'y'] as const

/** @returns the settings with the public parts of its keys only @throws Failure `app-unfit`, `outbound-url-refused` */
export async function assertFit(outbound: OutboundPolicy, kind: AppKind, wanted: AppSettings): Promise<AppSettings> {
  for (const [at, uri] of wanted.redirectUris.entries()) {
    const wrong = wrongWithRedirect(uri)
    if (wrong !== null) throw unfit(wrong, `/body/redirectUris/${at}`)
  }
  const wrongLaunch = wanted.launchUrl === null ? null : wrongWithRedirect(wanted.launchUrl)
  if (wrongLaunch !== null) throw unfit(wrongLaunch, '/body/launchUrl')
  for (const [at, scope] of wanted.scopes.entries())
    if (!isScope(scope)) throw unfit(`No scope that is known here: ${shown(scope)}.`, `/body/scopes/${at}`)
  assertBackend(kind, wanted)
  return { ...wanted, ...(await fitKeys(outbound, kind, wanted)) }
}

function assertBackend(kind: AppKind, { redirectUris, scopes }: AppSettings): void {
  const isSystem = scopes.some((scope) => parseScope(scope)?.context === 'system')
  // SMART Backend Services knows keys only: a secret that unlocks every patient must not be sent about.
  if (isSystem && kind !== 'asymmetric')
    throw unfit('Scopes of the system are for apps that prove themselves by their own key.', '/body/scopes')
  if (!isSystem && redirectUris.length === 0)
    throw unfit('Say where people come back to after they allowed it.', '/body/redirectUris')
}

async function fitKeys(outbound: OutboundPolicy, kind: AppKind, { jwks, jwksUri }: AppSettings) {
  const given = (jwks === null ? 0 : 1) + (jwksUri === null ? 0 : 1)
  if (kind !== 'asymmetric') {
    if (given > 0) throw unfit('Keys are of apps that prove themselves by them.', '/body/jwks')
    return {}
  }
  if (given !== 1) throw unfit('Give its public keys, or the address where it publishes them.', '/body/jwksUri')
  if (jwksUri !== null) await assertOutboundUrl(jwksUri, outbound)
  return { jwks: jwks === null ? null : { keys: await Promise.all(jwks.keys.map(publicKey)) } }
}

/** A private part that was pasted by mistake is not kept. */
async function publicKey(key: Readonly<Record<string, unknown>>, at: number): Promise<Record<string, unknown>> {
  const kept = Object.fromEntries(publicMembers.flatMap((name) => (key[name] === undefined ? [] : [[name, key[name]]])))
  const alg = key.kty === 'RSA' ? 'RS384' : key.kty === 'EC' && key.crv === 'P-384' ? 'ES384' : null
  if (alg === null) throw unfit('RSA keys (RS384) and EC keys on P-384 (ES384) are taken.', `/body/jwks/keys/${at}`)
  try {
    await importJWK(kept as JWK, alg)
  } catch (cause) {
    throw unfit('This is no public key.', `/body/jwks/keys/${at}`, cause)
  }
  return kept
}

const shown = (scope: string): string => (/^[\x21-\x7e]{1,100}$/.test(scope) ? scope : 'it is not plain text')

const unfit = (message: string, pointer: string, cause?: unknown) =>
  fail('app-unfit', message, { pointer, ...(cause === undefined ? {} : { cause }) })
