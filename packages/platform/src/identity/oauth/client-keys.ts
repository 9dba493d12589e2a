/**
 * Public keys of an app: given at its registration, or published by it and read through the outbound guard. What was read is kept for
 * five minutes; a key that is not among it is looked for once more, at most every ten seconds, so that an app can change its keys
 * and nobody can make us call it without end.
 */
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'
import { type Clock, type GuardedFetch, makeGather } from '../../engine/index.ts'
import type { App } from './apps.ts'
import { oauthRefusal } from './oauth-refusal.ts'

const keptMs = 5 * 60_000
const againMs = 10_000
/** Of a document, characters. */
const maxLength = 64 * 1024
/** Apps of which keys are kept. */
const maxKept = 500

const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(50) })

interface Read {
  readonly keys: JSONWebKeySet
  readonly at: number
}

export interface ClientKeys {
  /** @param isUnknown the keys read before lack the one that is wanted: read again. @throws OAuthRefusal `invalid_client` */
  of(app: App, isUnknown: boolean): Promise<{ readonly find: JWTVerifyGetKey; readonly isFresh: boolean }>
}

export function makeClientKeys(fetch: GuardedFetch, clock: Clock): ClientKeys {
  const kept = new Map<string, Read>()
  // Of assertions that come at the same time only one calls out.
  const readAll = makeGather<string, Read | null>((uris) => Promise.all(uris.map((uri) => read(fetch, clock, uri))))
  return {
    async of(app, isUnknown) {
      if (app.jwks !== null) return { find: finder(app.jwks as JSONWebKeySet), isFresh: true }
      if (app.jwksUri === null) throw oauthRefusal('invalid_client', 'no keys are registered for this client')
      const uri = app.jwksUri
      const known = kept.get(uri)
      const age = known === undefined ? Number.POSITIVE_INFINITY : clock.now() - known.at
      if (known !== undefined && age < (isUnknown ? againMs : keptMs))
        return { find: finder(known.keys), isFresh: age < againMs }
      const found = await readAll(uri)
      if (found === null) throw oauthRefusal('invalid_client', 'the keys at jwks_uri could not be read')
      kept.delete(uri)
      kept.set(uri, found)
      if (kept.size > maxKept) kept.delete(kept.keys().next().value!)
      return { find: finder(found.keys), isFresh: true }
    },
  }
}

const finder = (keys: JSONWebKeySet): JWTVerifyGetKey => createLocalJWKSet(keys)

async function read(fetch: GuardedFetch, clock: Clock, uri: string): Promise<Read | null> {
  try {
    const answered = await fetch(uri, { headers: { accept: 'application/json' } })
    if (answered.status !== 200) return null
    const text = await answered.text()
    if (text.length > maxLength) return null
    return { keys: KeySet.parse(JSON.parse(text)) as JSONWebKeySet, at: clock.now() }
  } catch {
    // Whatever was wrong out there, the app hears one word: what stands behind an address is not told by what fails.
    return null
  }
}
