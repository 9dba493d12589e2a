/** How we speak with an identity provider: discovery, the code exchange, userinfo and its keys, each through the outbound guard. */
import { createRemoteJWKSet, customFetch as joseFetch } from 'jose'
import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
} from 'openid-client'
import type { Clock, GuardedFetch } from '../engine/index.ts'
import type { SsoProvider } from './sso-provider.ts'

/** A provider's document is read anew after so long; its keys by the library, when one is not known. */
const keptMs = 10 * 60_000
/** By how much their clock may differ from ours. */
const toleranceSeconds = 60

export interface SsoClient {
  readonly configuration: Configuration
  /** Keys of the provider, for logout tokens. */
  readonly keys: ReturnType<typeof createRemoteJWKSet>
}

/** @returns of a provider its client; kept for ten minutes, and as long as its settings are the same */
export function makeSsoClients(fetch: GuardedFetch, clock: Clock): (provider: SsoProvider) => Promise<SsoClient> {
  const kept = new Map<string, { readonly of: string; readonly until: number; readonly client: SsoClient }>()
  return async (provider) => {
    // Settings may be saved twice within a millisecond: all that the client is made of counts.
    const of = JSON.stringify([provider.issuer, provider.clientId, provider.clientSecret])
    const known = kept.get(provider.id)
    if (known !== undefined && known.of === of && clock.now() < known.until) return known.client
    const client = await openClient(fetch, provider)
    kept.set(provider.id, { of, until: clock.now() + keptMs, client })
    return client
  }
}

async function openClient(fetch: GuardedFetch, provider: SsoProvider): Promise<SsoClient> {
  const issuer = new URL(provider.issuer)
  // Given a whole path of a discovery document, the library would believe whatever issuer stands in it.
  if (issuer.pathname.includes('/.well-known/')) throw new Error('the issuer is the address of a document')
  const metadata = { [clockTolerance]: toleranceSeconds }
  const configuration = await discovery(issuer, provider.clientId, metadata, authenticationOf(provider), {
    [customFetch]: (url, { method, headers, body, signal }) =>
      fetch(url, { method, headers, body: textOf(body), signal }),
    // Signatures are verified also where TLS alone would do: only the provider's own keys sign in, no `none`, no shared secret.
    execute: [enableNonRepudiationChecks, ...(issuer.protocol === 'http:' ? [allowInsecureRequests] : [])],
  })
  if (new URL(configuration.serverMetadata().issuer).href !== issuer.href)
    throw new Error('the document is of another issuer')
  return { configuration, keys: keysOf(fetch, configuration) }
}

/** As the provider says; without a word of it, by header (OpenID Connect Core 9). */
function authenticationOf({ clientSecret }: SsoProvider): ClientAuth {
  if (clientSecret === null) return None()
  const [basic, post] = [ClientSecretBasic(clientSecret), ClientSecretPost(clientSecret)]
  return (server, client, body, headers) => {
    const known = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    return (known.includes('client_secret_basic') ? basic : post)(server, client, body, headers)
  }
}

function keysOf(fetch: GuardedFetch, configuration: Configuration): SsoClient['keys'] {
  const { jwks_uri } = configuration.serverMetadata()
  if (jwks_uri === undefined) throw new Error('the provider names no keys')
  return createRemoteJWKSet(new URL(jwks_uri), {
    [joseFetch]: (url: string, { headers, signal }: { headers: Headers; signal: AbortSignal }) =>
      fetch(url, { headers: Object.fromEntries(headers), signal }),
  })
}

const textOf = (body: unknown): string | undefined =>
  typeof body === 'string' || body instanceof URLSearchParams ? String(body) : undefined
