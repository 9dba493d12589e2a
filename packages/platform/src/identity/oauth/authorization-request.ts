/**
 * What an app sends a person here with, read and held to SMART App Launch 2.2: each parameter once, PKCE S256, state, aud. Until client
 * and redirect URI are known to belong together nothing is sent anywhere (RFC 6749, 4.1.2.1). Pure.
 */
import { fail } from '../errors.ts'
import { type App, appNotFound } from './apps.ts'
import { redirectTo } from './redirect-uri.ts'

/** Of an authorization response, in OAuth's words. */
export type AuthorizationError =
  | 'invalid_request'
  | 'unauthorized_client'
  | 'access_denied'
  | 'unsupported_response_type'
  | 'invalid_scope'
  | 'consent_required'

export interface AuthorizationRequest {
  readonly redirectUri: string
  readonly state: string
  /** As the app wrote it. */
  readonly scope: string
  /** SHA-256 of the verifier, base64url. */
  readonly challenge: string
  readonly nonce?: string
  readonly launch?: string
}

/** Each name once; null where one stands twice. */
export function parametersOf(query: string): ReadonlyMap<string, string> | null {
  const found = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(query)) {
    if (found.has(name)) return null
    found.set(name, value)
  }
  return found
}

export interface ReadOptions {
  /** Our own address: the issuer, told back so that an app with several servers is not mixed up (RFC 9207). */
  readonly issuer: string
  /** The FHIR base URL that `aud` must name. */
  readonly fhirUrl: string
}

/** @returns the request, or where to send the person with what is wrong. @throws Failure `app-not-found`, `app-redirect-refused` */
export function readRequest(
  parameters: ReadonlyMap<string, string>,
  app: App | null,
  { issuer, fhirUrl }: ReadOptions,
): AuthorizationRequest | { readonly back: string } {
  if (app === null) throw appNotFound('/body/query')
  const redirectUri = parameters.get('redirect_uri')
  if (redirectUri === undefined || !app.redirectUris.includes(redirectUri))
    throw fail(
      'app-redirect-refused',
      'This app asked to be answered at an address that is not registered for it. Nothing was sent there. Tell whoever runs the app.',
      { pointer: '/body/query' },
    )
  const said = { issuer, redirectUri, state: parameters.get('state') }
  const wrong = wrongWith(parameters, app, fhirUrl)
  if (wrong !== null) return { back: errorBack(said, wrong[0], wrong[1]) }
  const optional = (name: 'nonce' | 'launch') => {
    const value = parameters.get(name)
    return value === undefined ? {} : { [name]: value }
  }
  return {
    ...{ redirectUri, state: parameters.get('state')!, scope: parameters.get('scope')! },
    ...{ challenge: parameters.get('code_challenge')!, ...optional('nonce'), ...optional('launch') },
  }
}

type Wrong = readonly [AuthorizationError, string]

function wrongWith(parameters: ReadonlyMap<string, string>, app: App, fhirUrl: string): Wrong | null {
  if (app.disabledAt !== null) return ['unauthorized_client', 'an administrator has switched this app off']
  if (parameters.get('response_type') !== 'code') return ['unsupported_response_type', 'response_type must be code']
  if (parameters.has('request') || parameters.has('request_uri'))
    return ['invalid_request', 'request objects are not taken']
  const state = parameters.get('state') ?? ''
  if (state === '' || state.length > 2_000) return ['invalid_request', 'state is needed']
  if (!(parameters.get('scope') ?? '').trim()) return ['invalid_scope', 'scope is needed']
  if (parameters.get('code_challenge_method') !== 'S256' || !isChallenge(parameters.get('code_challenge')))
    return ['invalid_request', 'PKCE is needed: code_challenge with code_challenge_method=S256']
  const aud = parameters.get('aud')?.replace(/\/$/, '')
  if (aud !== fhirUrl) return ['invalid_request', `aud must be ${fhirUrl}`]
  if ((parameters.get('nonce')?.length ?? 0) > 500) return ['invalid_request', 'nonce is too long']
  // Nobody is ever let through unasked.
  if (parameters.get('prompt') === 'none') return ['consent_required', 'the person has to be asked']
  return null
}

const isChallenge = (text: string | undefined): boolean => text !== undefined && /^[A-Za-z0-9_-]{43}$/.test(text)

interface Said {
  readonly issuer: string
  readonly redirectUri: string
  readonly state: string | undefined
}

/** Where the app hears that it came to nothing. */
export const errorBack = ({ issuer, redirectUri, state }: Said, error: AuthorizationError, description: string) =>
  redirectTo(redirectUri, { error, error_description: description, state, iss: issuer })

export const codeBack = ({ issuer, redirectUri, state }: Said, code: string): string =>
  redirectTo(redirectUri, { code, state, iss: issuer })
