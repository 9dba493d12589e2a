/** Apps that prove who they are: by a secret, or by a key of their own; and those that ask by themselves (SMART Backend Services). */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asOwnService } from '../subjects/fixtures.ts'
import { type AppKey, appKey, assertionForm, codeForm, type SmartGround, smartGround } from './testing/smart-ground.ts'

let ground: SmartGround
let rsa: AppKey
let ec: AppKey
/** What the app publishes, and how often it was read. */
const published = { keys: [] as object[], reads: 0, status: 200 }
let publisher: Server
let jwksUri: string

beforeAll(async () => {
  publisher = createServer((_request, response) => {
    published.reads += 1
    response.writeHead(published.status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ keys: published.keys }))
  })
  await new Promise<void>((done) => publisher.listen(0, '127.0.0.1', done))
  jwksUri = `http://127.0.0.1:${(publisher.address() as AddressInfo).port}/keys`
  ;[ground, rsa, ec] = await Promise.all([
    smartGround({ allowPrivate: ['127.0.0.1'] }),
    appKey('RS384', 'rsa-1'),
    appKey('ES384', 'ec-1'),
  ])
  published.keys = [rsa.jwk, ec.jwk]
})
afterAll(async () => {
  await ground?.close()
  await new Promise((done) => publisher.close(done))
})

const backend = (over: object = {}) =>
  ground.register({
    kind: 'asymmetric',
    redirectUris: [],
    scopes: ['system/*.rs', 'system/Observation.c'],
    jwksUri,
    ...over,
  })
const ask = async (client: string, key: AppKey, over: Record<string, unknown> = {}, scope = 'system/Patient.rs') =>
  ground.form(
    '/oauth/token',
    assertionForm(await key.assert(client, ground.clock.now(), over), { grant_type: 'client_credentials', scope }),
  )

describe('smart > backend services', () => {
  test.each(['RS384', 'ES384'] as const)(
    'an app gets a token by its published key (%s), for five minutes',
    async (alg) => {
      const { app } = await backend()
      const said = await ask(
        app.id,
        alg === 'RS384' ? rsa : ec,
        {},
        'system/Observation.rs?category=vital-signs system/Patient.read',
      )
      expect([said.statusCode, said.json()]).toMatchObject([
        200,
        {
          token_type: 'Bearer',
          expires_in: 300,
          scope: 'system/Observation.rs?category=vital-signs system/Patient.read',
        },
      ])
      expect(said.json().refresh_token).toBeUndefined()
      expect((await ground.whoAsks(said.json().access_token)).json()).toEqual({
        ...{ kind: 'service', id: app.id, roles: ['*:read'], client: app.id, patient: null, reach: 'some' },
        scopes: ['system/Observation.rs?category=vital-signs', 'system/Patient.rs'],
      })
      const entry = (await ground.trail()).find(({ resourceId, action }) => resourceId === app.id && action === 'login')
      expect(entry).toMatchObject({ actor: `service:${app.id}` })
      await ground.clock.advance(300_001)
      expect((await ground.whoAsks(said.json().access_token)).statusCode).toBe(401)
    },
  )

  test('sees every patient only when an administrator says that it is the organisation’s own', async () => {
    const { app } = await backend()
    const token = (await ask(app.id, rsa)).json().access_token
    expect((await ground.whoAsks(token)).json().reach).toBe('some')
    await asOwnService(ground.engine, ground.tenant, app.id)
    expect((await ground.whoAsks(token)).json().reach).toBe('every-patient')
  })

  test('an assertion is good once, also when two come at the same moment', async () => {
    const { app } = await backend()
    const assertion = await rsa.assert(app.id, ground.clock.now())
    const form = assertionForm(assertion, { grant_type: 'client_credentials', scope: 'system/*.rs' })
    const said = await Promise.all([1, 2, 3].map(() => ground.form('/oauth/token', form)))
    expect(said.map(({ statusCode }) => statusCode).sort()).toEqual([200, 401, 401])
    await ground.clock.advance(120_000)
    expect((await ground.form('/oauth/token', form)).json()).toMatchObject({ error: 'invalid_client' })
  })

  const lies: readonly (readonly [string, (client: string, now: number) => Record<string, unknown>])[] = [
    ['for another server', () => ({ aud: 'https://other.example.org/oauth/token' })],
    ['for us, and not for the token endpoint', () => ({ aud: 'https://care.example.org' })],
    ['that has expired', (_, now) => ({ exp: now - 60 })],
    ['good for more than five minutes', (_, now) => ({ exp: now + 400 })],
    ['without an end', () => ({ exp: undefined })],
    ['from the future', (_, now) => ({ iat: now + 120 })],
    ['without jti', () => ({ jti: undefined })],
    ['whose jti is a book', () => ({ jti: 'x'.repeat(600) })],
    ['of somebody else', () => ({ sub: 'somebody' })],
    ['by somebody else', () => ({ iss: 'somebody' })],
  ]
  test.each(lies)('an assertion %s opens nothing', async (_, over) => {
    const { app } = await backend()
    const said = await ask(app.id, rsa, over(app.id, Math.floor(ground.clock.now() / 1000)))
    expect([said.statusCode, said.json().error]).toEqual([401, 'invalid_client'])
  })

  test('neither does another key, another algorithm, no signature, or one of a switched-off app', async () => {
    const { app } = await backend()
    const stranger = await appKey('RS384', 'rsa-1')
    const other = await appKey('ES256', 'ec-256')
    published.keys.push(other.jwk)
    for (const key of [stranger, other]) expect((await ask(app.id, key)).json().error).toBe('invalid_client')
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = decodeJwt(await rsa.assert(app.id, ground.clock.now()))
    const bare = `${part({ alg: 'none' })}.${part(claims)}.`
    const said = await ground.form(
      '/oauth/token',
      assertionForm(bare, { grant_type: 'client_credentials', scope: 'system/*.rs' }),
    )
    expect(said.json().error).toBe('invalid_client')
    published.keys = [rsa.jwk, ec.jwk]
    const { id, kind, createdAt, disabledAt, ...settings } = app
    const token = (await ask(app.id, rsa)).json().access_token
    await ground.asAdmin('PUT', `/api/v1/apps/${app.id}`, { ...settings, isEnabled: false })
    expect((await ground.whoAsks(token)).statusCode).toBe(401)
    expect((await ask(app.id, rsa)).json().error).toBe('invalid_client')
  })

  test('no more than it was registered for; no user’s or patient’s scope; nothing without its key', async () => {
    const { app } = await backend()
    expect((await ask(app.id, rsa, {}, 'system/*.cruds')).json().scope).toBe('system/*.rs system/Observation.c')
    for (const scope of ['user/*.rs patient/*.rs openid', '', 'system/*.x'])
      expect((await ask(app.id, rsa, {}, scope)).json().error).toBe('invalid_scope')
    const plain = await ground.register({ kind: 'symmetric' })
    const fields = { grant_type: 'client_credentials', scope: 'system/*.rs', client_id: plain.app.id }
    const said = await ground.form('/oauth/token', { ...fields, client_secret: plain.secret! })
    expect(said.json().error).toBe('unauthorized_client')
    expect((await ground.form('/oauth/token', { ...fields, client_id: app.id })).json().error).toBe('invalid_client')
  })

  test('keys are read once in five minutes; a new one is found at once, a wrong one does not make us ask again and again', async () => {
    const { app } = await backend({ jwksUri: `${jwksUri}?of=rotation` })
    const before = published.reads
    for (let each = 0; each < 3; each += 1) expect((await ask(app.id, rsa)).statusCode).toBe(200)
    expect(published.reads - before).toBe(1)
    await ground.clock.advance(11_000)
    const fresh = await appKey('ES384', 'ec-2')
    published.keys = [fresh.jwk]
    expect((await ask(app.id, fresh)).statusCode).toBe(200)
    expect(published.reads - before).toBe(2)
    for (let each = 0; each < 3; each += 1) expect((await ask(app.id, rsa)).statusCode).toBe(401)
    expect(published.reads - before).toBe(2)
    published.keys = [rsa.jwk, ec.jwk]
    published.status = 500
    await ground.clock.advance(300_000)
    expect((await ask(app.id, rsa)).json()).toMatchObject({ error: 'invalid_client' })
    published.status = 200
    expect((await ask(app.id, rsa)).statusCode).toBe(200)
  })

  test('keys given at registration need no address; a private part is not kept', async () => {
    const jwks = { keys: [{ ...rsa.jwk, d: 'secret', p: 'secret' }] }
    const { app } = await backend({ jwksUri: null, jwks })
    expect(Object.keys(app.jwks!.keys[0]!).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
    expect((await ask(app.id, rsa)).statusCode).toBe(200)
    expect((await ask(app.id, ec)).statusCode).toBe(401)
  })
})

describe('smart > apps that prove themselves for a person', () => {
  test('by a secret, in the header or the body, and by nothing less; a new secret ends the one before', async () => {
    const { app, secret } = await ground.register({ kind: 'symmetric' })
    const basic = (word: string) => ({ authorization: `Basic ${Buffer.from(`${app.id}:${word}`).toString('base64')}` })
    const exchange = async (fields: Record<string, string>, headers: object) => {
      const { code, verifier } = await ground.allow(app)
      const { client_id, ...form } = codeForm(app.id, code, verifier)
      return ground.form('/oauth/token', { ...form, ...fields }, headers)
    }
    const client_id = app.id
    expect((await exchange({}, basic(secret!))).statusCode).toBe(200)
    expect((await exchange({ client_id, client_secret: secret! }, {})).statusCode).toBe(200)
    const wrong = await exchange({}, basic(`${secret}x`))
    expect([wrong.statusCode, wrong.json().error]).toEqual([401, 'invalid_client'])
    expect(wrong.headers['www-authenticate']).toContain('Basic')
    expect((await exchange({ client_id }, {})).json().error).toBe('invalid_client')
    expect((await exchange({ client_id, client_secret: secret! }, basic(secret!))).json().error).toBe('invalid_request')
    const renewed = (await ground.asAdmin('POST', `/api/v1/apps/${app.id}/secret`, {})).json().secret
    expect((await exchange({}, basic(secret!))).statusCode).toBe(401)
    expect((await exchange({}, basic(renewed))).statusCode).toBe(200)
    const { rows } = await ground.engine.db.pool.query('select * from auth.app')
    expect(JSON.stringify(rows)).not.toContain(renewed)
  })

  test('by a key: PKCE counts all the same, and a refresh wants the key again', async () => {
    const { app } = await ground.register({ kind: 'asymmetric', jwksUri })
    const { code, verifier } = await ground.allow(app, { scope: 'launch/patient offline_access patient/*.rs' })
    const { client_id, ...form } = codeForm(app.id, code, verifier)
    const by = async (fields: Record<string, string>) =>
      ground.form('/oauth/token', assertionForm(await ec.assert(app.id, ground.clock.now()), fields))
    const tokens = (await by(form)).json()
    expect((await ground.whoAsks(tokens.access_token)).json()).toMatchObject({ kind: 'staff', client: app.id })
    const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }
    expect((await ground.form('/oauth/token', { ...refresh, client_id })).json().error).toBe('invalid_client')
    expect((await by(refresh)).statusCode).toBe(200)
    const again = await ground.allow(app)
    const { code_verifier, client_id: _, ...bare } = codeForm(app.id, again.code, again.verifier)
    expect((await by(bare)).json().error).toBe('invalid_grant')
  })
})

describe('smart > introspection', () => {
  test('tells an app of its own tokens what they are for, and of all others nothing', async () => {
    const { app, secret } = await ground.register({ kind: 'symmetric' })
    const { app: other, secret: theirs } = await ground.register({ kind: 'symmetric' })
    const { app: open } = await ground.register({})
    const scope = 'openid fhirUser launch/patient offline_access patient/*.rs'
    const { code, verifier } = await ground.allow(app, { scope })
    const tokens = (
      await ground.form('/oauth/token', { ...codeForm(app.id, code, verifier), client_secret: secret! })
    ).json()
    const look = async (client_id: string, client_secret: string, token: string) =>
      (await ground.form('/oauth/introspect', { client_id, client_secret, token })).json()
    const now = Math.floor(ground.clock.now() / 1000)
    expect(await look(app.id, secret!, tokens.access_token)).toEqual({
      ...{ active: true, scope, client_id: app.id, token_type: 'Bearer', iss: 'https://care.example.org' },
      ...{ sub: ground.nurse.id, patient: ground.patient, exp: now + 600, iat: now },
      fhirUser: `https://care.example.org/fhir/R4/Practitioner/${ground.nurse.id}`,
    })
    expect(await look(app.id, secret!, tokens.refresh_token)).toMatchObject({ active: true })
    const nothing = { active: false }
    expect(await look(other.id, theirs!, tokens.access_token)).toEqual(nothing)
    expect(await look(app.id, secret!, 'clo_nonsense')).toEqual(nothing)
    const asPublic = await ground.form('/oauth/introspect', { client_id: open.id, token: tokens.access_token })
    expect(asPublic.json().error).toBe('unauthorized_client')
    await ground.clock.advance(600_001)
    expect(await look(app.id, secret!, tokens.access_token)).toEqual(nothing)
    await ground.identity.endMembership(ground.tenant, ground.nurse.id)
    expect(await look(app.id, secret!, tokens.refresh_token)).toEqual(nothing)
  })
})
