/** SMART App Launch over HTTP: what a person allows to an app in their name, and everything that must come to nothing. */
import type { OperationOutcome } from '@careloop/contract'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cookieOf } from '../api/testing/test-shell.ts'
import { readTrail } from '../audit/index.ts'
import { forgetPersons } from '../identity/index.ts'
import { aPatient, byTest } from '../subjects/fixtures.ts'
import {
  codeForm,
  fhirUrl,
  origin,
  pkce,
  queryOf,
  redirectUri,
  type SmartGround,
  smartGround,
} from './testing/smart-ground.ts'

let ground: SmartGround
beforeAll(async () => {
  ground = await smartGround()
})
afterAll(() => ground?.close())

type Answered = Awaited<ReturnType<SmartGround['post']>>
const codeOf = (said: Answered) => said.json<OperationOutcome>().issue[0]!.details!.coding[0]!.code
const look = (query: string, cookie?: string) => ground.post('/api/v1/authorizations/look', { query }, cookie)
const errorOf = (said: Answered) => new URL(said.json<{ redirect: string }>().redirect).searchParams.get('error')
const code = (client: string, of: { code: string; verifier: string }, over: Record<string, string> = {}) =>
  ground.form('/oauth/token', { ...codeForm(client, of.code, of.verifier), ...over })
const refresh = (client_id: string, refresh_token: string, more: Record<string, string> = {}) =>
  ground.form('/oauth/token', { grant_type: 'refresh_token', client_id, refresh_token, ...more })

describe('smart > the documents', () => {
  test('the configuration names every endpoint that is there, and pages of any origin may read it', async () => {
    const said = await ground.server.inject({
      url: '/fhir/R4/.well-known/smart-configuration',
      headers: { host: 'care.example.org', origin: 'https://app.example.com' },
    })
    expect(said.headers['access-control-allow-origin']).toBe('*')
    const document = said.json()
    expect(document).toMatchObject({
      ...{ issuer: origin, token_endpoint: `${origin}/oauth/token`, authorization_endpoint: `${origin}/authorize` },
      ...{ code_challenge_methods_supported: ['S256'], jwks_uri: `${origin}/oauth/jwks` },
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
      token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
      authorization_response_iss_parameter_supported: true,
    })
    expect(document.capabilities).toEqual(
      expect.arrayContaining([
        'launch-ehr',
        'launch-standalone',
        'permission-v1',
        'permission-v2',
        'context-ehr-patient',
      ]),
    )
    for (const name of ['token', 'introspection', 'revocation']) {
      const path = new URL(document[`${name}_endpoint`]).pathname
      expect([path, (await ground.form(path, {})).statusCode]).toEqual([path, 401])
    }
  })

  test('a page of another origin may ask for tokens and FHIR, and for nothing else', async () => {
    const preflight = (url: string) =>
      ground.server.inject({
        ...{ method: 'OPTIONS', url },
        headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST' },
      })
    for (const url of ['/oauth/token', '/fhir/R4/who-asks']) {
      const { statusCode, headers } = await preflight(url)
      expect([url, statusCode, headers['access-control-allow-origin']]).toEqual([url, 204, '*'])
      expect(headers['access-control-allow-credentials']).toBeUndefined()
    }
    expect((await preflight('/api/v1/authorizations')).headers['access-control-allow-origin']).toBeUndefined()
  })
})

describe('smart > a person allows a public app', () => {
  test('standalone: with patient, id_token and refresh; what the app may is what was allowed, as the person', async () => {
    const { app } = await ground.register({})
    const scope =
      'openid fhirUser launch/patient offline_access patient/Observation.rs?category=vital-signs user/Patient.read'
    const shown = await look(queryOf(app.id, pkce().challenge, { scope }))
    expect(shown.json()).toEqual({
      ...{ next: 'ask', app: { id: app.id, name: 'Growth chart', host: 'app.example.com' } },
      ...{ scopes: scope.split(' '), patient: 'choose' },
    })
    const allowed = await ground.allow(app, { scope, more: { nonce: 'n-1' } })
    expect(allowed.redirect.origin + allowed.redirect.pathname).toBe(redirectUri)
    expect(allowed.redirect.searchParams.get('state')).toBe('st-4711')
    expect(allowed.redirect.searchParams.get('iss')).toBe(origin)
    const said = await code(app.id, allowed)
    expect(said.headers['cache-control']).toBe('no-store')
    const tokens = said.json()
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope, patient: ground.patient })
    const who = (await ground.whoAsks(tokens.access_token)).json()
    expect(who).toEqual({
      ...{
        kind: 'staff',
        id: ground.nurse.id,
        roles: ['nurse'],
        client: app.id,
        patient: ground.patient,
        reach: 'some',
      },
      scopes: ['patient/Observation.rs?category=vital-signs', 'user/Patient.rs'],
    })
    const keys = (await ground.server.inject({ url: '/oauth/jwks' })).json()
    const { payload, protectedHeader } = await jwtVerify(tokens.id_token, createLocalJWKSet(keys), {
      ...{ issuer: origin, audience: app.id, currentDate: new Date(ground.clock.now()) },
    })
    expect(protectedHeader.alg).toBe('RS256')
    expect(payload).toMatchObject({
      ...{ sub: ground.nurse.id, nonce: 'n-1', fhirUser: `${fhirUrl}/Practitioner/${ground.nurse.id}` },
    })
    const trail = await ground.engine.db.asTenant(ground.tenant, (tx) =>
      readTrail(tx, { subject: ground.patient, limit: 50 }),
    )
    const ofApp = trail.filter(({ resource, resourceId }) => resource === 'app' && resourceId === app.id)
    expect(ofApp.map(({ action, actor }) => [action, actor]).sort()).toEqual([
      ['consent', `staff:${ground.nurse.id}`],
      ['login', `staff:${ground.nurse.id}`],
    ])
  })

  test('its token opens FHIR and no other route of ours', async () => {
    const { app } = await ground.register({})
    const { body } = await ground.tokens(app)
    const headers = { authorization: `Bearer ${body.access_token}` }
    for (const url of ['/api/v1/me', '/api/v1/subjects', '/api/v1/sessions', '/api/v1/my-apps', '/api/v1/apps'])
      expect([url, (await ground.server.inject({ url, headers })).statusCode]).toEqual([url, 403])
    const search = { method: 'POST', url: '/api/v1/subjects/search', payload: { text: 'a' }, headers } as const
    expect((await ground.server.inject(search)).statusCode).toBe(403)
  })

  test('a person may leave scopes out and add none; what was not registered is not granted', async () => {
    const { app } = await ground.register({ scopes: ['launch/patient', 'patient/Observation.rs', 'openid'] })
    const scope = 'openid launch/patient patient/*.cruds system/*.rs user/*.rs patient/observation.rs offline_access'
    const { verifier, challenge } = pkce()
    const query = queryOf(app.id, challenge, { scope })
    expect((await look(query)).json().scopes).toEqual(['openid', 'launch/patient', 'patient/Observation.rs'])
    const decide = (scopes: string[]) =>
      ground.post('/api/v1/authorizations', { query, isAllowed: true, subject: ground.patient, scopes })
    expect(codeOf(await decide(['user/*.rs']))).toBe('app-scope-refused')
    const back = new URL((await decide(['patient/Observation.rs'])).json().redirect)
    const said = await code(app.id, { code: back.searchParams.get('code')!, verifier })
    expect(said.json()).toMatchObject({ scope: 'patient/Observation.rs' })
    expect(said.json().id_token ?? said.json().refresh_token).toBeUndefined()
  })

  test('a patient out of sight and one who does not exist answer word for word the same', async () => {
    const { app } = await ground.register({})
    const query = queryOf(app.id, pkce().challenge)
    const [stranger, nobody, none] = await Promise.all(
      [ground.stranger, ground.engine.ids.uuid(), undefined].map((subject) =>
        ground.post('/api/v1/authorizations', {
          query,
          isAllowed: true,
          ...(subject === undefined ? {} : { subject }),
        }),
      ),
    )
    expect(stranger!.statusCode).toBe(404)
    expect([stranger!.body, none!.body]).toEqual([nobody!.body, nobody!.body])
  })

  test('no is told to the app, and stands in the trail', async () => {
    const { app } = await ground.register({})
    const said = await ground.post('/api/v1/authorizations', {
      ...{ query: queryOf(app.id, pkce().challenge), isAllowed: false },
    })
    expect(errorOf(said)).toBe('access_denied')
    const entries = (await ground.trail()).filter(({ resourceId }) => resourceId === app.id)
    expect(entries).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ action: 'consent', outcome: 'denied' })]),
    )
  })
})

describe('smart > what is wrong with a request', () => {
  const wrong: readonly (readonly [string, Record<string, string | undefined>, string])[] = [
    ['no state', { state: undefined }, 'invalid_request'],
    ['no PKCE', { code_challenge: undefined }, 'invalid_request'],
    ['PKCE in the clear', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['another FHIR server', { aud: 'https://other.example.org/fhir/R4' }, 'invalid_request'],
    ['no FHIR server', { aud: undefined }, 'invalid_request'],
    ['an implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
    ['nothing that can be granted', { scope: 'launch/patient system/*.rs' }, 'invalid_scope'],
    ['a launch without its scope', { launch: 'cll_x' }, 'invalid_request'],
    ['the scope launch without one', { scope: 'launch patient/*.rs' }, 'invalid_request'],
    ['an unknown launch', { scope: 'launch patient/*.rs', launch: 'cll_unknown' }, 'invalid_request'],
    ['a request object', { request: 'x.y.z' }, 'invalid_request'],
    ['no question', { prompt: 'none' }, 'consent_required'],
  ]
  test.each(wrong)('%s is told to the app at its registered address, with state and issuer', async (_, over, error) => {
    const { app } = await ground.register({})
    const said = await look(queryOf(app.id, pkce().challenge, over))
    expect(said.json().next).toBe('back')
    const back = new URL(said.json().redirect)
    expect([back.origin, back.searchParams.get('error')]).toEqual(['https://app.example.com', error])
    expect(back.searchParams.get('iss')).toBe(origin)
    expect(back.searchParams.get('state')).toBe('state' in over ? null : 'st-4711')
    const decided = await ground.post('/api/v1/authorizations', {
      ...{ query: queryOf(app.id, pkce().challenge, over), isAllowed: true, subject: ground.patient },
    })
    expect(errorOf(decided)).toBe(error)
  })

  test('nobody is sent to an address that is not registered letter by letter, nor for an app of nobody', async () => {
    const { app } = await ground.register({ redirectUris: [redirectUri, 'http://127.0.0.1:8090/back'] })
    for (const redirect_uri of [
      ...['https://app.example.com/back/', 'https://app.example.com/back?x=1', 'https://app.example.com/Back', ''],
      ...[
        'https://app.example.com.evil.example/back',
        'https://evil.example',
        'http://127.0.0.1:8091/back',
        '//evil.example',
      ],
      ...['https://app.example.com/back#x', 'javascript:alert(1)', 'https://x@app.example.com/back'],
    ]) {
      const said = await look(queryOf(app.id, pkce().challenge, { redirect_uri }))
      expect([redirect_uri, said.statusCode, codeOf(said)]).toEqual([redirect_uri, 400, 'app-redirect-refused'])
    }
    const twice = `${queryOf(app.id, pkce().challenge)}&redirect_uri=https%3A%2F%2Fevil.example`
    expect(codeOf(await look(twice))).toBe('app-redirect-refused')
    expect(codeOf(await look(queryOf(ground.engine.ids.uuid(), pkce().challenge)))).toBe('app-not-found')
  })

  test('who is not signed in, or is held back, allows nothing; neither does a page of another origin or an app', async () => {
    const { app } = await ground.register({})
    const query = queryOf(app.id, pkce().challenge)
    const payload = { query, isAllowed: true, subject: ground.patient }
    const url = '/api/v1/authorizations'
    const send = (headers: Record<string, string>) => ground.server.inject({ method: 'POST', url, payload, headers })
    const { cookie } = ground.nurse
    expect((await send({ 'sec-fetch-site': 'same-origin' })).statusCode).toBe(401)
    for (const headers of [
      { cookie, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      { cookie, origin: 'https://evil.example' },
      { cookie },
    ])
      expect(codeOf(await send(headers as Record<string, string>))).toBe('cross-origin')
    const held = await ground.signIn(['nurse'])
    await ground.post('/api/v1/session/lock', {}, held.cookie)
    expect((await ground.post(url, payload, held.cookie)).statusCode).toBe(423)
    const service = await ground.token(['*:*'])
    expect((await send({ authorization: service })).statusCode).toBe(403)
  })

  test('no answer of ours can be put into a frame', async () => {
    const { headers } = await ground.server.inject({ url: '/authorize?client_id=x' })
    expect(headers['x-frame-options']).toBe('DENY')
    expect(String(headers['content-security-policy'])).toContain("frame-ancestors 'none'")
  })
})

describe('smart > a code', () => {
  test('is good once: a second use ends all that was given for the first', async () => {
    const { app } = await ground.register({})
    const allowed = await ground.allow(app, { scope: 'launch/patient offline_access patient/*.rs' })
    const first = (await code(app.id, allowed)).json()
    expect((await ground.whoAsks(first.access_token)).statusCode).toBe(200)
    const second = await code(app.id, allowed)
    expect([second.statusCode, second.json().error]).toEqual([400, 'invalid_grant'])
    expect((await ground.whoAsks(first.access_token)).statusCode).toBe(401)
    expect((await refresh(app.id, first.refresh_token)).json().error).toBe('invalid_grant')
  })

  test('opens nothing with another verifier, address or app, nor after a minute', async () => {
    const { app } = await ground.register({})
    const { app: other } = await ground.register({})
    const error = async (over: Record<string, string>, client = app.id, laterMs = 0) => {
      const allowed = await ground.allow(app)
      await ground.clock.advance(laterMs)
      const { code_verifier, ...rest } = { code_verifier: allowed.verifier, ...over }
      return (await code(client, allowed, { code_verifier, ...rest })).json().error
    }
    expect(await error({ code_verifier: pkce().verifier })).toBe('invalid_grant')
    expect(await error({ code_verifier: '' })).toBe('invalid_grant')
    expect(await error({ redirect_uri: 'https://app.example.com/other' })).toBe('invalid_grant')
    expect(await error({}, other.id)).toBe('invalid_grant')
    expect(await error({}, app.id, 60_001)).toBe('invalid_grant')
    expect(await error({}, app.id, 59_000)).toBeUndefined()
  })

  test('of two that show it at the same moment one gets nothing, and then neither has anything', async () => {
    const { app } = await ground.register({})
    const allowed = await ground.allow(app)
    const both = await Promise.all([code(app.id, allowed), code(app.id, allowed)])
    expect(both.map(({ statusCode }) => statusCode).sort()).toEqual([200, 400])
    const won = both.find(({ statusCode }) => statusCode === 200)!
    expect((await ground.whoAsks(won.json().access_token)).statusCode).toBe(401)
  })
})

describe('smart > refresh', () => {
  const scope = 'launch/patient offline_access openid patient/*.rs'

  test('turns over: each refresh token is good once, and a second use ends all', async () => {
    const { app } = await ground.register({})
    const { body } = await ground.tokens(app, { scope })
    await ground.clock.advance(601_000)
    expect((await ground.whoAsks(body.access_token)).statusCode).toBe(401)
    const second = (await refresh(app.id, body.refresh_token)).json()
    expect(second).toMatchObject({ scope, patient: ground.patient })
    expect((await ground.whoAsks(second.access_token)).statusCode).toBe(200)
    const third = (await refresh(app.id, second.refresh_token)).json()
    expect((await refresh(app.id, body.refresh_token)).json().error).toBe('invalid_grant')
    expect((await ground.whoAsks(third.access_token)).statusCode).toBe(401)
    expect((await refresh(app.id, third.refresh_token)).json().error).toBe('invalid_grant')
  })

  test('asks for less and never for more; another app gets nothing by it', async () => {
    const { app } = await ground.register({})
    const { app: other } = await ground.register({})
    const { body } = await ground.tokens(app, { scope })
    expect((await refresh(other.id, body.refresh_token)).json().error).toBe('invalid_grant')
    expect((await refresh(app.id, body.refresh_token, { scope: 'patient/*.cruds' })).json().error).toBe('invalid_scope')
    const less = (await refresh(app.id, body.refresh_token, { scope: 'patient/Observation.rs' })).json()
    expect(less.scope).toBe('patient/Observation.rs')
    expect((await ground.whoAsks(less.access_token)).json().scopes).toEqual(['patient/Observation.rs'])
    expect((await refresh(app.id, less.refresh_token)).json().scope).toBe(scope)
  })

  test('without offline_access there is none, and what was allowed ends with the session', async () => {
    const nurse = await ground.signIn(['nurse'])
    const { app } = await ground.register({})
    const { body } = await ground.tokens(app, { who: nurse })
    expect(body.refresh_token).toBeUndefined()
    await ground.post('/api/v1/session/lock', {}, nurse.cookie)
    expect((await ground.whoAsks(body.access_token)).statusCode).toBe(423)
    const unlocked = await ground.post('/api/v1/session/unlock', { password: nurse.password }, nurse.cookie)
    const cookie = cookieOf(unlocked.headers['set-cookie'])
    expect((await ground.whoAsks(body.access_token)).statusCode).toBe(200)
    const { items } = (await ground.call('GET', '/api/v1/sessions', cookie)).json()
    await ground.call('DELETE', `/api/v1/sessions/${items[0].id}`, cookie)
    expect((await ground.whoAsks(body.access_token)).statusCode).toBe(401)
  })
})

describe('smart > an end at once', () => {
  const scope = 'launch/patient offline_access patient/*.rs'

  test('roles are those of now; a membership or password that ended takes every token with it', async () => {
    const nurse = await ground.signIn(['nurse'])
    const { app } = await ground.register({})
    const { body } = await ground.tokens(app, { who: nurse, scope })
    await ground.identity.setRoles(ground.tenant, nurse.id, ['facilities'])
    expect((await ground.whoAsks(body.access_token)).json()).toMatchObject({ roles: ['facilities'], reach: 'none' })
    await ground.identity.renewPassword(ground.tenant, nurse.email)
    expect((await ground.whoAsks(body.access_token)).statusCode).toBe(401)
    expect((await refresh(app.id, body.refresh_token)).json().error).toBe('invalid_grant')
    const leaver = await ground.signIn(['nurse'])
    const left = (await ground.tokens(app, { who: leaver, scope })).body
    await ground.identity.endMembership(ground.tenant, leaver.id)
    expect((await ground.whoAsks(left.access_token)).statusCode).toBe(401)
    expect((await refresh(app.id, left.refresh_token)).json().error).toBe('invalid_grant')
  })

  test('an app that is switched off has nothing, also after it is switched on again', async () => {
    const { app } = await ground.register({})
    const { body } = await ground.tokens(app, { scope })
    const { id, kind, createdAt, disabledAt, ...settings } = app
    const put = (isEnabled: boolean) => ground.asAdmin('PUT', `/api/v1/apps/${app.id}`, { ...settings, isEnabled })
    expect((await put(false)).statusCode).toBe(200)
    expect((await ground.whoAsks(body.access_token)).statusCode).toBe(401)
    expect((await refresh(app.id, body.refresh_token)).json().error).toBe('invalid_client')
    expect(errorOf(await look(queryOf(app.id, pkce().challenge)))).toBe('unauthorized_client')
    await put(true)
    expect((await ground.whoAsks(body.access_token)).statusCode).toBe(401)
    expect((await refresh(app.id, body.refresh_token)).json().error).toBe('invalid_grant')
  })

  test('scopes that an administrator takes off an app are off its tokens, and off those that it renews', async () => {
    const { app } = await ground.register({})
    const { body } = await ground.tokens(app, { scope: `${scope} user/*.cruds` })
    const { id, kind, createdAt, disabledAt, ...settings } = app
    const scopes = ['launch/patient', 'offline_access', 'patient/Observation.rs', 'user/Device.rs']
    await ground.asAdmin('PUT', `/api/v1/apps/${app.id}`, { ...settings, scopes, isEnabled: true })
    const left = ['patient/Observation.rs', 'user/Device.rs']
    expect((await ground.whoAsks(body.access_token)).json().scopes).toEqual(left)
    const renewed = (await refresh(app.id, body.refresh_token)).json()
    expect(renewed.scope).toBe(`launch/patient offline_access ${left.join(' ')}`)
    expect((await refresh(app.id, renewed.refresh_token, { scope: 'user/*.cruds' })).json().error).toBe('invalid_scope')
  })

  test('a person sees what they allowed and takes it back; nobody else can', async () => {
    const nurse = await ground.signIn(['nurse'])
    const { app } = await ground.register({})
    const { body } = await ground.tokens(app, { who: nurse, scope })
    const { items } = (await ground.call('GET', '/api/v1/my-apps', nurse.cookie)).json()
    expect(items).toMatchObject([
      { app: { id: app.id }, scopes: scope.split(' '), subject: ground.patient, isOffline: true },
    ])
    const url = `/api/v1/my-apps/${items[0].id}`
    expect((await ground.call('DELETE', url, ground.nurse.cookie)).statusCode).toBe(404)
    expect((await ground.whoAsks(body.access_token)).statusCode).toBe(200)
    expect((await ground.call('DELETE', url, nurse.cookie)).statusCode).toBe(204)
    expect((await ground.whoAsks(body.access_token)).statusCode).toBe(401)
    expect((await ground.call('GET', '/api/v1/my-apps', nurse.cookie)).json().items).toEqual([])
  })

  test('a patient who is erased takes with them what apps were allowed at them', async () => {
    const { engine, tenant, clock } = ground
    const gone = (await ground.subjects.create(byTest(tenant), aPatient())).id
    const { app } = await ground.register({ launchUrl: 'https://app.example.com/launch' })
    const { body } = await ground.tokens(app, { scope, subject: gone })
    await ground.post(`/api/v1/apps/${app.id}/launch`, { subject: gone })
    const erased = { tenant, subject: gone, at: clock.now(), actor: 'cli' }
    await engine.db.asEngine((tx) => forgetPersons(engine)(tx, erased))
    expect((await ground.whoAsks(body.access_token)).statusCode).toBe(401)
    expect((await refresh(app.id, body.refresh_token)).json().error).toBe('invalid_grant')
    const { rows } = await engine.db.pool.query(
      `select patient_id from auth.app_grant where patient_id = $1
       union all select patient_id from auth.app_launch where patient_id = $1`,
      [gone],
    )
    expect(rows).toEqual([])
  })

  test('an app revokes its own: the access token alone, or with the refresh token everything', async () => {
    const { app } = await ground.register({})
    const { app: other } = await ground.register({})
    const { body } = await ground.tokens(app, { scope })
    const revoke = (client_id: string, token: string) => ground.form('/oauth/revoke', { client_id, token })
    expect((await revoke(other.id, body.access_token)).statusCode).toBe(200)
    expect((await ground.whoAsks(body.access_token)).statusCode).toBe(200)
    expect((await revoke(app.id, body.access_token)).statusCode).toBe(200)
    expect((await ground.whoAsks(body.access_token)).statusCode).toBe(401)
    const next = (await refresh(app.id, body.refresh_token)).json()
    expect((await revoke(app.id, next.refresh_token)).statusCode).toBe(200)
    expect((await ground.whoAsks(next.access_token)).statusCode).toBe(401)
    expect((await refresh(app.id, next.refresh_token)).json().error).toBe('invalid_grant')
  })
})

describe('smart > an app that a patient’s page opens', () => {
  const scope = 'launch openid patient/*.rs'
  const launchUrl = 'https://app.example.com/launch'
  const launch = (app: string, subject: string, cookie?: string) =>
    ground.post(`/api/v1/apps/${app}/launch`, { subject }, cookie)
  const launched = (said: Answered) => new URL(said.json<{ url: string }>().url).searchParams.get('launch')!

  test('gets the patient without a question, once, for who opened it', async () => {
    const { app } = await ground.register({ launchUrl })
    const opened = await launch(app.id, ground.patient)
    const url = new URL(opened.json().url)
    expect([url.origin + url.pathname, url.searchParams.get('iss')]).toEqual([launchUrl, fhirUrl])
    const more = { launch: launched(opened) }
    expect((await look(queryOf(app.id, pkce().challenge, { scope, ...more }))).json()).toMatchObject({
      ...{ next: 'ask', patient: 'chosen', subject: ground.patient },
    })
    // Whatever the answer says of another patient, the launch decides.
    const { body } = await ground.tokens(app, { scope, more, subject: ground.stranger })
    expect(body.patient).toBe(ground.patient)
    const again = await look(queryOf(app.id, pkce().challenge, { scope, ...more }))
    expect(errorOf(again)).toBe('invalid_request')
  })

  test('is of one person, one app and five minutes', async () => {
    const { app } = await ground.register({ launchUrl })
    const { app: other } = await ground.register({ launchUrl })
    const colleague = await ground.signIn(['nurse'])
    const more = { launch: launched(await launch(app.id, ground.patient)) }
    expect(errorOf(await look(queryOf(other.id, pkce().challenge, { scope, ...more })))).toBe('invalid_request')
    const byColleague = await look(queryOf(app.id, pkce().challenge, { scope, ...more }), colleague.cookie)
    expect(errorOf(byColleague)).toBe('invalid_request')
    await ground.clock.advance(300_001)
    expect(errorOf(await look(queryOf(app.id, pkce().challenge, { scope, ...more })))).toBe('invalid_request')
  })

  test('is refused for a patient out of sight, as for one who does not exist', async () => {
    const { app } = await ground.register({ launchUrl })
    const [stranger, nobody] = [await launch(app.id, ground.stranger), await launch(app.id, ground.engine.ids.uuid())]
    expect([stranger.statusCode, stranger.body]).toEqual([404, nobody.body])
    const { app: plain } = await ground.register({})
    expect(codeOf(await launch(plain.id, ground.patient))).toBe('app-not-found')
  })
})

describe('smart > administrators register apps', () => {
  const unfit: readonly (readonly [string, object, string])[] = [
    ['http elsewhere', { redirectUris: ['http://app.example.com/back'] }, '/body/redirectUris/0'],
    ['a fragment', { redirectUris: ['https://app.example.com/#/back'] }, '/body/redirectUris/0'],
    ['a wildcard', { redirectUris: ['https://*.example.com/back'] }, '/body/redirectUris/0'],
    ['a scheme of its own', { redirectUris: ['myapp:back'] }, '/body/redirectUris/0'],
    ['no address', { redirectUris: [] }, '/body/redirectUris'],
    ['a scope that is none', { scopes: ['patient/Observation.sr'] }, '/body/scopes/0'],
    ['system scopes without a key', { kind: 'symmetric', scopes: ['system/*.rs'] }, '/body/scopes'],
    ['keys of a public app', { jwksUri: 'https://app.example.com/keys' }, '/body/jwks'],
    ['no keys', { kind: 'asymmetric' }, '/body/jwksUri'],
    ['a weak key', { kind: 'asymmetric', jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }, '/body/jwks/keys/0'],
  ]
  test.each(unfit)('%s is refused with its place', async (_, over, pointer) => {
    const body = { name: 'x', kind: 'public', redirectUris: [redirectUri], scopes: ['patient/*.rs'], ...over }
    const said = await ground.asAdmin('POST', '/api/v1/apps', body)
    expect([said.statusCode, codeOf(said)]).toEqual([422, 'app-unfit'])
    expect(said.json<OperationOutcome>().issue[0]!.expression).toEqual([pointer])
  })

  test('keys are not fetched from inside, and what must not be kept of a key is not', async () => {
    const body = { name: 'x', kind: 'asymmetric', redirectUris: [redirectUri], scopes: ['patient/*.rs'] }
    const inside = await ground.asAdmin('POST', '/api/v1/apps', { ...body, jwksUri: 'https://127.0.0.1/keys' })
    expect(codeOf(inside)).toBe('outbound-url-refused')
  })

  test('only they, with a fresh proof', async () => {
    const body = { name: 'x', kind: 'public', redirectUris: [redirectUri], scopes: ['patient/*.rs'] }
    expect((await ground.post('/api/v1/apps', body)).statusCode).toBe(403)
    const unproved = await ground.signIn(['administrator'])
    await ground.clock.advance(301_000)
    expect(codeOf(await ground.post('/api/v1/apps', body, unproved.cookie))).toBe('step-up-needed')
    await ground.clock.advance(-301_000)
  })
})
