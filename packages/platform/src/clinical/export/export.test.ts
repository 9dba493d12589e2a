/** Bulk Data: the whole record as it stood, for whoever may see it, through restarts; its files end with their time. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type TestShell, testShell } from '../../api/testing/test-shell.ts'
import type { Reach } from '../../identity/index.ts'
import { aPatient, asOwnService, byTest } from '../../subjects/fixtures.ts'
import { makeSubjects, type Subjects } from '../../subjects/index.ts'
import { anObservation } from '../fixtures.ts'
import { type Clinical, makeClinical, makeRoom } from '../index.ts'
import type { WritingRoom } from '../store/write.ts'
import type { Manifest } from './export-jobs.ts'
import { exportRoutes } from './export-routes.ts'
import { forgetExports } from './forget-exports.ts'
import { type ExportWork, type Working, workOnExports } from './run-export.ts'

let shell: TestShell
let subjects: Subjects
let room: WritingRoom
let clinical: Clinical
let working: Working
let tenant: string
let token: string
let program: string

beforeAll(async () => {
  shell = await testShell({
    publicOrigin: 'http://localhost',
    routes(identity, engine) {
      subjects = makeSubjects(engine, (of) => identity.members(of), null, {
        programs: async () => [],
        grantees: async (of) =>
          new Map((await identity.serviceTokens(of)).map(({ id, name }) => [id, { kind: 'integration', name }])),
      })
      room = makeRoom(engine, { consents: subjects.consents, takeIn: async () => null })
      clinical = makeClinical(room)
      return exportRoutes(room)
    },
  })
  working = workOnExports({ room })
})
afterAll(async () => {
  await working()
  await shell.close()
})
/** Each test has an organisation of its own: what others wrote is not counted. */
beforeEach(async () => {
  tenant = await shell.identity.createTenant(`Ward ${randomUUID()}`)
  const made = await shell.identity.createServiceToken({ tenant, name: 'EHR', scopes: ['*:*'] })
  program = made.id
  await asOwnService(shell.engine, tenant, made.id)
  token = `Bearer ${made.token}`
})

const patient = async () => (await subjects.create(byTest(tenant), aPatient())).id
const observe = async (of: string, over?: Readonly<Record<string, unknown>>) =>
  (await clinical.create(byTest(tenant), anObservation(of, over))).stored.id
const put = (tree: object) => clinical.update(byTest(tenant), tree as never)

const ask = (
  url: string,
  more: { method?: 'GET' | 'POST' | 'DELETE'; headers?: object; payload?: object; as?: string } = {},
) =>
  shell.server.inject({
    method: more.method ?? 'GET',
    url: url.replace(/^https?:\/\/[^/]+/, ''),
    headers: { authorization: more.as ?? token, prefer: 'respond-async', ...more.headers } as Record<string, string>,
    ...(more.payload === undefined ? {} : { payload: more.payload }),
  })

const begin = async (url: string, more?: Parameters<typeof ask>[1]): Promise<string> => {
  const answer = await ask(`/fhir/R4${url}`, more)
  expect([url, answer.statusCode]).toEqual([url, 202])
  return String(answer.headers['content-location'])
}
const settle = async (own = working) => {
  for (let quiet = 0; quiet < 4; ) {
    const fired = await shell.engine.timers.runDue()
    const wasBusy = await own.idle()
    quiet = fired === 0 && !wasBusy ? quiet + 1 : 0
    // Other files' transactions on the shared server may still run: a job begins when all before it have ended.
    if (quiet > 0) await shell.clock.advance(250)
  }
}
const done = async (place: string): Promise<Manifest> => {
  for (let n = 0; n < 50; n++) {
    await settle()
    const answer = await ask(place)
    if (answer.statusCode === 200) return answer.json<Manifest>()
    expect(answer.statusCode).toBe(202)
    await new Promise((go) => setTimeout(go, 20))
  }
  throw new Error('the export did not end')
}
const linesOf = async ({ output }: Pick<Manifest, 'output'>, as?: string): Promise<Record<string, unknown>[]> => {
  const files = await Promise.all(output.map(({ url }) => ask(url, as === undefined ? {} : { as })))
  return files.flatMap(({ body }) =>
    body
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  )
}
const idsOf = (lines: readonly Record<string, unknown>[]) => lines.map(({ id }) => id).sort()

test('export > all of the record, counted right, by files that only whoever asked fetches, with a token', async () => {
  const of = await patient()
  const ids = [await observe(of), await observe(of)]
  await put({ resourceType: 'Organization', id: 'org-1', name: 'Ward' })
  const place = await begin('/$export')
  const early = await ask(place)
  expect([early.statusCode, early.headers['x-progress'], early.headers['retry-after']]).toEqual([
    ...[202, expect.any(String), '5'],
  ])
  const manifest = await done(place)
  expect(manifest).toMatchObject({
    requiresAccessToken: true,
    error: [],
    request: 'http://localhost:80/fhir/R4/$export',
  })
  expect(manifest.output.map(({ type, count }) => [type, count]).sort()).toEqual([
    ['Observation', 2],
    ['Organization', 1],
  ])
  expect(idsOf(await linesOf(manifest))).toEqual([...ids, 'org-1'].sort())
  const file = manifest.output.find(({ type }) => type === 'Observation')!.url
  expect((await ask(file)).headers['content-type']).toContain('application/fhir+ndjson')
  expect((await ask(file)).body).toContain('"value":98.50')
  const other = await shell.identity.createServiceToken({ tenant, name: 'other', scopes: ['*:*'] })
  await asOwnService(shell.engine, tenant, other.id)
  for (const url of [place, file]) expect((await ask(url, { as: `Bearer ${other.token}` })).statusCode).toBe(404)
  expect((await ask(file, { as: 'Bearer cls_nobody-at-all' })).statusCode).toBe(401)
})

test('export > another organisation’s record is never in it', async () => {
  await observe(await patient())
  const before = tenant
  tenant = await shell.identity.createTenant(`Other ${randomUUID()}`)
  await observe(await patient())
  tenant = before
  expect(await linesOf(await done(await begin('/$export')))).toHaveLength(1)
})

test('export > Patient and Group hold what is of these patients and nothing else', async () => {
  const [one, two, three] = [await patient(), await patient(), await patient()]
  const [first, second] = [await observe(one), await observe(two)]
  await observe(three)
  await put({ resourceType: 'Organization', id: 'org', name: 'Ward' })
  await put({
    ...{ resourceType: 'Group', id: 'cohort', type: 'person', actual: true },
    member: [
      { entity: { reference: `Patient/${one}` } },
      { entity: { reference: `Patient/${two}` } },
      { entity: { reference: `Patient/${three}` }, inactive: true },
    ],
  })
  expect(idsOf(await linesOf(await done(await begin('/Group/cohort/$export'))))).toEqual([first, second].sort())
  expect(await linesOf(await done(await begin('/Patient/$export')))).toHaveLength(3)
  const chosen = await begin('/Patient/$export', {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    payload: {
      resourceType: 'Parameters',
      parameter: [{ name: 'patient', valueReference: { reference: `Patient/${two}` } }],
    },
  })
  expect(idsOf(await linesOf(await done(chosen)))).toEqual([second])
  expect((await ask('/fhir/R4/Group/none/$export')).statusCode).toBe(404)
})

test('export > since the last one: what changed, what is new, what was deleted; as it stood when it was asked', async () => {
  const of = await patient()
  const [kept, changed, gone] = [await observe(of), await observe(of), await observe(of)]
  await shell.clock.advance(1_000)
  const { transactionTime } = await done(await begin('/$export'))
  await shell.clock.advance(1_000)
  await put({ ...anObservation(of), id: changed, status: 'amended' })
  await clinical.remove(byTest(tenant), 'Observation', gone)
  const fresh = await observe(of)
  await shell.clock.advance(1_000)
  const place = await begin(`/$export?_since=${encodeURIComponent(transactionTime)}&_type=Observation`)
  await shell.clock.advance(1_000)
  // Written after it was asked for, before it is read.
  await observe(of)
  await put({ ...anObservation(of), id: kept, status: 'corrected' })
  await put({ ...anObservation(of), id: changed, status: 'corrected' })
  const manifest = await done(place)
  const lines = await linesOf(manifest)
  expect(idsOf(lines)).toEqual([changed, fresh].sort())
  expect(lines.find(({ id }) => id === changed)).toMatchObject({ status: 'amended' })
  const [deleted] = await linesOf({ output: manifest.deleted })
  expect(deleted).toMatchObject({
    type: 'transaction',
    entry: [{ request: { method: 'DELETE', url: `Observation/${gone}` } }],
  })
})

test('export > types and elements are what was asked; what is not known is refused, or left out where that is asked', async () => {
  await observe(await patient())
  await put({ resourceType: 'Organization', id: 'org', name: 'Ward' })
  const [line, ...others] = await linesOf(await done(await begin('/$export?_type=Observation&_elements=status')))
  expect(others).toEqual([])
  expect(Object.keys(line!)).not.toContain('valueQuantity')
  expect(line).toMatchObject({ status: 'final', meta: { tag: [{ code: 'SUBSETTED' }] } })
  for (const query of ['_type=Nothing', '_outputFormat=csv', '_since=yesterday', '_typeFilter=x', 'patient=none'])
    expect([query, (await ask(`/fhir/R4/Patient/$export?${query}`)).statusCode]).toEqual([query, 400])
  expect((await ask('/fhir/R4/$export', { headers: { prefer: '' } })).json()).toMatchObject({
    issue: [{ details: { coding: [{ code: 'export-async-needed' }] } }],
  })
  await begin('/$export?_typeFilter=x', { headers: { prefer: 'respond-async, handling=lenient' } })
  await settle()
})

test('export > killed in the middle of it, it goes on where it was: each resource once', async () => {
  const of = await patient()
  const ids = await Promise.all(Array.from({ length: 12 }, () => observe(of)))
  const bounds = { windowRows: 3, pageResources: 3 }
  for (const moment of ['read', 'put', 'written'] as const) {
    await working()
    let [moments, deaths] = [0, 0]
    // In the second of its four pages.
    const fault: ExportWork['fault'] = (at) => {
      if (at !== moment || ++moments !== 2) return
      deaths += 1
      throw new Error(`killed when ${at}`)
    }
    working = workOnExports({ room, bounds, fault })
    const place = await begin('/$export')
    await settle()
    for (let n = 0; n < 50 && deaths === 0; n++) {
      await new Promise((go) => setTimeout(go, 20))
      await settle()
    }
    expect([moment, deaths]).toEqual([moment, 1])
    await shell.clock.advance(3 * 60_000)
    const manifest = await done(place)
    expect([moment, idsOf(await linesOf(manifest))]).toEqual([moment, [...ids].sort()])
    expect(manifest.output.map(({ count }) => count)).toEqual([3, 3, 3, 3])
    await ask(place, { method: 'DELETE' })
    await settle()
  }
})

test('export > cancelled, or after a day, nothing of it is left: no row, no file, no key', async () => {
  const of = await patient()
  await observe(of)
  const [cancelled, old] = [await begin('/$export'), await begin('/$export')]
  const manifest = await done(cancelled)
  await done(old)
  expect((await ask(cancelled, { method: 'DELETE' })).statusCode).toBe(202)
  expect([(await ask(cancelled)).statusCode, (await ask(manifest.output[0]!.url)).statusCode]).toEqual([404, 404])
  expect((await ask(old)).statusCode).toBe(200)
  await shell.clock.advance(24 * 3_600_000)
  expect((await ask(old)).statusCode).toBe(404)
  await settle()
  const left = await shell.engine.db.pool.query(
    `select id::text from tenant.export_job where tenant_id = $1
     union all select b.ref::text from engine.blob b join engine.data_key k on k.id = b.key_id where k.purpose = 'blob' and k.owner in ($2, $3)`,
    [tenant, cancelled.split('/').at(-1), old.split('/').at(-1)],
  )
  expect(left.rows).toEqual([])
})

test('export > consent is asked when it is read and again at each fetch, and what went out is accounted for once', async () => {
  const [allows, never] = [await patient(), await patient()]
  const outside = await shell.identity.createServiceToken({ tenant, name: 'Outside', scopes: ['*:*'] })
  token = `Bearer ${outside.token}`
  const consent = await subjects.consents.record(byTest(tenant), allows, {
    ...{ decision: 'permit', grantee: { kind: 'integration', id: outside.id } },
    verification: { how: 'verbal-with-witness' },
  })
  const id = await observe(allows)
  await observe(never)
  const manifest = await done(await begin('/Patient/$export'))
  expect(idsOf(await linesOf(manifest))).toEqual([id])
  await linesOf(manifest)
  const disclosed = () =>
    shell.engine.db.asTenant(tenant, (tx) =>
      subjects.consents.disclosures(tx, allows, { from: 0, to: Number.MAX_SAFE_INTEGER }),
    )
  expect((await disclosed()).map(({ recipient, consent: by }) => [recipient.id, by])).toEqual([
    [outside.id, consent.id],
  ])
  await subjects.consents.withdraw(byTest(tenant), { subject: allows, consent: consent.id }, {})
  expect(await linesOf(manifest)).toEqual([])
  expect(await disclosed()).toHaveLength(1)
})

test('export > a program outside exports by a Group that it may not read: of the members, who said yes', async () => {
  const [allows, never] = [await patient(), await patient()]
  const group = { resourceType: 'Group', id: 'trial', type: 'person', actual: true }
  await put({ ...group, member: [allows, never].map((of) => ({ entity: { reference: `Patient/${of}` } })) })
  const outside = await shell.identity.createServiceToken({ tenant, name: 'Outside', scopes: ['*:*'] })
  const narrow = await shell.identity.createServiceToken({ tenant, name: 'Narrow', scopes: ['reading:read'] })
  await subjects.consents.record(byTest(tenant), allows, {
    ...{ decision: 'permit', grantee: { kind: 'integration', id: outside.id } },
    verification: { how: 'verbal-with-witness' },
  })
  const id = await observe(allows)
  await observe(never)
  token = `Bearer ${outside.token}`
  const manifest = await done(await begin('/Group/trial/$export'))
  expect(idsOf(await linesOf(manifest))).toEqual([id])
  const who = { kind: 'service', tenant, id: outside.id, scopes: ['*:*'], reach: consentedTo(allows) } as const
  const read = clinical.read({ tenant, actor: `service:${outside.id}`, who }, 'Group', 'trial')
  await expect(read).rejects.toMatchObject({ code: 'resource-not-found' })
  expect((await ask('/fhir/R4/Group/none/$export')).statusCode).toBe(404)
  const refused = await ask('/fhir/R4/Group/trial/$export', { as: `Bearer ${narrow.token}` })
  expect([refused.statusCode, refused.body]).toEqual([403, expect.stringContaining('type-not-yours')])
})
const consentedTo = (id: string): Reach => ({
  ...{ teams: [], teamless: false, subjects: new Map([[id, { why: new Set(['consent'] as const) }]]) },
})

test('export > who is erased is in no file any more', async () => {
  const of = await patient()
  await observe(of)
  const place = await begin('/$export')
  const { output } = await done(place)
  const erased = { tenant, subject: of, at: shell.clock.now(), actor: 'cli' }
  await shell.engine.db.asEngine((tx) => forgetExports(shell.engine)(tx, erased))
  expect((await ask(output[0]!.url)).statusCode).toBe(404)
  const state = await ask(place)
  expect([state.statusCode, state.json()]).toEqual([
    500,
    expect.objectContaining({ issue: [expect.objectContaining({ diagnostics: expect.stringContaining('erased') })] }),
  ])
  await settle()
})

test('export > a third one at a time is put off; who loses access gets none', async () => {
  await observe(await patient())
  // Nobody works on them meanwhile.
  await working()
  const first = await begin('/$export')
  await begin('/$export')
  const third = await ask('/fhir/R4/$export')
  expect([third.statusCode, third.headers['retry-after']]).toEqual([429, '60'])
  await shell.identity.revokeServiceToken(tenant, program)
  working = workOnExports({ room })
  const state = () =>
    shell.engine.db.pool.query('select status, error from tenant.export_job where id = $1', [first.split('/').at(-1)])
  await expect
    .poll(async () => {
      await settle()
      return (await state()).rows
    })
    .toEqual([{ status: 'failed', error: 'no-access' }])
})

test('export > a member of staff proves that it is them first', async () => {
  const nurse = await shell.signIn(['nurse'])
  const url = '/fhir/R4/$export'
  const headers = { cookie: nurse.cookie, prefer: 'respond-async', 'sec-fetch-site': 'same-origin' }
  const refused = await shell.server.inject({ method: 'GET', url, headers })
  expect([refused.statusCode, refused.body]).toEqual([403, expect.stringContaining('step-up')])
  const proved = await shell.prove(nurse)
  const answer = await shell.server.inject({ method: 'GET', url, headers: { ...headers, cookie: proved.cookie } })
  expect(answer.statusCode).toBe(202)
  await settle()
})
