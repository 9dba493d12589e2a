/** What an app opens of a whole platform: FHIR alone, and of that no more than its scopes, its person's rights and the patient's consent. */
import type { AppBody, NewAppInput, Role, SignedIn } from '@careloop/contract'
import { NewApp } from '@careloop/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ApiServer, makeApiServer } from '../api/index.ts'
import { cookieOf } from '../api/testing/test-shell.ts'
import { openDetail, readTrail } from '../audit/index.ts'
import { ownViews, rebuildViews } from '../clinical/index.ts'
import { type ManualClock, makeManualClock } from '../engine/clock/manual-clock.ts'
import { testEngine } from '../engine/testing/index.ts'
import { aPatient } from '../subjects/fixtures.ts'
import { byConsole, grantSight } from '../subjects/index.ts'
import { openRooms, type Rooms } from './rooms.ts'
import { routesOf } from './routes.ts'
import {
  type AppKey,
  appKey,
  assertionForm,
  codeForm,
  origin,
  pkce,
  queryOf,
  redirectUri,
} from './testing/smart-ground.ts'

let rooms: Rooms
let server: ApiServer
let stop: () => Promise<void>
let clock: ManualClock
let key: AppKey
let tenant: string
let nurse: Person
let patient: string
let stranger: string
const own = { host: 'care.example.org', 'sec-fetch-site': 'same-origin' }

interface Person {
  readonly id: string
  readonly cookie: string
}

beforeAll(async () => {
  clock = makeManualClock(Date.now())
  const made = await testEngine({ clock })
  stop = made.stop
  const options = { secureCookies: false, signInsPerMinute: 1_000, idleLockMs: 7 * 86_400_000, publicOrigin: origin }
  rooms = await openRooms(made.engine, options)
  server = await makeApiServer({
    ...{ engine: made.engine, identity: rooms.identity, routes: routesOf(rooms, null), readiness: [], version: '0' },
    ...{ deviceByToken: async () => null, publicOrigin: origin },
  })
  tenant = await rooms.identity.createTenant('Ward 3')
  key = await appKey('ES384', 'k')
  nurse = await signIn('nurse')
  const other = await signIn('nurse')
  const by = byConsole(tenant)
  const team = await rooms.subjects.createCareTeam(by, { name: 'Theirs', members: [other.id] })
  patient = (await rooms.subjects.create(by, aPatient())).id
  stranger = (await rooms.subjects.create(by, { ...aPatient({ given: 'Adelgunde' }), team: team.id })).id
  for (const of of [patient, stranger])
    for (const category of ['vital-signs', 'laboratory']) {
      const said = await server.inject({
        ...{ method: 'POST', url: '/fhir/R4/Observation', payload: JSON.stringify(observation(of, category)) },
        headers: {
          ...own,
          cookie: of === patient ? nurse.cookie : other.cookie,
          'content-type': 'application/fhir+json',
        },
      })
      if (said.statusCode !== 201) throw new Error(`the observation answered ${said.statusCode} ${said.body}`)
    }
  // What the stage of views does on a server that runs: patients as FHIR.
  await rebuildViews(rooms.engine, { clinical: rooms.clinical, views: ownViews(rooms.engine, rooms.clinical) }, tenant)
})
afterAll(async () => {
  await server?.close()
  await stop?.()
})

let people = 0
async function signIn(role: Role | 'patient' | 'caregiver'): Promise<Person> {
  people += 1
  const [email, password] = [`p${people}@ward.example`, `quiet lamps over water ${people}`]
  const isStaff = role !== 'patient' && role !== 'caregiver'
  const roles: Role[] = [isStaff ? role : 'nurse']
  const { id } = await rooms.identity.createUser({ tenant, email, displayName: 'A', roles, password })
  if (!isStaff) await rooms.engine.db.pool.query('update auth.member set roles = $2 where user_id = $1', [id, [role]])
  const said = await server.inject({ method: 'POST', url: '/api/auth/sign-in/email', payload: { email, password } })
  expect(said.json<SignedIn>().next).toBe('signed-in')
  return { id, cookie: cookieOf(said.headers['set-cookie']) }
}

const register = async (over: Partial<NewAppInput> = {}): Promise<AppBody> => {
  const scopes = ['openid', 'fhirUser', 'launch/patient', 'offline_access', 'patient/*.cruds', 'user/*.cruds']
  const wanted = NewApp.parse({ name: 'Chart', kind: 'public', redirectUris: [redirectUri], scopes, ...over })
  return (await rooms.identity.smart.apps.create(tenant, wanted, { actor: 'cli' })).app
}

async function tokenFor(scope: string, who = nurse, subject: string | undefined = patient): Promise<string> {
  const app = await register()
  const { verifier, challenge } = pkce()
  const payload = { query: queryOf(app.id, challenge, { scope }), isAllowed: true, ...(subject ? { subject } : {}) }
  const url = '/api/v1/authorizations'
  const said = await server.inject({ method: 'POST', url, payload, headers: { ...own, cookie: who.cookie } })
  const code = new URL(said.json<{ redirect: string }>().redirect).searchParams.get('code')!
  return (await form(codeForm(app.id, code, verifier))).json().access_token
}

const form = (fields: Record<string, string>) =>
  server.inject({
    ...{ method: 'POST', url: '/oauth/token', payload: new URLSearchParams(fields).toString() },
    headers: { host: own.host, 'content-type': 'application/x-www-form-urlencoded' },
  })

const get = (token: string, path: string) =>
  server.inject({ url: `/fhir/R4/${path}`, headers: { host: own.host, authorization: `Bearer ${token}` } })
const status = async (token: string, path: string) => (await get(token, path)).statusCode
const categories = async (token: string, path: string) => {
  const said = await get(token, path)
  if (said.statusCode !== 200) return [said.statusCode]
  const { entry = [] } = said.json<{ entry?: { resource: { category: { coding: { code: string }[] }[] } }[] }>()
  return entry.map(({ resource }) => resource.category[0]!.coding[0]!.code).sort()
}

describe('smart > an app among all routes', () => {
  test('its token, of a person or its own, is refused by every route that is not FHIR', async () => {
    const own = await backendToken('system/*.cruds', await backend())
    for (const token of [await tokenFor('patient/*.cruds user/*.cruds'), own]) {
      const closed = server.routes.filter(({ policy }) => !['public', 'fhir', 'operator'].includes(String(policy)))
      expect(closed.length).toBeGreaterThan(150)
      const opened: string[] = []
      for (const { method, url } of closed) {
        const said = await server.inject({
          ...{ method, url: url.replaceAll(/:\w+/g, patient), headers: { authorization: `Bearer ${token}` } },
          ...(method === 'POST' || method === 'PUT' ? { payload: {} } : {}),
        })
        // A wall screen's own routes know no token at all.
        if (said.statusCode !== 403 && said.statusCode !== 401) opened.push(`${method} ${url}: ${said.statusCode}`)
      }
      expect(opened).toEqual([])
    }
  })
})

describe('smart > pages of other origins', () => {
  test('read FHIR and why it was refused, by a token; what comes with a cookie from there changes nothing', async () => {
    const elsewhere = { host: own.host, origin: 'https://app.example.com', 'sec-fetch-site': 'cross-site' }
    const url = `/fhir/R4/Patient/${patient}`
    const token = await tokenFor('launch/patient patient/*.rs')
    for (const [headers, status] of [
      [{ authorization: `Bearer ${token}` }, 200],
      [{ authorization: 'Bearer clo_nonsense' }, 401],
    ] as const) {
      const said = await server.inject({ url, headers: { ...elsewhere, ...headers } })
      expect([said.statusCode, said.headers['access-control-allow-origin']]).toEqual([status, '*'])
      expect(said.headers['access-control-allow-credentials']).toBeUndefined()
    }
    const metadata = await server.inject({ url: '/fhir/R4/metadata', headers: elsewhere })
    expect([metadata.statusCode, metadata.headers['access-control-allow-origin']]).toEqual([200, '*'])
    const changed = await server.inject({
      ...{ method: 'DELETE', url, headers: { ...elsewhere, cookie: nurse.cookie } },
    })
    expect(changed.statusCode).toBe(403)
    expect(await status(token, `Patient/${patient}`)).toBe(200)
  })
})

describe('smart > scopes over FHIR', () => {
  test('a patient’s scope with a filter opens that patient’s and what the filter lets through', async () => {
    const token = await tokenFor('launch/patient patient/Observation.rs?category=vital-signs')
    expect(await categories(token, 'Observation')).toEqual(['vital-signs'])
    expect(await categories(token, `Observation?patient=${patient}&category=laboratory`)).toEqual([])
    expect(await categories(token, `Observation?patient=${stranger}`)).toEqual([])
    expect(await status(token, `Patient/${patient}`)).toBe(403)
    const made = await server.inject({
      ...{ method: 'POST', url: '/fhir/R4/Observation', payload: JSON.stringify(observation(patient, 'vital-signs')) },
      headers: { host: own.host, authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
    })
    expect(made.statusCode).toBe(403)
  })

  test('read and search are different letters', async () => {
    const token = await tokenFor('launch/patient patient/Observation.r patient/Patient.rs')
    expect(await status(token, 'Observation')).toBe(403)
    expect(await status(token, `Patient/${patient}`)).toBe(200)
  })

  test('a user’s scope opens whom the person sees, and nobody else', async () => {
    const token = await tokenFor('user/*.read', nurse, undefined)
    expect(await status(token, `Patient/${patient}`)).toBe(200)
    expect(await status(token, `Patient/${stranger}`)).toBe(404)
    expect(await categories(token, 'Observation')).toEqual(['laboratory', 'vital-signs'])
    const pharmacist = await signIn('pharmacist')
    const theirs = await tokenFor('user/*.read', pharmacist, undefined)
    expect(await status(theirs, `Patient/${patient}`)).toBe(404)
  })

  test('what was done through an app bears the app in the trail, sealed', async () => {
    const token = await tokenFor('launch/patient patient/*.rs')
    await get(token, `Patient/${patient}`)
    const entries = await rooms.engine.db.asTenant(tenant, (tx) => readTrail(tx, { subject: patient, limit: 20 }))
    const read = entries.find(({ action, detail }) => action === 'read' && detail !== null)!
    const opened = openDetail({ tenant }, await rooms.engine.keys.key(read.detail!.keyId), read.detail!)
    expect([read.actor, opened]).toEqual([`staff:${nurse.id}`, { app: expect.stringMatching(/^[0-9a-f-]{36}$/) }])
    const direct = await server.inject({
      url: `/fhir/R4/Patient/${patient}`,
      headers: { ...own, cookie: nurse.cookie },
    })
    expect(direct.statusCode).toBe(200)
  })
})

describe('smart > patients and caregivers', () => {
  const sight = (user: string, why: 'self' | 'consent', subject: string) =>
    rooms.engine.db.asTenant(tenant, (tx) =>
      grantSight(tx, {
        id: rooms.engine.ids.uuid(),
        subject,
        user,
        why,
        source: user,
        from: clock.now(),
        actor: 'cli',
      }),
    )

  test('a patient allows an app for themselves: no other patient, no scope of staff', async () => {
    const self = await signIn('patient')
    await sight(self.id, 'self', patient)
    const app = await register()
    const query = queryOf(app.id, pkce().challenge, { scope: 'launch/patient patient/*.rs user/*.rs' })
    const headers = { ...own, cookie: self.cookie }
    const shown = await server.inject({
      method: 'POST',
      url: '/api/v1/authorizations/look',
      payload: { query },
      headers,
    })
    expect(shown.json()).toMatchObject({
      ...{ scopes: ['launch/patient', 'patient/*.rs'], patient: 'choose' },
      choices: [{ id: patient, display: 'Zwölfaxinger, Kunigunde' }],
    })
    const payload = { query, isAllowed: true, subject: stranger }
    const other = await server.inject({ method: 'POST', url: '/api/v1/authorizations', payload, headers })
    expect(other.statusCode).toBe(404)
    const token = await tokenFor('launch/patient patient/*.rs', self)
    expect(await status(token, `Patient/${patient}`)).toBe(200)
    expect(await categories(token, 'Observation')).toEqual(['laboratory', 'vital-signs'])
    expect(await status(token, `Patient/${stranger}`)).toBe(404)
  })

  test('a caregiver’s app sees no more than the consent lets the caregiver see: without one, nothing', async () => {
    const carer = await signIn('caregiver')
    await sight(carer.id, 'consent', patient)
    const token = await tokenFor('launch/patient patient/*.rs', carer)
    // Attached, and without a consent that permits anything: nothing is shown.
    expect(await categories(token, 'Observation')).toEqual([])
  })
})

describe('smart > backend services', () => {
  test('see of patients those who consented to them, from the consent to its end', async () => {
    const app = await backend()
    const token = await backendToken('system/*.rs', app)
    expect(await status(token, `Patient/${patient}`)).toBe(404)
    expect(await categories(token, 'Observation')).toEqual([])
    const by = byConsole(tenant)
    const { id } = await rooms.subjects.consents.record(by, patient, {
      ...{ decision: 'permit', grantee: { kind: 'integration', id: app.id } },
      verification: { how: 'verbal-with-witness' },
    })
    expect(await status(token, `Patient/${patient}`)).toBe(200)
    expect(await status(token, `Patient/${stranger}`)).toBe(404)
    expect(await categories(token, 'Observation')).toContain('vital-signs')
    await rooms.subjects.consents.withdraw(by, { subject: patient, consent: id }, {})
    expect(await status(token, `Patient/${patient}`)).toBe(404)
  })

  test('change nothing without a letter for it, whoever consented', async () => {
    const token = await backendToken('system/*.rs', await backend())
    const said = await server.inject({
      ...{
        method: 'PUT',
        url: '/fhir/R4/Patient/somebody-new',
        payload: JSON.stringify({ ...aPatient().resource, id: 'somebody-new' }),
      },
      headers: { host: own.host, authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
    })
    expect(said.statusCode).toBe(403)
  })
})

const backend = () =>
  register({ kind: 'asymmetric', redirectUris: [], scopes: ['system/*.cruds'], jwks: { keys: [{ ...key.jwk }] } })

async function backendToken(scope: string, app: AppBody): Promise<string> {
  const assertion = await key.assert(app.id, clock.now())
  return (await form(assertionForm(assertion, { grant_type: 'client_credentials', scope }))).json().access_token
}

const observation = (patient: string, category: string) => ({
  ...{ resourceType: 'Observation', status: 'final', subject: { reference: `Patient/${patient}` } },
  category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: category }] }],
  code: { coding: [{ system: 'http://loinc.org', code: category === 'laboratory' ? '2339-0' : '8867-4' }] },
  effectiveDateTime: new Date().toISOString(),
  valueQuantity:
    category === 'laboratory'
      ? { value: 98, unit: 'mg/dL', system: 'http://unitsofmeasure.org', code: 'mg/dL' }
      : { value: 72, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
})
