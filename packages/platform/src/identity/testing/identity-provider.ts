/**
 * Two identity providers for tests, both on loopback. A real one (`oidc-provider`) with people and groups; and one that answers as an
 * attacker would have it, with a key of its own, to see what is refused.
 */
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, SignJWT } from 'jose'
import Provider from 'oidc-provider'

export interface Person {
  readonly sub: string
  readonly email: string
  readonly emailVerified: boolean
  readonly groups: readonly string[]
  readonly name: string
}

export interface TestProvider {
  readonly issuer: string
  /** Who signs in next; their claims can be changed between sign-ins. */
  person: Person
  /** What a browser does there: follows from the authorization URL to the address that leads back to us. */
  walk(url: string): Promise<string>
  close(): Promise<void>
}

export const client = { id: 'careloop', secret: 'a secret between the two of us' } as const

async function listen(listener: (issuer: string) => RequestListener) {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  server.on('request', listener(issuer))
  const close = () =>
    new Promise<void>((done) => {
      server.closeAllConnections()
      server.close(() => done())
    })
  return { issuer, close }
}

/** `oidc-provider`, whose only screen says yes for `person`. */
export async function realProvider(redirectUri: string, logoutUri: string, first: Person): Promise<TestProvider> {
  const state = { person: first }
  const { issuer, close } = await listen((own) => {
    const provider = new Provider(own, {
      clients: [
        {
          ...{ client_id: client.id, client_secret: client.secret, redirect_uris: [redirectUri] },
          ...{ backchannel_logout_uri: logoutUri, backchannel_logout_session_required: true },
          ...{ default_acr_values: ['two-factors'], require_auth_time: true },
          post_logout_redirect_uris: [`${new URL(redirectUri).origin}/sign-in`],
        },
      ],
      claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: ['name'] },
      acrValues: ['two-factors'],
      features: { devInteractions: { enabled: false } },
      cookies: { keys: ['only for tests'] },
      interactions: { url: (_ctx, interaction) => `/say-yes/${interaction.uid}` },
      findAccount: (_ctx, sub) => ({
        accountId: sub,
        claims: () => ({
          ...{ sub, email: state.person.email, email_verified: state.person.emailVerified },
          ...{ groups: [...state.person.groups], name: state.person.name },
        }),
      }),
    })
    const serve = provider.callback()
    return (request, response) => {
      if (!request.url?.startsWith('/say-yes/')) return void serve(request, response)
      void sayYes(provider, state.person, request, response)
    }
  })
  return {
    issuer,
    get person() {
      return state.person
    },
    set person(next) {
      state.person = next
    },
    walk: (url) => walk(issuer, url),
    close,
  }
}

async function sayYes(provider: Provider, person: Person, ...[request, response]: Parameters<RequestListener>) {
  const { prompt, params, grantId } = await provider.interactionDetails(request, response)
  if (prompt.name === 'login') {
    const result = { login: { accountId: person.sub, acr: 'two-factors', amr: ['pwd', 'otp'] } }
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
  }
  const existing = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  const grant = existing ?? new provider.Grant({ accountId: person.sub, clientId: String(params.client_id) })
  grant.addOIDCScope('openid email profile')
  const consent = { grantId: await grant.save() }
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true })
}

/** Follows redirects at the provider as a browser does, with its cookies, until one leads elsewhere. */
async function walk(issuer: string, start: string): Promise<string> {
  const jar = new Map<string, string>()
  let url = start
  for (let steps = 0; steps < 20; steps += 1) {
    if (!url.startsWith(`${issuer}/`)) return url
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answered = await fetch(url, { redirect: 'manual', headers: { cookie } })
    for (const set of answered.headers.getSetCookie()) {
      const [pair = ''] = set.split(';')
      jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    const next = answered.headers.get('location')
    if (next === null)
      throw new Error(`the provider answered ${answered.status}: ${(await answered.text()).slice(0, 400)}`)
    url = new URL(next, url).href
  }
  throw new Error('the provider goes in circles')
}

/** What the other one puts into its tokens; each field is an attack when it is not what we asked for. */
export interface Lies {
  readonly algorithm?: 'RS256' | 'none' | 'HS256'
  readonly key?: 'own' | 'stranger'
  readonly claims?: Readonly<Record<string, unknown>>
  /** In the discovery document. */
  readonly issuerInDocument?: string
}

export interface LyingProvider {
  readonly issuer: string
  lies: Lies
  /** Of the last sign-in: as an attacker knows it who answers in the provider's name. */
  nonce: string
  readonly signLogout: (claims: Readonly<Record<string, unknown>>, key?: 'own' | 'stranger') => Promise<string>
  /** Requests to the token endpoint, with the verifiers that came. */
  readonly verifiers: string[]
  close(): Promise<void>
}

export async function lyingProvider(): Promise<LyingProvider> {
  const [own, stranger] = [newKeys(), newKeys()]
  const state = { lies: {} as Lies, nonce: '' }
  const verifiers: string[] = []
  const { issuer, close } = await listen((self) => (request, response) => {
    const answer = (value: unknown) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (request.url === '/.well-known/openid-configuration') return void answer(documentOf(self, state.lies))
    if (request.url === '/keys')
      return void exportJWK(own.publicKey).then((key) =>
        answer({ keys: [{ ...key, alg: 'RS256', kid: 'one', use: 'sig' }] }),
      )
    if (request.url !== '/token') return void response.writeHead(404).end()
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      verifiers.push(new URLSearchParams(body).get('code_verifier') ?? '')
      void idToken(self, state, own, stranger).then((id_token) =>
        answer({ access_token: 'opaque', token_type: 'Bearer', expires_in: 60, id_token }),
      )
    })
  })
  return {
    issuer,
    verifiers,
    get lies() {
      return state.lies
    },
    set lies(next) {
      state.lies = next
    },
    get nonce() {
      return state.nonce
    },
    set nonce(next) {
      state.nonce = next
    },
    signLogout: (claims, key = 'own') =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: 'one', typ: 'logout+jwt' })
        .sign((key === 'own' ? own : stranger).privateKey),
    close,
  }
}

const newKeys = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject }

const documentOf = (issuer: string, lies: Lies) => ({
  ...{ issuer: lies.issuerInDocument ?? issuer, authorization_endpoint: `${issuer}/authorize` },
  ...{ token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys`, end_session_endpoint: `${issuer}/end` },
  ...{ response_types_supported: ['code'], subject_types_supported: ['public'] },
  // It allows what nobody should: what we take is for us to say.
  id_token_signing_alg_values_supported: ['RS256', 'none', 'HS256'],
  authorization_response_iss_parameter_supported: true,
})

async function idToken(
  issuer: string,
  { lies, nonce }: { readonly lies: Lies; readonly nonce: string },
  own: Keys,
  stranger: Keys,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    ...{
      iss: issuer,
      aud: client.id,
      sub: 'mallory',
      nonce,
      iat: now,
      exp: now + 300,
      groups: ['ward-nurses'],
      sid: 'sid-1',
    },
    ...lies.claims,
  }
  if (lies.algorithm === 'none') {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${part({ alg: 'none' })}.${part(claims)}.`
  }
  const sign = new SignJWT(claims).setProtectedHeader({ alg: lies.algorithm ?? 'RS256', kid: 'one' })
  // Key confusion: signed with the public key's bytes as if it were a shared secret.
  if (lies.algorithm === 'HS256') return sign.sign(Buffer.from(own.publicKey.export({ type: 'spki', format: 'pem' })))
  return sign.sign((lies.key === 'stranger' ? stranger : own).privateKey)
}

/** As PKCE has it. */
export const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url')
