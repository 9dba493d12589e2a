/** Consent at the doors by which readings leave: pages of caregivers, live streams, programs outside. Each look asks again. */
import { type GranteeKind, type NewConsent, redisclosureMark } from '@careloop/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Signed, type TestShell, testShell } from '../api/testing/test-shell.ts'
import { readTrail } from '../audit/index.ts'
import { aPatient, byTest } from '../subjects/fixtures.ts'
import { makeSubjects, type Subjects } from '../subjects/index.ts'
import { subjectsRoutes } from '../subjects/routes.ts'
import { aReading, LAZY, logged, until, worn } from '../telemetry/fixtures.ts'
import { telemetryRoutes } from '../telemetry/routes.ts'
import { telemetryStage } from '../telemetry/stages.ts'
import { heldBackFacts } from './held-back-facts.ts'

let shell: TestShell
let subjects: Subjects
let base: string
let caregiver: Signed
const programs = [{ code: 'recovery', part2: true, signals: new Set(['skin-conductance']) }]

beforeAll(async () => {
  shell = await testShell({
    routes(identity, engine) {
      subjects = makeSubjects(engine, (tenant) => identity.members(tenant), null, {
        programs: async () => programs,
        async grantees(tenant) {
          const found = new Map<string, { kind: GranteeKind; name: string }>([
            [caregiver.id, { kind: 'caregiver', name: 'Dora' }],
          ])
          for (const { id, name } of await identity.serviceTokens(tenant)) found.set(id, { kind: 'integration', name })
          return found
        },
      })
      return [...subjectsRoutes(subjects), ...telemetryRoutes(engine, subjects)]
    },
    subjectsOf: (tenant, ids) => subjects.placesOf(tenant, ids),
    heldBack: (principal, facts) => heldBackFacts(shell.engine, subjects)(principal, facts),
  })
  base = await shell.server.listen(0, '127.0.0.1')
  caregiver = await asCaregiver()
})
afterAll(() => shell.close())

async function asCaregiver(): Promise<Signed> {
  const signed = await shell.signIn(['nurse'])
  await shell.engine.db.pool.query(`update auth.member set roles = '{caregiver}' where user_id = $1`, [signed.id])
  return signed
}

const by = () => byTest(shell.tenant)
const aConsent = (over: Partial<NewConsent> = {}): NewConsent => ({
  ...{ decision: 'permit', grantee: { kind: 'caregiver', id: caregiver.id } },
  ...{ verification: { how: 'verbal-with-witness' } },
  ...over,
})
const record = (subject: string, over: Partial<NewConsent> = {}) =>
  subjects.consents.record(by(), subject, aConsent(over))
const withdraw = (subject: string, consent: string) => subjects.consents.withdraw(by(), { subject, consent }, {})

/** A patient whose heart, steps and skin were measured a moment ago. */
async function measured(): Promise<string> {
  const { id } = await subjects.create(by(), aPatient())
  const now = shell.clock.now()
  const wears = worn(shell.tenant, { subject: id })
  const readings = ['heart-rate', 'steps', 'skin-conductance'].map((signal) => aReading(signal, now, 60))
  await shell.engine.log.append([logged(wears, readings)])
  await storeAll()
  return id
}

/** The stage waits on the clock of the test, so that is moved until all is stored. */
async function storeAll(): Promise<void> {
  const { engine, clock } = shell
  const stop = await telemetryStage(LAZY).start(engine)
  await until(async () => {
    await clock.advance(10)
    return Number(await engine.db.cursor('telemetry:0')) >= (await engine.log.head(0))
  })
  const stopping = stop()
  await clock.advance(10)
  await stopping
}

const get = (url: string, headers: Record<string, string>) =>
  shell.server.inject({ method: 'GET', url: `/api/v1${url}`, headers: { ...headers, 'sec-fetch-site': 'same-origin' } })
const latest = async (subject: string, headers: Record<string, string>) => {
  const answered = await get(`/subjects/${subject}/latest`, headers)
  const notice = answered.headers['careloop-notice']
  if (answered.statusCode !== 200) return [answered.statusCode]
  const signals = answered.json<{ signals: { signal: string }[] }>().signals.map(({ signal }) => signal)
  return [answered.statusCode, ...signals, ...(notice === undefined ? [] : [notice])]
}
const series = async (subject: string, signal: string, headers: Record<string, string>) =>
  get(`/subjects/${subject}/series?signal=${signal}&from=0&to=${shell.clock.now()}&maxPoints=10`, headers)
const trail = (subject: string) =>
  shell.engine.db.asTenant(shell.tenant, (tx) => readTrail(tx, { subject, limit: 100 }))
const mine = () => ({ cookie: caregiver.cookie })

describe('consent > a caregiver', () => {
  test('reads the classes that were permitted; the others are not there, and the look is in the trail', async () => {
    const subject = await measured()
    expect(await latest(subject, mine())).toEqual([404])
    expect((await get(`/subjects/${subject}`, mine())).statusCode).toBe(404)
    const { id } = await record(subject, { classes: ['vital-signs'] })
    expect(await latest(subject, mine())).toEqual([200, 'heart-rate'])
    expect((await get(`/subjects/${subject}`, mine())).statusCode).toBe(200)
    expect((await series(subject, 'heart-rate', mine())).statusCode).toBe(200)
    const refused = await series(subject, 'steps', mine())
    const unknown = await series(shell.engine.ids.uuid(), 'steps', mine())
    expect([refused.statusCode, refused.json()]).toEqual([404, unknown.json()])
    expect((await trail(subject)).filter(({ action }) => action === 'denied')).toMatchObject([
      { actor: `staff:${caregiver.id}`, resource: 'series', outcome: 'denied' },
    ])
    // Days do not say what was measured: they need a consent for everything.
    expect((await get(`/subjects/${subject}/days?from=2020-01-01&to=2020-02-01`, mine())).statusCode).toBe(404)
    await withdraw(subject, id)
    expect(await latest(subject, mine())).toEqual([404])
    expect((await get(`/subjects/${subject}`, mine())).statusCode).toBe(404)
  })

  test('hears in a live stream what was permitted, and nothing more from the withdrawal on', async () => {
    const subject = await measured()
    const { id } = await record(subject, { classes: ['vital-signs'] })
    const seriesOf = async (signal: string) => {
      const { rows } = await shell.engine.db.pool.query<{ id: string }>(
        'select id from tenant.series where subject = $1 and signal = $2',
        [subject, signal],
      )
      return rows[0]!.id
    }
    const [heart, steps] = [await seriesOf('heart-rate'), await seriesOf('steps')]
    const page = await listen({ cookie: caregiver.cookie })
    const gap = (name: string, series: string) =>
      shell.engine.db.asEngine((tx) => tx.publish(shell.tenant, { type: 'GapChanged', gap: name, series }))
    await gap('of steps', steps)
    await gap('of the heart', heart)
    expect(await page.next('GapChanged')).toMatchObject({ gap: 'of the heart' })
    await withdraw(subject, id)
    await gap('after the withdrawal', heart)
    const other = await measured()
    await record(other)
    await shell.engine.db.asEngine((tx) => tx.publish(shell.tenant, { type: 'SubjectChanged', subject: other }))
    expect(await page.next('GapChanged', 'SubjectChanged')).toMatchObject({ subject: other })
    page.leave()
  })
})

describe('consent > a program outside', () => {
  const token = async (name: string) => {
    const made = await shell.identity.createServiceToken({
      ...{ tenant: shell.tenant, name, scopes: ['series:read', 'subject:read'] },
    })
    return { id: made.id, headers: { authorization: `Bearer ${made.token}` } }
  }

  test('finds nobody without a consent, neither by id nor in a list', async () => {
    const subject = await measured()
    const lab = await token('Lab')
    expect(await latest(subject, lab.headers)).toEqual([404])
    const list = await get('/subjects?limit=100', lab.headers)
    expect(list.json()).toMatchObject({ items: [] })
    await record(subject, { grantee: { kind: 'integration', id: lab.id }, classes: ['vital-signs'] })
    expect((await get('/subjects?limit=100', lab.headers)).json()).toMatchObject({ items: [{ id: subject }] })
    expect(await latest(subject, lab.headers)).toEqual([200, 'heart-rate'])
  })

  test('what it reads stands in the accounting; records under Part 2 go only where a consent names them, with the notice', async () => {
    const subject = await measured()
    await subjects.enrol(by(), subject, { program: 'recovery', owner: (await shell.signIn(['nurse'])).id })
    const lab = await token('Lab')
    const { id: plain } = await record(subject, { grantee: { kind: 'treatment' } })
    expect(await latest(subject, lab.headers)).toEqual([200, 'heart-rate', 'steps'])
    await withdraw(subject, plain)
    expect(await latest(subject, lab.headers)).toEqual([404])
    const { id } = await record(subject, { grantee: { kind: 'integration', id: lab.id }, part2: true })
    expect(await latest(subject, lab.headers)).toEqual([
      200,
      ...['heart-rate', 'skin-conductance', 'steps'],
      redisclosureMark,
    ])
    const span = { from: 0, to: shell.clock.now() }
    const went = await shell.engine.db.asTenant(shell.tenant, (tx) => subjects.consents.disclosures(tx, subject, span))
    expect(went.map(({ consent, recipient, what }) => [consent, recipient.id, what.description, what.noticed])).toEqual(
      [
        [plain, lab.id, 'Readings: heart-rate, steps', false],
        [id, lab.id, 'Readings: heart-rate, skin-conductance, steps', true],
      ],
    )
    const exports = (await trail(subject)).filter(({ action }) => action === 'export')
    expect(exports).toMatchObject([1, 2].map(() => ({ actor: `service:${lab.id}`, resource: 'disclosure' })))
  })

  test('one of our own treats without consent, and leaves no row in the accounting', async () => {
    const subject = await measured()
    const own = await shell.token(['series:read'])
    expect(await latest(subject, { authorization: own })).toEqual([200, 'heart-rate', 'skin-conductance', 'steps'])
    const span = { from: 0, to: shell.clock.now() }
    const went = await shell.engine.db.asTenant(shell.tenant, (tx) => subjects.consents.disclosures(tx, subject, span))
    expect(went).toEqual([])
  })
})

test('consent > over HTTP: a physician records and withdraws, a nurse reads, neither of another team’s patient', async () => {
  const [nurse, doctor] = [await shell.signIn(['nurse']), await shell.signIn(['physician'])]
  const subject = await measured()
  const post = (who: Signed, url: string, payload: object) =>
    shell.server.inject({
      ...{ method: 'POST', url: `/api/v1${url}`, payload },
      headers: { cookie: who.cookie, 'sec-fetch-site': 'same-origin' },
    })
  const url = `/subjects/${subject}/consents`
  expect((await post(nurse, url, aConsent())).statusCode).toBe(403)
  const made = await post(doctor, url, aConsent({ classes: ['activity'] }))
  expect(made.statusCode).toBe(201)
  const { id } = made.json<{ id: string }>()
  const list = await get(url, { cookie: nurse.cookie })
  expect(list.json()).toMatchObject({ items: [{ id, grantee: { name: 'Dora' }, inForce: true }] })
  expect((await get(`${url}/${id}/history`, { cookie: nurse.cookie })).json()).toMatchObject({
    items: [{ version: 1, resource: { resourceType: 'Consent', status: 'active' } }],
  })
  expect((await post(doctor, `${url}/${id}/withdraw`, { reason: 'asked by telephone' })).json()).toMatchObject({
    ...{ status: 'inactive', inForce: false, version: 2 },
  })
  const team = await subjects.createCareTeam(by(), { name: 'Others', members: [] })
  const { id: theirs } = await subjects.create(by(), { ...aPatient(), team: team.id })
  const nobody = shell.engine.ids.uuid()
  for (const each of [theirs, nobody]) {
    expect((await get(`/subjects/${each}/consents`, { cookie: doctor.cookie })).statusCode).toBe(404)
    expect((await post(doctor, `/subjects/${each}/consents`, aConsent())).statusCode).toBe(404)
  }
})

/** Reads a live page's events one by one; only of the kinds asked for. */
async function listen(headers: Record<string, string>) {
  const gone = new AbortController()
  const answered = await fetch(`${base}/api/v1/live`, { headers, signal: gone.signal })
  expect(answered.status).toBe(200)
  const reader = answered.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const next = async (...kinds: string[]): Promise<Record<string, unknown>> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end < 0) {
        const { done, value } = await reader.read()
        if (done) throw new Error('the stream ended')
        text += value
        continue
      }
      const block = text.slice(0, end)
      text = text.slice(end + 2)
      const kind = /^event: (.*)$/m.exec(block)?.[1]
      if (kind === undefined || !kinds.includes(kind)) continue
      return JSON.parse(/^data: (.*)$/m.exec(block)![1]!) as Record<string, unknown>
    }
  }
  await next('ready')
  return { next, leave: () => gone.abort() }
}
