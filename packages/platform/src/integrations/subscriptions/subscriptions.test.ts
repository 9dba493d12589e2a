/** Systems outside are told what they asked for: each event once numbered, in order, to whoever may know of it, through every outage. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { byTest } from '../../subjects/fixtures.ts'
import { keptSecret } from './take-subscription.ts'
import { type Endpoint, openEndpoint } from './testing/endpoint.ts'
import { aSubscription, openToldOutside, type ToldOutside } from './testing/told-outside.ts'

let scene: ToldOutside
const opened: Endpoint[] = []
beforeAll(async () => {
  scene = await openToldOutside()
})
afterAll(() => scene?.close())
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()))
  await noSubscriptions()
})

/** Each test has its own: those whose endpoint is closed would go on trying. */
const noSubscriptions = () => scene.engine.db.pool.query('delete from tenant.subscription')
const endpoint = async (): Promise<Endpoint> => {
  const made = await openEndpoint()
  opened.push(made)
  return made
}
let names = 0
const fresh = () => `sub-${++names}`
const numbersOf = ({ taken }: Endpoint) => taken.flatMap(({ numbers }) => numbers)
const minute = 60_000
const hour = 60 * minute

/** An own program, subscribed and active. */
async function active(
  asking: Parameters<typeof aSubscription>[1] | Omit<Parameters<typeof aSubscription>[1], 'endpoint'> = {},
) {
  const there = await endpoint()
  const id = fresh()
  const program = await scene.program()
  const by = await scene.byProgram(program)
  const kept = await scene.subscribe(by, aSubscription(id, { endpoint: there.url, ...asking }))
  await scene.settle()
  return { there, id, program, by, kept }
}

test('subscriptions > a new one shakes hands, with the header it asked for, and is active then; the secret is read back by nobody', async () => {
  const { there, id, by, kept } = await active({ header: ['Authorization: Bearer s3cr3t-canary'] })
  expect(kept).toMatchObject({ status: 'requested', channel: { header: [`Authorization: ${keptSecret}`] } })
  expect(there.taken).toHaveLength(1)
  expect(there.taken[0]).toMatchObject({
    kind: 'handshake',
    numbers: [],
    headers: { authorization: 'Bearer s3cr3t-canary' },
  })
  expect(there.taken[0]!.headers['content-type']).toBe('application/fhir+json')
  expect(there.taken[0]!.bundle.type).toBe('history')
  const read = JSON.parse((await scene.clinical.read(by, 'Subscription', id)).text)
  expect(read).toMatchObject({ status: 'active', channel: { header: [`Authorization: ${keptSecret}`] } })
  const { rows } = await scene.engine.db.pool.query(
    'select s::text as s from tenant.subscription s union all select r::text from tenant.clinical_resource r',
  )
  expect(JSON.stringify(rows)).not.toMatch(/s3cr3t-canary|127\.0\.0\.1/)
  expect(scene.shell.lines.join()).not.toContain('s3cr3t-canary')
  // Sent back as it was read, nothing changes; to another address the secret does not go along.
  await scene.subscribe(by, { ...read, status: 'active' })
  expect(await scene.row(id)).toMatchObject({ status: 'active' })
  const elsewhere = { ...read, channel: { ...read.channel, endpoint: `${there.url}/else` } }
  await expect(scene.subscribe(by, elsewhere)).rejects.toMatchObject({
    ...{ code: 'subscription-invalid', pointer: 'Subscription.channel.header[0]' },
  })
})

test('subscriptions > filters decide by the quantity, whatever its unit', async () => {
  const filter = 'Observation?code=http://loinc.org|8310-5&value-quantity=gt38|http://unitsofmeasure.org|Cel'
  const { there } = await active({ filters: [filter] })
  const patient = await scene.patient()
  const temperature = (value: number, code: string) => ({
    category: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] },
    ],
    code: { coding: [{ system: 'http://loinc.org', code: '8310-5' }] },
    valueQuantity: { value, system: 'http://unitsofmeasure.org', code, unit: code },
  })
  const warm = await scene.observe(patient, temperature(38.4, 'Cel'))
  await scene.observe(patient, temperature(37.9, 'Cel'))
  await scene.observe(patient, temperature(100.2, '[degF]'))
  const hot = await scene.observe(patient, temperature(101.3, '[degF]'))
  await scene.observe(patient)
  await scene.settle()
  const [, told] = there.taken
  expect(told).toMatchObject({ kind: 'event-notification', numbers: [1, 2], focuses: [warm, hot] })
  expect(told!.bundle.entry.slice(1).map(({ resource }) => resource?.valueQuantity)).toEqual([
    temperature(38.4, 'Cel').valueQuantity,
    temperature(101.3, '[degF]').valueQuantity,
  ])
})

test('subscriptions > payloads say no more than asked: full with every digit, ids only, or nothing', async () => {
  const full = await active()
  const ids = await active({ content: 'id-only' })
  const empty = await active({ content: 'empty' })
  const about = await scene.observe(await scene.patient())
  await scene.settle()
  expect(full.there.taken[1]!.text).toContain('"value":98.50')
  const [, told] = ids.there.taken
  expect([told!.focuses, told!.bundle.entry[1]!.resource]).toEqual([[about], undefined])
  expect(told!.text).not.toMatch(/Oxygensaturationcanary|98\.50/)
  expect([
    empty.there.taken[1]!.numbers,
    empty.there.taken[1]!.focuses,
    empty.there.taken[1]!.bundle.entry.length,
  ]).toEqual([[1], [null], 1])
})

test('subscriptions > an endpoint that is away is told later, in order and without a gap, and keeps nobody else waiting', async () => {
  const { there: away, id } = await active({ maxCount: 2 })
  const { there: well } = await active()
  const patient = await scene.patient()
  away.answer(503)
  for (let n = 0; n < 3; n++) {
    await scene.observe(patient)
    await scene.settle()
    await scene.pass(10 * minute)
  }
  expect(numbersOf(well)).toEqual([1, 2, 3])
  expect(numbersOf(away)).toEqual([])
  expect(await scene.row(id)).toMatchObject({ status: 'active', events: '3', delivered: '0' })
  away.answer(null)
  await scene.pass(hour)
  expect(away.taken.slice(1).map(({ numbers }) => numbers)).toEqual([[1, 2], [3]])
  expect(await scene.row(id)).toMatchObject({ delivered: '3', failures: 0 })
})

test('subscriptions > one that says nothing holds up nobody else', async () => {
  const { there: slow } = await active()
  const { there: quick } = await active()
  const held = slow.hold()
  await scene.observe(await scene.patient())
  await scene.takeAll()
  const fired = scene.engine.timers.runDue()
  await held.came
  await expect.poll(() => numbersOf(quick)).toEqual([1])
  held.letGo()
  await fired
  await scene.settle()
})

test('subscriptions > killed at any moment, each event is told, in order, and none twice unless its answer was lost', async () => {
  for (const moment of ['begun', 'composed', 'taken'] as const) {
    const { there, id } = await active({ maxCount: 1 })
    let deaths = 0
    const dying = scene.work({
      ...scene.parts,
      fault(at) {
        if (at !== moment || deaths > 0) return
        deaths += 1
        throw new Error(`killed when ${at}`)
      },
    })
    const patient = await scene.patient()
    await dying.idle()
    for (let n = 0; n < 3; n++) await scene.observe(patient)
    await scene.settle()
    expect([moment, deaths]).toEqual([moment, 1])
    await dying.stop()
    await scene.pass(2 * minute)
    expect(numbersOf(there)).toEqual(moment === 'taken' ? [1, 1, 2, 3] : [1, 2, 3])
    expect(await scene.row(id)).toMatchObject({ events: '3', delivered: '3' })
    await noSubscriptions()
  }
})

test('subscriptions > two processes that take in the same facts, and one that dies in between, write each event once', async () => {
  const { id } = await active()
  const patient = await scene.patient()
  await Promise.all(Array.from({ length: 12 }, () => scene.observe(patient)))
  const dying = {
    ...scene.parts,
    knowing: async (by: Parameters<typeof scene.parts.knowing>[0]) => {
      const knowing = await scene.parts.knowing(by)
      return {
        known: async () => Promise.reject(Object.assign(new Error('the database went away'), { code: '57P01' })),
        knowing,
      }
    },
  }
  await expect(scene.takeAll(dying)).rejects.toThrow('went away')
  await Promise.allSettled([scene.takeAll(), scene.takeAll()])
  await scene.takeAll()
  const { rows } = await scene.engine.db.pool.query<{ number: string }>(
    'select number from tenant.subscription_event where subscription_id = $1 order by number',
    [await scene.clinical.ridOf(scene.tenant, 'Subscription', id)],
  )
  expect(rows.map(({ number }) => Number(number))).toEqual(Array.from({ length: 12 }, (_, n) => n + 1))
  await scene.settle()
})

test('subscriptions > after 72 hours in vain it is in error, an office is told, nothing is lost, and it goes on when it is mended', async () => {
  const { there, id, by } = await active()
  const patient = await scene.patient()
  there.answer(500)
  const first = await scene.observe(patient)
  await scene.settle()
  for (let h = 6; h < 72; h += 6) await scene.pass(6 * hour)
  expect(await scene.row(id)).toMatchObject({ status: 'active' })
  await scene.pass(7 * hour)
  expect(await scene.row(id)).toMatchObject({ status: 'error', reason: 'undelivered' })
  const tries = there.asked
  const second = await scene.observe(patient)
  await scene.settle()
  await scene.pass(24 * hour)
  expect(there.asked).toBe(tries)
  expect(JSON.parse((await scene.clinical.read(by, 'Subscription', id)).text)).toMatchObject({
    status: 'error',
    error: expect.stringContaining('72 hours'),
  })
  const facts = await scene.engine.db.pool.query(`select body from engine.fact where type = 'SubscriptionFailed'`)
  expect(facts.rows).toEqual([
    { body: { subscription: await scene.clinical.ridOf(scene.tenant, 'Subscription', id), reason: 'undelivered' } },
  ])
  const health = (await scene.subscriptions.list(byTest(scene.tenant))).find(({ fhirId }) => fhirId === id)!
  expect(health).toMatchObject({ status: 'error', behind: 2, trouble: 'answered-5xx', host: new URL(there.url).host })
  there.answer(null)
  await scene.subscriptions.retry(byTest(scene.tenant), health.id)
  await scene.settle()
  expect(there.taken.slice(1).map(({ kind, numbers, focuses }) => ({ kind, numbers, focuses }))).toEqual([
    { kind: 'handshake', numbers: [], focuses: [] },
    { kind: 'event-notification', numbers: [1, 2], focuses: [first, second] },
  ])
  expect(await scene.row(id)).toMatchObject({ status: 'active', delivered: '2' })
  await expect(scene.subscriptions.retry(byTest(scene.tenant), health.id)).rejects.toMatchObject({
    code: 'subscription-not-stopped',
  })
})

test('subscriptions > a heartbeat comes when nothing else does', async () => {
  const { there } = await active({ heartbeatS: 60 })
  await scene.pass(59_000)
  expect(there.taken.map(({ kind }) => kind)).toEqual(['handshake'])
  await scene.pass(1_000)
  await scene.pass(30_000)
  await scene.observe(await scene.patient())
  await scene.settle()
  await scene.pass(59_000)
  await scene.pass(1_000)
  expect(there.taken.map(({ kind }) => kind)).toEqual(['handshake', 'heartbeat', 'event-notification', 'heartbeat'])
})

test('subscriptions > what a patient allows is told and accounted for; from the withdrawal on nothing is, also of what waited', async () => {
  const there = await endpoint()
  const program = await scene.program(false)
  const by = await scene.byProgram(program)
  const patient = await scene.patient()
  await scene.observe(patient)
  await scene.subscribe(by, aSubscription(fresh(), { endpoint: there.url }))
  await scene.settle()
  await scene.observe(patient)
  const { consents } = scene.subjects
  const consent = await consents.record(byTest(scene.tenant), patient, {
    ...{ decision: 'permit', grantee: { kind: 'integration', id: program } },
    verification: { how: 'verbal-with-witness' },
  })
  await scene.settle()
  const allowed = await scene.observe(patient)
  await scene.settle()
  there.answer(503)
  await scene.observe(patient)
  await scene.settle()
  await consents.withdraw(byTest(scene.tenant), { subject: patient, consent: consent.id }, {})
  there.answer(null)
  await scene.observe(patient)
  await scene.settle()
  await scene.pass(minute)
  const told = there.taken.slice(1)
  expect(told.flatMap(({ focuses }) => focuses).at(-1)).toBeNull()
  expect(told.flatMap(({ focuses }) => focuses)).toContain(allowed)
  expect(told.flatMap(({ numbers }) => numbers)).toEqual([...numbersOf(there).keys()].map((n) => n + 1))
  expect(told.at(-1)!.text).not.toContain(patient)
  const disclosed = await scene.engine.db.asTenant(scene.tenant, (tx) =>
    consents.disclosures(tx, patient, { from: 0, to: Number.MAX_SAFE_INTEGER }),
  )
  expect(disclosed.length).toBe(told.flatMap(({ focuses }) => focuses).filter((each) => each !== null).length + 1)
  expect(disclosed.every(({ recipient, consent: by }) => recipient.id === program && by === consent.id)).toBe(true)
})

test('subscriptions > who is removed is told nothing any more, and the subscription says why', async () => {
  const { there, id, program } = await active()
  await scene.shell.identity.revokeServiceToken(scene.tenant, program)
  await scene.observe(await scene.patient())
  await scene.settle()
  await scene.pass(hour)
  expect(numbersOf(there)).toEqual([])
  expect(await scene.row(id)).toMatchObject({ status: 'off', reason: 'owner-gone' })
})

test('subscriptions > one that ended, is switched off or deleted is told nothing', async () => {
  const ending = await active({ end: new Date(scene.engine.clock.now() + minute).toISOString() })
  const off = await active()
  const deleted = await active()
  await scene.subscribe(off.by, aSubscription(off.id, { endpoint: off.there.url, status: 'off' }))
  await scene.clinical.remove(deleted.by, 'Subscription', deleted.id)
  await scene.pass(2 * minute)
  await scene.observe(await scene.patient())
  await scene.settle()
  expect([ending, off, deleted].map(({ there }) => numbersOf(there))).toEqual([[], [], []])
  expect(await scene.row(ending.id)).toMatchObject({ status: 'off', reason: 'ended' })
  expect(await scene.row(deleted.id)).toBeUndefined()
})

test('subscriptions > $events gives what was missed, between two numbers, as much as is asked', async () => {
  const { id, by, there } = await active()
  there.answer(503)
  const patient = await scene.patient()
  const told = []
  for (let n = 0; n < 4; n++) told.push(await scene.observe(patient))
  await scene.settle()
  const { bundle } = await scene.subscriptions.events(by, id, { since: 2n, until: 3n, content: 'id-only' })
  const { takenOf } = await import('./testing/endpoint.ts')
  expect(takenOf('', {}, JSON.stringify(bundle))).toMatchObject({
    kind: 'query-event',
    numbers: [2, 3],
    focuses: told.slice(1, 3),
  })
  await expect(scene.subscriptions.events(by, 'none-such', {})).rejects.toMatchObject({
    code: 'subscription-not-found',
  })
  const [status] = await scene.subscriptions.status(by, { fhirIds: [id] })
  expect(status).toMatchObject({
    resourceType: 'Parameters',
    parameter: expect.arrayContaining([{ name: 'eventsSinceSubscriptionStart', valueString: '4' }]),
  })
})

test('subscriptions > their operations and their health over HTTP, for whoever may read them', async () => {
  const { id } = await active()
  await scene.observe(await scene.patient())
  await scene.settle()
  const token = await scene.shell.token(['*:*'])
  const ask = (url: string, authorization = token, method: 'GET' | 'POST' = 'GET') =>
    scene.shell.server.inject({ method, url, headers: { authorization } })
  const status = await ask(`/fhir/R4/Subscription/${id}/$status`)
  expect(status.headers['content-type']).toContain('application/fhir+json')
  expect(status.json()).toMatchObject({
    type: 'searchset',
    total: 1,
    entry: [{ resource: { resourceType: 'Parameters' } }],
  })
  expect((await ask(`/fhir/R4/Subscription/$status?status=active,error&id=${id},other`)).json()).toMatchObject({
    total: 1,
  })
  expect((await ask('/fhir/R4/Subscription/$status?status=off')).json()).toMatchObject({ total: 0 })
  const events = await ask(`/fhir/R4/Subscription/${id}/$events?eventsSinceNumber=1&content=full-resource`)
  expect(events.json()).toMatchObject({ type: 'history', entry: [{}, { resource: { resourceType: 'Observation' } }] })
  expect(events.body).toContain('98.50')
  const refused = ['eventsSinceNumber=one', 'content=all'].map((query) =>
    ask(`/fhir/R4/Subscription/${id}/$events?${query}`),
  )
  expect((await Promise.all(refused)).map(({ statusCode }) => statusCode)).toEqual([400, 400])
  expect((await ask('/fhir/R4/Subscription/none/$status')).statusCode).toBe(404)
  const { items } = (await ask('/api/v1/subscriptions')).json()
  expect(items).toMatchObject([{ fhirId: id, status: 'active', events: 1, behind: 0, title: 'Resource changed' }])
  expect((await ask(`/api/v1/subscriptions/${items[0].id}/retry`, token, 'POST')).statusCode).toBe(409)
  const narrow = await scene.shell.token(['reading:read'])
  expect((await ask(`/fhir/R4/Subscription/${id}/$events`, narrow)).statusCode).toBe(403)
  expect((await ask('/api/v1/subscriptions', narrow)).statusCode).toBe(403)
})

test('subscriptions > an address inside is not called, and whoever subscribed hears it at once', async () => {
  const id = fresh()
  const by = await scene.byProgram(await scene.program())
  await scene.subscribe(by, aSubscription(id, { endpoint: 'https://10.0.0.7/hook' }))
  await scene.settle()
  expect(await scene.row(id)).toMatchObject({ status: 'error', reason: 'refused' })
})

test('subscriptions > a handshake that is not taken is given up after minutes', async () => {
  const there = await endpoint()
  const id = fresh()
  there.answer(404)
  await scene.subscribe(await scene.byProgram(await scene.program()), aSubscription(id, { endpoint: there.url }))
  await scene.settle()
  for (let n = 0; n < 15; n++) await scene.pass(minute)
  expect(await scene.row(id)).toMatchObject({ status: 'error', reason: 'handshake-failed' })
})

test('subscriptions > erasing a person leaves the numbers and nothing of them', async () => {
  const { id, by, there } = await active()
  const [gone, stays] = [await scene.patient(), await scene.patient()]
  there.answer(503)
  await scene.observe(gone)
  const told = await scene.observe(stays)
  await scene.settle()
  const { forgetSubscriptions } = await import('./forget-subscriptions.ts')
  const { forgetClinical } = await import('../../clinical/index.ts')
  const erased = { tenant: scene.tenant, subject: gone, at: scene.engine.clock.now(), actor: 'cli' }
  await scene.engine.db.asEngine(async (tx) => {
    await forgetSubscriptions(tx, erased)
    await forgetClinical(tx, erased)
  })
  there.answer(null)
  await scene.pass(hour)
  expect(there.taken.slice(1).map(({ numbers, focuses }) => [numbers, focuses])).toEqual([
    [
      [1, 2],
      [null, told],
    ],
  ])
  expect((await scene.subscriptions.events(by, id, {})).bundle.entry).toHaveLength(2)
})
