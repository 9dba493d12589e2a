/** Which app asks at the token endpoint, and whether it is that one: by the one way it was registered for. */
import { timingSafeEqual } from 'node:crypto'
import { sha256 } from '../service-tokens.ts'
import type { App, Apps } from './apps.ts'
import { assertionType, claimedClient, verifyAssertion } from './client-assertion.ts'
import { oauthRefusal } from './oauth-refusal.ts'

export interface AskingClient {
  readonly authorization: string | undefined
  /** The form, each name once. */
  readonly form: ReadonlyMap<string, string>
  /** The token endpoint, as published. */
  readonly audience: string
}

interface Parts extends Pick<Parameters<typeof verifyAssertion>[0], 'engine' | 'keys'> {
  readonly apps: Apps
}

type Shown =
  | { readonly kind: 'public'; readonly client: string }
  | { readonly kind: 'symmetric'; readonly client: string; readonly secret: string }
  | { readonly kind: 'asymmetric'; readonly client: string; readonly assertion: string }

/** @throws OAuthRefusal `invalid_client`, `invalid_request` */
export async function authenticateClient(parts: Parts, asking: AskingClient): Promise<App> {
  const shown = shownBy(asking)
  const app = await parts.apps.byId(shown.client)
  if (app === null || app.disabledAt !== null) throw unknown()
  if (app.kind !== shown.kind)
    throw oauthRefusal('invalid_client', 'this client was registered to prove itself in another way')
  if (shown.kind === 'symmetric' && !isSecret(app, shown.secret)) throw unknown()
  if (shown.kind === 'asymmetric') await verifyAssertion(parts, app, shown.assertion, asking.audience)
  return app
}

function shownBy({ authorization, form }: AskingClient): Shown {
  const client = form.get('client_id')
  const assertion = form.get('client_assertion')
  const secret = form.get('client_secret')
  const ways = [authorization, assertion, secret].filter((each) => each !== undefined)
  if (ways.length > 1) throw oauthRefusal('invalid_request', 'use one way only to prove the client')
  if (authorization !== undefined) return byHeader(authorization, client)
  if (assertion !== undefined) {
    if (form.get('client_assertion_type') !== assertionType)
      throw oauthRefusal('invalid_request', `client_assertion_type must be ${assertionType}`)
    const claimed = claimedClient(assertion)
    if (claimed === null || (client !== undefined && client !== claimed))
      throw oauthRefusal('invalid_client', 'iss and sub of the assertion must both be the client_id')
    return { kind: 'asymmetric', client: claimed, assertion }
  }
  if (client === undefined) throw oauthRefusal('invalid_client', 'no client is named')
  return secret === undefined ? { kind: 'public', client } : { kind: 'symmetric', client, secret }
}

/** RFC 6749, 2.3.1: both halves are form-encoded. */
function byHeader(authorization: string, client: string | undefined): Shown {
  const base64 = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1]
  const [id, secret] = base64 === undefined ? [] : halvesOf(Buffer.from(base64, 'base64').toString('utf8'))
  if (id === undefined || secret === undefined || (client !== undefined && client !== id))
    throw oauthRefusal('invalid_client', 'Authorization: Basic is expected, with client_id and secret')
  return { kind: 'symmetric', client: id, secret }
}

function halvesOf(text: string): [string?, string?] {
  const at = text.indexOf(':')
  if (at < 0) return []
  try {
    return [decodeURIComponent(text.slice(0, at)), decodeURIComponent(text.slice(at + 1))]
  } catch {
    return []
  }
}

const isSecret = (app: App, shown: string): boolean =>
  app.secretSha256 !== null && timingSafeEqual(app.secretSha256, sha256(shown))

/** The same for an unknown one and a wrong secret: who is registered here is not told by trying. */
const unknown = () => oauthRefusal('invalid_client', 'unknown client, or it did not prove itself')
