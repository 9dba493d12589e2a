/** Compliance behind the real shell: who saw what, what is unusual about it, whom a breach affects. No name of a patient anywhere. */
import type {
  AffectedPeople,
  AuditLines,
  BreachView,
  Disclosures,
  Lookers,
  UnusualAccessList,
  WatchedRecords,
} from '@careloop/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeCanary } from '../api/testing/canary.ts'
import { type Signed, type TestShell, testShell } from '../api/testing/test-shell.ts'
import { aPatient, byTest, mrnSystem } from '../subjects/fixtures.ts'
import { makeSubjects, type Subjects } from '../subjects/index.ts'
import { subjectsRoutes } from '../subjects/routes.ts'
import { findUnusual } from './find-unusual.ts'
import { forgetWatch } from './forget-watch.ts'
import { type ComplianceParts, missesAnHour } from './office.ts'
import { complianceRoutes } from './routes.ts'

const DAY = 86_400_000
let shell: TestShell
let subjects: Subjects
let parts: ComplianceParts
let nurse: Signed
let other: Signed
let officer: Signed
let kunigunde: string
let walburga: string
beforeAll(async () => {
  shell = await testShell({
    routes(identity, engine) {
      const staff = (tenant: string) => identity.members(tenant)
      subjects = makeSubjects(engine, staff)
      parts = { engine, subjects, staff }
      return [...subjectsRoutes(subjects), ...complianceRoutes(parts)]
    },
  })
  nurse = await shell.signIn(['nurse'])
  other = await shell.signIn(['nurse'])
  officer = await shell.signIn(['compliance'])
  kunigunde = (await subjects.create(byTest(shell.tenant), aPatient({ mrn: 'MRN-C-1' }))).id
  walburga = (await subjects.create(byTest(shell.tenant), aPatient({ mrn: 'MRN-C-2', family: 'Zwetschkenbaum' }))).id
})
afterAll(() => shell?.close())

const headers = (who: Signed) => ({ cookie: who.cookie, 'sec-fetch-site': 'same-origin' })
const get = (who: Signed, url: string) => shell.server.inject({ url, headers: headers(who) })
const post = (who: Signed, url: string, payload: object) =>
  shell.server.inject({ method: 'POST', url, payload, headers: headers(who) })
const look = (who: Signed, subject: string) => get(who, `/api/v1/subjects/${subject}`)
/** The database tells the time of an entry, the shell's clock that of everything else. */
const wide = () => ({ from: Date.now() - DAY, to: Date.now() + DAY })

describe('compliance > who looked at this patient', () => {
  test('is told by exact identifier or id: each person once, who came last first, with why; and asking is itself recorded', async () => {
    await look(nurse, kunigunde)
    await look(other, kunigunde)
    await look(nurse, kunigunde)
    const about = { identifier: { system: mrnSystem, value: ' mrn-c-1' } }
    const answered = await post(officer, '/api/v1/audit/who-looked', { about, ...wide() })
    const { subject, items } = answered.json<Lookers>()
    expect(subject).toBe(kunigunde)
    expect(items.map(({ by, times }) => [by.actor, times])).toEqual([
      [`staff:${nurse.id}`, 2],
      [`staff:${other.id}`, 1],
      ['cli', 1],
    ])
    expect(items[0]).toMatchObject({ actions: ['read'], purposes: ['TREAT'], denied: false, by: { roles: ['nurse'] } })
    const asked = (await shell.trail()).filter(
      ({ actor, resource }) => actor === `staff:${officer.id}` && resource === 'audit',
    )
    expect(asked[0]).toMatchObject({ action: 'search', subject: kunigunde, purpose: 'HOPERAT' })
  })

  test('answers alike for an identifier that nobody has and an id that is not there', async () => {
    const answers = await Promise.all([
      post(officer, '/api/v1/audit/who-looked', { about: { identifier: { system: mrnSystem, value: 'MRN-NOBODY' } } }),
      post(officer, '/api/v1/audit/who-looked', { about: { subject: officer.id } }),
    ])
    for (const answer of answers) expect(answer.statusCode).toBe(404)
    const bodies = answers.map((answer) => JSON.parse(answer.body.replaceAll(/[0-9a-f-]{36}/g, 'id')))
    expect(bodies[0]).toEqual(bodies[1])
  })

  test('is no way to find out who is a patient: misses are recorded with the question sealed, and after twenty everything waits', async () => {
    const curious = await shell.signIn(['compliance'])
    const ask = (value: string) =>
      post(curious, '/api/v1/audit/who-looked', { about: { identifier: { system: mrnSystem, value } } })
    for (let i = 0; i < missesAnHour; i++) expect((await ask(`MRN-GUESS-${i}`)).statusCode).toBe(404)
    expect((await ask('MRN-GUESS-X')).statusCode).toBe(429)
    expect((await ask('MRN-C-1')).statusCode).toBe(429)
    const own = (await shell.trail()).filter(
      ({ actor, outcome }) => actor === `staff:${curious.id}` && outcome === 'failed',
    )
    expect(own.reduce((sum, { times }) => sum + times, 0)).toBe(missesAnHour)
    expect(own.every(({ detail, subject }) => detail !== null && subject === null)).toBe(true)
    expect((await post(officer, '/api/v1/audit/who-looked', { about: { subject: kunigunde } })).statusCode).toBe(200)
  })

  test('is for compliance: a nurse, an administrator and a stranger are refused', async () => {
    const administrator = await shell.signIn(['administrator'])
    const ask = { about: { subject: kunigunde } }
    expect((await post(nurse, '/api/v1/audit/who-looked', ask)).statusCode).toBe(403)
    expect((await post(administrator, '/api/v1/audit/who-looked', ask)).statusCode).toBe(403)
    const url = '/api/v1/audit/who-looked'
    const stranger = await shell.server.inject({
      method: 'POST',
      url,
      payload: ask,
      headers: { 'sec-fetch-site': 'same-origin' },
    })
    expect(stranger.statusCode).toBe(401)
    const elsewhere = await shell.identity.createTenant('Ward 9')
    const foreign = await shell.signIn(['compliance'], elsewhere)
    expect((await post(foreign, '/api/v1/audit/who-looked', ask)).statusCode).toBe(404)
  })
})

describe('compliance > the trail', () => {
  test('is searched by person, action and time, page by page', async () => {
    for (let i = 0; i < 5; i++) await look(other, walburga)
    const query = { actor: `staff:${other.id}`, action: 'read', ...wide(), limit: 3 }
    const first = (await post(officer, '/api/v1/audit/search', query)).json<AuditLines>()
    expect(first.items).toHaveLength(3)
    expect(first.items[0]).toMatchObject({ subject: walburga, by: { actor: `staff:${other.id}`, roles: ['nurse'] } })
    const second = (await post(officer, '/api/v1/audit/search', { ...query, before: first.next })).json<AuditLines>()
    expect(second.items.map(({ id }) => id)).not.toEqual(first.items.map(({ id }) => id))
    expect(BigInt(second.items[0]!.id)).toBeLessThan(BigInt(first.items[2]!.id))
    expect((await post(officer, '/api/v1/audit/search', { action: "read' or 1=1" })).statusCode).toBe(400)
  })

  test('of disclosures is empty where nothing went out', async () => {
    const answered = await post(officer, '/api/v1/audit/disclosures', { about: { subject: walburga } })
    expect(answered.json<Disclosures>()).toEqual({ subject: walburga, items: [] })
  })
})

describe('compliance > unusual access', () => {
  test('a watched record seen from outside its team, and a namesake: found once, each a fact for a review', async () => {
    const gruber = await shell.identity.createUser({
      ...{ tenant: shell.tenant, email: 'g@ward.example', displayName: 'Ana Zwetschkenbaum', roles: ['nurse'] },
      password: 'quiet lamps over water zw',
    })
    await shell.engine.db.asTenant(shell.tenant, (tx) =>
      tx.client.query(
        `insert into tenant.audit_entry (tenant_id, principal_kind, principal_id, action, outcome, resource, resource_id, subject_id, purpose)
           values ($1, 'staff', $2, 'read', 'success', 'subject', $3::text, $3::uuid, 'TREAT')`,
        [shell.tenant, gruber.id, walburga],
      ),
    )
    const reason = 'A minister, in the papers'
    expect((await post(officer, '/api/v1/watched-records', { about: { subject: kunigunde }, reason })).statusCode).toBe(
      204,
    )
    const watched = (await get(officer, '/api/v1/watched-records')).json<WatchedRecords>()
    expect(watched.items).toMatchObject([{ subject: kunigunde, by: { actor: `staff:${officer.id}` } }])
    // Sessions end after half a day, whatever happens.
    await shell.clock.advance(DAY)
    officer = await shell.signIn(['compliance'])
    const made = await findUnusual(parts, shell.tenant)
    const { items, checkedUntil } = (await get(officer, '/api/v1/audit/unusual')).json<UnusualAccessList>()
    expect(checkedUntil).toMatch(/^\d{4}-\d\d-\d\d$/)
    const told = items.map(({ kind, by, subject }) => [kind, by.actor, subject])
    expect(told).toContainEqual(['own-name', `staff:${gruber.id}`, walburga])
    expect(told).toContainEqual(['watched-record', `staff:${nurse.id}`, kunigunde])
    expect(made).toBe(items.length)
    expect(await findUnusual(parts, shell.tenant)).toBe(0)
    const { rows } = await shell.engine.db.pool.query(`select 1 from engine.fact where type = 'UnusualAccessFound'`)
    expect(rows).toHaveLength(items.length)
    // Of who is erased nothing is said any more; of others it is.
    await post(officer, '/api/v1/watched-records', { about: { subject: walburga }, reason })
    const erased = { tenant: shell.tenant, subject: walburga, at: shell.clock.now(), actor: 'cli' }
    await shell.engine.db.asEngine((tx) => forgetWatch(tx, erased))
    const left = (await get(officer, '/api/v1/watched-records')).json<WatchedRecords>().items
    expect(left).toMatchObject([{ subject: kunigunde }])
    const url = `/api/v1/watched-records/${kunigunde}`
    expect((await shell.server.inject({ method: 'DELETE', url, headers: headers(officer) })).statusCode).toBe(204)
    expect((await get(officer, '/api/v1/watched-records')).json<WatchedRecords>().items).toEqual([])
  })
})

describe('compliance > a breach assessment', () => {
  const what = 'The account of a nurse was used from abroad. Her password stood on a list.'
  const open = async (actors: string[]) => {
    const scope = { actors, ...wide() }
    return (await post(officer, '/api/v1/breaches', { discoveredAt: Date.now(), what, scope })).json<BreachView>()
  }

  test('computes from the trail whose records an account saw, and shows them after a renewed proof only', async () => {
    const breach = await open([`staff:${other.id}`])
    expect(breach).toMatchObject({ status: 'assessing', affected: 2, what, openedBy: { actor: `staff:${officer.id}` } })
    const people = await get(officer, `/api/v1/breaches/${breach.id}/people`)
    expect(people.statusCode).toBe(200)
    const { items, next } = people.json<AffectedPeople>()
    expect(items.map(({ subject }) => subject).sort()).toEqual([kunigunde, walburga].sort())
    expect(next).toBeNull()
    expect(items.find(({ subject }) => subject === walburga)).toMatchObject({ times: 5 })
    await shell.clock.advance(6 * 60_000)
    expect((await get(officer, `/api/v1/breaches/${breach.id}/people`)).statusCode).toBe(403)
  })

  test('of what was not discovered yet is refused: its clock would run from a day to come', async () => {
    const scope = { actors: [`staff:${nurse.id}`], ...wide() }
    const discoveredAt = shell.clock.now() + DAY
    const refused = await post(officer, '/api/v1/breaches', { discoveredAt, what, scope })
    expect([refused.statusCode, refused.body.includes('/body/discoveredAt')]).toEqual([422, true])
  })

  test('does not count what was refused, and counts anew what was written since', async () => {
    const third = await shell.signIn(['facilities'])
    await look(third, kunigunde)
    const breach = await open([`staff:${third.id}`])
    expect(breach.affected).toBe(0)
    const fourth = await shell.signIn(['nurse'])
    const later = await open([`staff:${fourth.id}`])
    await look(fourth, kunigunde)
    const url = `/api/v1/breaches/${later.id}/recompute`
    expect((await post(officer, url, { version: later.version })).json<BreachView>().affected).toBe(1)
    expect((await post(officer, url, { version: later.version })).statusCode).toBe(409)
  })

  test('is decided by four factors in words, and closed only when everybody was told whom the law names', async () => {
    const breach = await open([`staff:${nurse.id}`])
    const step = (step: string, version: number) =>
      post(officer, `/api/v1/breaches/${breach.id}/steps`, { step, version })
    expect((await step('individuals', 1)).statusCode).toBe(422)
    const words = 'Names and blood pressures, opened on screen.'
    const factors = {
      'nature-of-data': words,
      'who-received-it': words,
      'acquired-or-viewed': words,
      mitigation: words,
    }
    const { mitigation: _, ...three } = factors
    const url = `/api/v1/breaches/${breach.id}/decide`
    expect((await post(officer, url, { outcome: 'notifiable', version: 1, factors: three })).statusCode).toBe(400)
    const decided = (await post(officer, url, { outcome: 'notifiable', version: 1, factors })).json<BreachView>()
    expect(decided).toMatchObject({ status: 'notifiable', factors, version: 2 })
    expect(decided.deadlines).toMatchObject({ individuals: { doneAt: null }, media: null })
    expect((await step('closed', 2)).statusCode).toBe(422)
    expect((await step('individuals', 2)).statusCode).toBe(200)
    expect((await step('hhs', 3)).statusCode).toBe(200)
    expect((await step('closed', 4)).json<BreachView>().status).toBe('closed')
  })

  test('is there for nobody else: another organisation finds nothing', async () => {
    const breach = await open([`staff:${nurse.id}`])
    const foreign = await shell.signIn(['compliance'], await shell.identity.createTenant('Ward 10'))
    const clinician = await shell.signIn(['nurse'])
    expect((await get(foreign, `/api/v1/breaches/${breach.id}`)).statusCode).toBe(404)
    expect((await get(clinician, `/api/v1/breaches/${breach.id}`)).statusCode).toBe(403)
  })

  test('keeps what happened and why sealed, and names no patient anywhere', async () => {
    const canary = makeCanary()
    canary.seed('story', what)
    canary.seed('reason', 'A minister, in the papers')
    canary.seed('family', 'Zwölfaxinger')
    canary.seed('identifier', 'MRN-C-1')
    await canary.hearTables(shell.engine.db.pool, ['tenant', 'engine'])
    canary.hear('log', shell.lines.join('\n'))
    for (const url of ['/api/v1/audit/unusual', '/api/v1/watched-records'])
      canary.hear(url, (await get(officer, url)).body)
    canary.hear('search', (await post(officer, '/api/v1/audit/search', {})).body)
    expect(canary.leaks).toEqual([])
  })
})
