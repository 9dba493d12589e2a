import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { z } from 'zod'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import type { Context, PersonOrService, Policy, Replied, Route } from '../identity/index.ts'
import { aPatient, mrnSystem, testSubjects } from '../subjects/fixtures.ts'
import { withReach } from '../subjects/index.ts'
import { subjectsRoutes } from '../subjects/routes.ts'
import { ensureCa, issueDeviceCertificate } from './ca/index.ts'
import { testFleet } from './fixtures.ts'
import { fleetRoutes } from './routes.ts'

let ground: TestEngine
let routes: Route[]
let principal: PersonOrService
beforeAll(async () => {
  ground = await testEngine()
  const ca = await ensureCa(ground.engine)
  const fleet = testFleet(ground.engine, {
    issueCertificate: (wanted) => issueDeviceCertificate(ground.engine, ca, wanted),
  })
  routes = [...subjectsRoutes(testSubjects(ground.engine)), ...fleetRoutes(fleet)]
  const tenant = await ground.tenant()
  principal = { kind: 'staff', tenant, id: 'nora', displayName: 'Nora', roles: ['nurse'], session: 's' }
})
afterAll(() => ground?.stop())

interface Ask {
  readonly params?: Record<string, string>
  readonly query?: Record<string, string>
  readonly body?: unknown
}

/** Asks a route as `api` does: through its schemas, both ways. */
async function ask<T>(name: string, { params = {}, query = {}, body }: Ask = {}): Promise<T> {
  const route = routes.find((each) => `${each.method} ${each.url}` === name)
  if (!route) throw new Error(`no route ${name}`)
  const through = (schema: z.ZodType | undefined, value: unknown) => schema?.parse(JSON.parse(JSON.stringify(value)))
  const ctx = {
    ...{ engine: ground.engine, tenant: principal.tenant, requestId: 'req-1' },
    principal: await withReach(ground.engine, principal),
    params: through(route.params, params),
    query: through(route.query, query),
    body: body === undefined ? undefined : through(route.body, body),
    reply: (status: number, value: unknown): Replied => ({
      ...{ status, headers: {} },
      body: value === undefined ? { kind: 'empty' } : { kind: 'json', value },
    }),
  } as unknown as Context<Policy, undefined, undefined, undefined, Record<number, 'empty'>>
  const replied = await (route.handler as (ctx: unknown) => Promise<Replied>)(ctx)
  const answer = route.response[replied.status]
  if (answer === undefined) throw new Error(`${name} answers ${replied.status} without having said so`)
  if (answer === 'empty' || 'stream' in answer || replied.body.kind !== 'json') return undefined as T
  return answer.parse(JSON.parse(JSON.stringify(replied.body.value))) as T
}

interface WithId {
  readonly id: string
}

test('routes > each declares a policy, and no URL carries what could name a person', () => {
  // What a device asks before it has a credential, it asks with a one-time code or with the certificate that it holds.
  const byDevices = ['/api/v1/devices/claim', '/api/v1/devices/renew']
  const open = routes.filter(({ policy }) => policy === 'public').map(({ url }) => url)
  expect(open).toEqual(byDevices)
  expect(routes.filter(({ policy }) => typeof policy !== 'object').map(({ url }) => url)).toEqual(byDevices)
  for (const { url } of routes)
    expect(url).toMatch(/^\/api\/v1\/[a-z-]+(\/(:id|:credential|:claim|:consent|[a-z-]+))*$/)
  expect(new Set(routes.map(({ method, url }) => `${method} ${url}`)).size).toBe(routes.length)
})

test('routes > a patient is taken in, found, enrolled and changed', async () => {
  const site = await ask<WithId>('POST /api/v1/sites', { body: { name: 'North', timeZone: 'UTC' } })
  const team = await ask<WithId>('POST /api/v1/care-teams', { body: { name: 'Hearts', members: ['nora'] } })
  await ask('PUT /api/v1/care-teams/:id/members', { params: { id: team.id }, body: { members: ['nora', 'ben'] } })
  expect(await ask('GET /api/v1/care-teams')).toMatchObject({ items: [{ members: ['ben', 'nora'] }] })
  expect(await ask('GET /api/v1/sites')).toEqual({ items: [site] })
  const body = { ...aPatient({ mrn: 'R-1' }), site: site.id, team: team.id }
  const made = await ask<WithId>('POST /api/v1/subjects', { body })
  expect(await ask('GET /api/v1/subjects/:id', { params: { id: made.id } })).toEqual(made)
  for (const search of [{ text: 'kuni zwo' }, { identifier: { system: mrnSystem, value: 'r-1' } }, { ids: [made.id] }])
    expect(await ask('POST /api/v1/subjects/search', { body: search })).toMatchObject({ items: [{ id: made.id }] })
  expect(await ask('GET /api/v1/subjects', { query: { kind: 'patient', limit: '5' } })).toMatchObject({ next: null })
  const params = { id: made.id }
  await ask('PUT /api/v1/subjects/:id', { params, body: { ...body, version: 1 } })
  const enrolment = await ask<WithId>('POST /api/v1/subjects/:id/enrolments', {
    ...{ params, body: { program: 'falls', owner: 'nora' } },
  })
  const ofEnrolment = { id: enrolment.id }
  await ask('PUT /api/v1/enrolments/:id', { params: ofEnrolment, body: { owner: 'ben', backup: 'nora' } })
  await ask('POST /api/v1/enrolments/:id/end', {
    params: ofEnrolment,
    body: { to: ground.engine.clock.now() + 60_000 },
  })
  expect(await ask('GET /api/v1/subjects/:id/enrolments', { params })).toMatchObject({ items: [{ owner: 'ben' }] })
})

test('routes > a device is enrolled, let in, worn, corrected and set', async () => {
  const subject = (await ask<WithId>('POST /api/v1/subjects', { body: aPatient() })).id
  const gateway = await ask<WithId>('POST /api/v1/gateways', { body: { name: 'gw' } })
  expect(await ask('GET /api/v1/gateways')).toEqual({ items: [gateway] })
  const wanted = { name: 'cuff-r', classification: 'medical', gateway: gateway.id }
  const { id } = await ask<WithId>('POST /api/v1/devices', { body: wanted })
  const params = { id }
  const token = await ask<{ credential: string; token: string }>('POST /api/v1/devices/:id/tokens', {
    params,
    body: {},
  })
  const issued = await ask<{ certificate: string; fingerprint: string; privateKey?: string }>(
    'POST /api/v1/devices/:id/certificate',
    { params, body: {} },
  )
  expect(new X509Certificate(issued.certificate).fingerprint256.replaceAll(':', '').toLowerCase()).toBe(
    issued.fingerprint,
  )
  expect(issued.privateKey).toContain('PRIVATE KEY')
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const csr = publicKey.export({ type: 'spki', format: 'pem' }) as string
  await expect(ask('POST /api/v1/devices/:id/certificate', { params, body: { csr } })).rejects.toMatchObject({
    code: 'csr-malformed',
    pointer: '/body/csr',
  })
  await ask('DELETE /api/v1/devices/:id/credentials/:credential', { params: { id, credential: token.credential } })
  expect(await ask('GET /api/v1/devices/:id/credentials', { params })).toMatchObject({
    items: [
      { kind: 'token', revokedAt: expect.any(Number) },
      { kind: 'certificate', revokedAt: null },
    ],
  })
  const from = ground.engine.clock.now() - 60_000
  const worn = await ask<WithId>('POST /api/v1/devices/:id/assignments', { params, body: { subject, from } })
  await ask('POST /api/v1/devices/:id/assignments/end', { params, body: {} })
  const corrected = await ask('POST /api/v1/devices/:id/assignments/correct', {
    params,
    body: { reason: 'Put on later', edits: [{ edit: 'change', assignment: worn.id, from: from + 1000 }] },
  })
  expect(corrected).toMatchObject({ spans: [{ id: worn.id, from: from + 1000 }], superseded: [{}, { from, to: null }] })
  expect(await ask('GET /api/v1/devices/:id/assignments', { params })).toEqual(corrected)
  await ask('PUT /api/v1/devices/:id/settings', { params, body: { intervalS: 5 } })
  expect(await ask('GET /api/v1/devices/:id/settings', { params })).toEqual({ version: 1, settings: { intervalS: 5 } })
  await ask('PUT /api/v1/devices/:id', { params, body: { classification: 'wellness', profile: 'generic' } })
  expect(await ask('GET /api/v1/devices/:id', { params })).toMatchObject({ classification: 'wellness', worn: null })
  expect(await ask('GET /api/v1/devices', { query: { name: 'cuff-r' } })).toMatchObject({ items: [{ id }], next: null })
})

test('routes > every answer that tells of a person left its entry in the trail', async () => {
  const { id } = await ask<WithId>('POST /api/v1/subjects', { body: aPatient() })
  await ask('GET /api/v1/subjects/:id', { params: { id } })
  await ask('GET /api/v1/subjects/:id/enrolments', { params: { id } })
  await ask('POST /api/v1/subjects/search', { body: { ids: [id] } })
  const device = await ask<WithId>('POST /api/v1/devices', { body: { name: 'trail', classification: 'medical' } })
  await ask('POST /api/v1/devices/:id/assignments', { params: { id: device.id }, body: { subject: id } })
  await ask('GET /api/v1/devices/:id', { params: { id: device.id } })
  await ask('GET /api/v1/devices', { query: { subject: id } })
  await ask('GET /api/v1/devices/:id/assignments', { params: { id: device.id } })
  const { rows } = await ground.engine.db.pool.query<{ action: string; resource: string; who: string }>(
    `select action, resource, principal_kind || ':' || principal_id as who from tenant.audit_entry
      where subject_id = $1 and request_id = 'req-1' order by id`,
    [id],
  )
  expect(rows.map(({ action, resource }) => `${action} ${resource}`)).toEqual([
    'create subject',
    'read subject',
    'read enrolment',
    'search subject',
    'assign assignment',
    'read device',
    'search device',
    'read assignment',
  ])
  expect(new Set(rows.map((row) => row.who))).toEqual(new Set(['staff:nora']))
})
