/** What somebody may not know of is neither told by an answer nor by what becomes of a write. */
import type { FhirTree } from '@careloop/fhir'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import {
  parseScope,
  type Reach,
  type ReachReason,
  type ServicePrincipal,
  type SmartScope,
  type StaffPrincipal,
} from '../identity/index.ts'
import { byTest, testSubjects } from '../subjects/fixtures.ts'
import type { By, Subjects } from '../subjects/index.ts'
import { performBatch } from './bundle/batch.ts'
import { performTransaction } from './bundle/transaction.ts'
import type { Clinical } from './clinical.ts'
import { anObservation, patientFor } from './fixtures.ts'
import { makeClinical, makeFhirRoom } from './make-clinical.ts'
import type { FhirRoom } from './rest/fhir-room.ts'
import { perform } from './rest/perform.ts'
import type { FhirRequest } from './rest/request.ts'
import { takeInSubjects } from './views/take-in.ts'

const base = 'https://care.example/fhir/R4'
const own = '018f0000-0000-7000-8000-000000000001'

let ground: TestEngine
let clinical: Clinical
let subjects: Subjects
let room: FhirRoom
let tenant: string
let mine: string
let other: string

beforeAll(async () => {
  ground = await testEngine()
  tenant = await ground.tenant()
  subjects = testSubjects(ground.engine)
  room = makeFhirRoom(ground.engine, { consents: subjects.consents, takeIn: takeInSubjects(ground.engine), base })
  clinical = makeClinical(room)
  mine = await patientFor(subjects, tenant)
  other = await patientFor(subjects, tenant)
  await ground.engine.db.asTenant(tenant, (tx) =>
    tx.client.query(
      `insert into tenant.consent_setting (holds_part2, own_services, changed_at) values (false, array[$1::uuid], 0)`,
      [own],
    ),
  )
})
afterAll(() => ground?.stop())

const service = (over: Partial<ServicePrincipal>): By => {
  const who: ServicePrincipal = { kind: 'service', tenant, id: own, scopes: ['*:*'], reach: 'every-patient', ...over }
  return { tenant, actor: `service:${who.id}`, who, requestId: ground.engine.ids.uuid() }
}
const byApp = (...scopes: string[]) =>
  service({
    app: {
      ...{ client: 'app-1', name: 'Growth', patient: mine },
      scopes: scopes.map((text) => parseScope(text) as SmartScope),
    },
  })
const attachedTo = (id: string, why: ReachReason): Reach => ({
  ...{ teams: [], teamless: false, subjects: new Map([[id, { why: new Set([why]) }]]) },
})
const person = (roles: StaffPrincipal['roles'], reach: Reach): By => {
  const who: StaffPrincipal = { kind: 'staff', tenant, id: 'p', displayName: 'P', roles, session: 's', reach }
  return { tenant, actor: 'staff:p', who, requestId: ground.engine.ids.uuid() }
}

const ask = (by: By, method: FhirRequest['method'], path: string, more: Partial<FhirRequest> = {}) =>
  perform(room, { by, method, path: path.split('/'), query: [], conditions: {}, base, isStrict: true, ...more })
const refused = { code: 'type-not-yours' }
const notThere = { code: 'resource-not-found' }
const nobodys = { subject: { display: 'a name that was written instead of a reference' } }

describe('what says of nobody whose it is', () => {
  test('is there for whom treats, not for a patient, who cares for one, or a program outside that one patient let in', async () => {
    const { stored } = await clinical.create(byTest(tenant), anObservation(mine, nobodys))
    const readers = {
      nurse: person(['nurse'], attachedTo(mine, 'task')),
      own: service({}),
      patient: person(['patient'], attachedTo(mine, 'self')),
      caregiver: person(['caregiver'], attachedTo(mine, 'consent')),
      outside: service({ id: '018f0000-0000-7000-8000-000000000009', reach: attachedTo(mine, 'consent') }),
    }
    const told: Record<string, unknown> = {}
    for (const [name, by] of Object.entries(readers))
      told[name] = await clinical.read(by, 'Observation', stored.id).then(
        () => 'shown',
        (error: { code?: string }) => error.code,
      )
    expect(told).toEqual({
      ...{ nurse: 'shown', own: 'shown' },
      ...{ patient: notThere.code, caregiver: notThere.code, outside: notThere.code },
    })
  })
})

describe('a condition of a write', () => {
  const found = (patient: string): FhirRequest['conditions'] => ({
    ifNoneExist: `patient=${patient}&value-quantity=gt90`,
  })

  test('asks nothing of the record for who may only send in: neither a program nor an app', async () => {
    await clinical.create(byTest(tenant), anObservation(other))
    await clinical.create(byTest(tenant), anObservation(mine))
    const sender = service({ scopes: ['reading:create'] })
    const post = (by: By, patient: string) =>
      ask(by, 'POST', 'Observation', { tree: anObservation(patient), conditions: found(patient) })
    await expect(post(sender, other)).rejects.toMatchObject(refused)
    await expect(post(byApp('patient/Observation.c'), mine)).rejects.toMatchObject(refused)
    const update = ask(byApp('patient/Observation.u'), 'PUT', 'Observation', {
      ...{ tree: anObservation(mine), query: [['value-quantity', 'gt90']] },
    })
    await expect(update).rejects.toMatchObject(refused)
    const remove = ask(byApp('patient/Observation.d'), 'DELETE', 'Observation', { query: [['value-quantity', 'gt90']] })
    await expect(remove).rejects.toMatchObject(refused)
    // By the identifier that they sent, they still send it once.
    const identifier = [{ system: 'urn:x', value: 'message-1' }]
    const once = () =>
      ask(sender, 'POST', 'Observation', {
        ...{ tree: anObservation(mine, { identifier }), conditions: { ifNoneExist: 'identifier=urn:x|message-1' } },
      })
    expect([(await once()).status, (await once()).status]).toEqual([201, 200])
  })

  test('is as strict in a transaction, and for a conditional reference', async () => {
    const entry = (patient: string, request: object) => ({ resource: anObservation(patient), request })
    const transaction = (by: By, ...entries: object[]) => {
      const tree = { resourceType: 'Bundle', type: 'transaction', entry: entries } as unknown as FhirTree
      return performTransaction(room, { ...asked(by), tree }, 'minimal')
    }
    const asked = (by: By): FhirRequest => ({
      ...{ by, method: 'POST', path: [], query: [], conditions: {}, base, isStrict: true },
    })
    const app = byApp('patient/Observation.c', 'patient/Patient.r')
    const conditional = { method: 'POST', url: 'Observation', ifNoneExist: found(mine).ifNoneExist }
    await expect(transaction(app, entry(mine, conditional))).rejects.toMatchObject(refused)
    const byBirth = entry(`?birthdate=gt1900-01-01`, { method: 'POST', url: 'Observation' })
    const text = JSON.stringify(byBirth).replace('Patient/?', 'Patient?')
    await expect(transaction(app, JSON.parse(text))).rejects.toMatchObject(refused)
  })
})

describe('a patch', () => {
  test('is of what may be read: neither its answer nor its tests tell an app that may only write', async () => {
    const { stored } = await clinical.create(byTest(tenant), anObservation(mine))
    const path = `Observation/${stored.id}`
    const op = (op: string, at: string, value: unknown) => [{ op, path: at, value }] as never
    const patch = op('test', '/status', 'final')
    await expect(ask(byApp('patient/Observation.u'), 'PATCH', path, { patch })).rejects.toMatchObject(refused)
    const labs = byApp('patient/Observation.u', 'patient/Observation.r?category=laboratory')
    await expect(ask(labs, 'PATCH', path, { patch })).rejects.toMatchObject(notThere)
    const both = byApp('patient/Observation.ru')
    expect((await ask(both, 'PATCH', path, { patch: op('replace', '/status', 'amended') })).status).toBe(200)
  })
})

describe('a history', () => {
  test('of what is not theirs is one of nothing, however it is asked for', async () => {
    const { stored } = await clinical.create(byTest(tenant), anObservation(other))
    for (const status of ['amended', 'corrected'])
      await clinical.update(byTest(tenant), { ...anObservation(other, { status }), id: stored.id } as FhirTree)
    const app = byApp('patient/Observation.rs')
    const page = (id: string) => clinical.history(app, { type: 'Observation', id, limit: 1, since: 0 })
    expect(await page(stored.id)).toEqual(await page('no-such-one'))
  })
})

describe('whom something is about', () => {
  test('tells not whether what it points to is there: of another patient, or of nobody', async () => {
    const { stored } = await clinical.create(byTest(tenant), anObservation(other))
    const nurse = person(['nurse'], attachedTo(mine, 'task'))
    const provenance = (id: string) =>
      ({
        ...{ resourceType: 'Provenance', target: [{ reference: `Observation/${id}` }] },
        ...{ recorded: '2026-01-01T00:00:00Z', agent: [{ who: { display: 'x' } }] },
      }) as FhirTree
    const outcome = (id: string) =>
      clinical.create(nurse, provenance(id)).then(
        () => 'made',
        (error: { code?: string }) => error.code,
      )
    expect(await outcome(stored.id)).toBe(await outcome('no-such-one'))
  })
})

describe('$lastn', () => {
  test('walks no further than a search', async () => {
    const query = [['subject:missing', 'false']] as const
    await expect(ask(service({}), 'GET', 'Observation/$lastn', { query })).rejects.toMatchObject({
      issue: { rule: 'lastn-patient' },
    })
  })
})

describe('what is made to exhaust', () => {
  test('a form of many chains or includes, and a Bundle of many searches, is refused before it is searched', async () => {
    const many = (name: string, value: string, count: number) =>
      Array.from({ length: count }, () => [name, value] as const)
    const tooBroad = { issue: { rule: 'search-too-broad' } }
    const search = (query: FhirRequest['query']) => ask(service({}), 'GET', 'Observation', { query })
    await expect(search(many('subject:Patient.name', 'a', 13))).rejects.toMatchObject(tooBroad)
    await expect(search(many('_revinclude', 'Provenance:target', 41))).rejects.toMatchObject(tooBroad)
    await expect(search(many('code', 'a', 101))).rejects.toMatchObject(tooBroad)
    expect((await search([...many('subject:Patient.name', 'a', 3), ...many('code', 'a', 3)])).status).toBe(200)
    const batch = (count: number, url: string) => {
      const entry = Array.from({ length: count }, () => ({ request: { method: 'GET', url } }))
      const tree = { resourceType: 'Bundle', type: 'batch', entry } as unknown as FhirTree
      const request = {
        by: service({}),
        method: 'POST',
        path: [],
        query: [],
        conditions: {},
        base,
        isStrict: true,
      } as const
      return performBatch(room, { ...request, tree }, 'minimal')
    }
    await expect(batch(101, 'Observation?_sort=value-quantity')).rejects.toMatchObject({ code: 'bundle-wrong' })
    await expect(batch(2_001, 'Observation/1')).rejects.toMatchObject({ code: 'bundle-wrong' })
    expect((await batch(101, 'Observation/1')).status).toBe(200)
  })

  test('large documents make a page of a search shorter, and none is left out', async () => {
    const data = 'A'.repeat(17 << 20)
    const ids: string[] = []
    for (let at = 0; at < 5; at++) {
      const tree = { resourceType: 'Binary', contentType: 'text/plain', data } as unknown as FhirTree
      ids.push((await clinical.create(byTest(tenant), tree)).stored.id)
    }
    const found: string[] = []
    let pages = 0
    for (let query: FhirRequest['query'] | null = [['_count', '100']]; query !== null; pages++) {
      const { body } = await ask(service({}), 'GET', 'Binary', { query })
      const bundle = (body as { tree: never }).tree as {
        entry: { resource: { id: string } }[]
        link: { relation: string; url: string }[]
      }
      found.push(...bundle.entry.map(({ resource }) => resource.id))
      const next = bundle.link.find(({ relation }) => relation === 'next')?.url
      query = next === undefined ? null : [...new URL(next).searchParams]
    }
    expect([found.toSorted(), pages > 1]).toEqual([ids.toSorted(), true])
  })
})
