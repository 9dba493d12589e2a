/** A client that is none of ours and knows OpenID Connect by the book (openid-client) goes every way with nothing but our documents. */
import type { webcrypto } from 'node:crypto'
import { importJWK, type JWK } from 'jose'
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { appKey, fhirUrl, origin, redirectUri, type SmartGround, smartGround } from './testing/smart-ground.ts'

let ground: SmartGround
beforeAll(async () => {
  ground = await smartGround()
  // The library checks times by the clock of this machine.
  await ground.clock.advance(Date.now() - ground.clock.now())
})
afterAll(() => ground?.close())

/** Its requests reach our server, whatever the address says. */
const toOurs: oidc.CustomFetch = async (url, { method, headers, body }) => {
  const payload = body === undefined || body === null ? {} : { payload: String(body) }
  const { pathname, search, host } = new URL(url)
  const said = await ground.server.inject({
    ...{ method: method as 'GET' | 'POST', url: pathname + search, ...payload },
    headers: { ...headers, host },
  })
  const told = Object.entries(said.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  )
  return new Response(said.rawPayload.length === 0 ? null : new Uint8Array(said.rawPayload), {
    status: said.statusCode,
    headers: Object.fromEntries(told),
  })
}

const clientOf = (id: string, authentication: oidc.ClientAuth) =>
  oidc.discovery(new URL(origin), id, undefined, authentication, { [oidc.customFetch]: toOurs })

/** From the authorization address that the library builds to the address at which the person comes back. */
async function throughThePage(config: oidc.Configuration, parameters: Record<string, string>): Promise<URL> {
  const asked = oidc.buildAuthorizationUrl(config, { redirect_uri: redirectUri, aud: fhirUrl, ...parameters })
  expect(asked.origin + asked.pathname).toBe(`${origin}/authorize`)
  const body = { query: asked.search.slice(1), isAllowed: true, subject: ground.patient }
  const said = await ground.post('/api/v1/authorizations', body)
  return new URL(said.json<{ redirect: string }>().redirect)
}

async function wayWithPkce(config: oidc.Configuration, scope: string) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()]
  const back = await throughThePage(config, {
    ...{ scope, state: expectedState, nonce: expectedNonce, code_challenge_method: 'S256' },
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
  })
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
  return { back, checks, tokens: await oidc.authorizationCodeGrant(config, back, checks) }
}

const bySecret = { ClientSecretBasic: oidc.ClientSecretBasic, ClientSecretPost: oidc.ClientSecretPost }
const scope = 'openid fhirUser launch/patient offline_access patient/Observation.rs'

describe('smart > a client by the book', () => {
  test('public: discovers, comes back with iss, state and nonce, refreshes and revokes', async () => {
    const { app } = await ground.register({})
    const config = await clientOf(app.id, oidc.None())
    oidc.enableNonRepudiationChecks(config)
    const { tokens } = await wayWithPkce(config, scope)
    expect(tokens.claims()).toMatchObject({ fhirUser: `${fhirUrl}/Practitioner/${ground.nurse.id}` })
    expect([tokens.patient, tokens.scope]).toEqual([ground.patient, scope])
    const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token!)
    expect((await ground.whoAsks(renewed.access_token)).statusCode).toBe(200)
    await oidc.tokenRevocation(config, renewed.refresh_token!)
    expect((await ground.whoAsks(renewed.access_token)).statusCode).toBe(401)
    await expect(oidc.refreshTokenGrant(config, renewed.refresh_token!)).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })

  test('it would not be mixed up: an answer without our issuer, or with another, it refuses', async () => {
    const { app } = await ground.register({})
    const config = await clientOf(app.id, oidc.None())
    const { back, checks } = await wayWithPkce(config, scope)
    for (const iss of [null, 'https://evil.example']) {
      const other = new URL(back)
      if (iss === null) other.searchParams.delete('iss')
      else other.searchParams.set('iss', iss)
      await expect(oidc.authorizationCodeGrant(config, other, checks)).rejects.toThrow()
    }
  })

  test.each(['ClientSecretBasic', 'ClientSecretPost'] as const)(
    'with a secret (%s), also at introspection',
    async (way) => {
      const { app, secret } = await ground.register({ kind: 'symmetric' })
      const config = await clientOf(app.id, bySecret[way](secret!))
      const { tokens } = await wayWithPkce(config, scope)
      const told = await oidc.tokenIntrospection(config, tokens.access_token)
      expect(told).toMatchObject({ active: true, client_id: app.id, patient: ground.patient })
    },
  )

  test.each(['RS384', 'ES384'] as const)('with its key (%s): for a person, and by itself', async (alg) => {
    const key = await appKey(alg, 'k1')
    const scopes = [...scope.split(' '), 'system/*.rs']
    const { app } = await ground.register({ kind: 'asymmetric', jwks: { keys: [{ ...key.jwk }] }, scopes })
    const signing = { key: (await importJWK(key.privateJwk as JWK, alg)) as webcrypto.CryptoKey, kid: 'k1' }
    // SMART wants the token endpoint as the audience; the library's own choice is the issuer.
    const audience: oidc.ModifyAssertionOptions = {
      [oidc.modifyAssertion]: (_header, payload) => {
        payload.aud = `${origin}/oauth/token`
      },
    }
    const config = await clientOf(app.id, oidc.PrivateKeyJwt(signing, audience))
    const { tokens } = await wayWithPkce(config, scope)
    expect((await ground.whoAsks(tokens.access_token)).json()).toMatchObject({ kind: 'staff', client: app.id })
    const own = await oidc.clientCredentialsGrant(config, { scope: 'system/*.rs' })
    expect((await ground.whoAsks(own.access_token)).json()).toMatchObject({ kind: 'service', id: app.id })
  })
})
