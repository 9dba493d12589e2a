/** Emergency access and its review behind the real shell: who may, what it opens, who is told, how it ends. */
import type { BreakGlassAccess, NotificationList, ReviewDetail, ReviewList } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeCanary } from '../../api/testing/canary.ts'
import { enrol, type Signed, type TestShell, testShell } from '../../api/testing/test-shell.ts'
import { aFridge, aPatient, byTest, mrnSystem } from '../../subjects/fixtures.ts'
import { makeSubjects, type Subjects } from '../../subjects/index.ts'
import { subjectsRoutes } from '../../subjects/routes.ts'
import { openMissed } from '../reviews/missed-accesses.ts'
import { workOnReviews } from '../reviews/take-reviews.ts'
import { workflowRoutes } from '../routes.ts'
import { takeAllReviews } from '../testing/take-all-facts.ts'
import type { Ways } from '../ways.ts'
import { makeWorkflow } from '../workflow.ts'

const hour = 3_600_000
let shell: TestShell
let subjects: Subjects
let ways: Ways
/** Of the patient's team; of none; who reviews; who runs the server. */
let own: Signed
let nurse: Signed
let compliance: Signed
let administrator: Signed
let patient: string
/** How often a patient was looked for by emergency access. */
let lookedUp = 0
beforeAll(async () => {
  shell = await testShell({
    routes(identity, engine) {
      const staff = (tenant: string) => identity.members(tenant)
      subjects = makeSubjects(engine, staff)
      ways = { staff, email: true }
      const exactPatient: Subjects['exactPatient'] = (...asked) => {
        lookedUp += 1
        return subjects.exactPatient(...asked)
      }
      const workflow = makeWorkflow(engine, { ...subjects, exactPatient }, staff)
      return [...subjectsRoutes(subjects), ...workflowRoutes(workflow)]
    },
  })
  own = await shell.signIn(['nurse'])
  nurse = await aClinician()
  compliance = await shell.signIn(['compliance'])
  administrator = await shell.signIn(['administrator'])
  patient = await aPatientOfTheTeam('Zwölfaxinger', 'Kunigunde', 'MRN-77-1')
})
afterAll(() => shell.close())

/** A nurse or physician of no team, with a second factor. */
async function aClinician(role: 'nurse' | 'physician' = 'nurse', tenant = shell.tenant): Promise<Signed> {
  const person = await shell.signIn([role], tenant)
  return { ...person, ...(await enrol(shell.server, person.cookie, shell.clock.now(), person.password)) }
}

let team: string | undefined
async function aPatientOfTheTeam(family: string, given: string, mrn: string): Promise<string> {
  const by = byTest(shell.tenant)
  team ??= (await subjects.createCareTeam(by, { name: 'Heart', members: [own.id] })).id
  return (await subjects.create(by, { ...aPatient({ family, given, mrn }), team })).id
}

const ask = (who: Signed, method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) =>
  shell.server.inject({
    ...{ method, url, headers: { cookie: who.cookie, 'sec-fetch-site': 'same-origin' } },
    ...(payload === undefined ? {} : { payload }),
  })
const codeOf = (answered: { json(): unknown }) =>
  (answered.json() as { issue: { details: { coding: { code: string }[] } }[] }).issue[0]!.details.coding[0]!.code

const words = 'Found without breath on the stairs of house B'
const byMrn = (value: string) => ({ patient: { identifier: { system: mrnSystem, value } }, reason: 'emergency', words })
const byName = (name: string, birthDate = '1947-02-11') => ({
  patient: { name, birthDate },
  reason: 'emergency',
  words,
})
const breakGlass = (who: Signed, asked: object) => ask(who, 'POST', '/api/v1/break-glass', asked)
const reads = async (who: Signed, id = patient) => (await ask(who, 'GET', `/api/v1/subjects/${id}`)).statusCode
const reviewsOf = async (who: Signed, query = '') =>
  (await ask(who, 'GET', `/api/v1/reviews${query}`)).json<ReviewList>()
const takeReviews = () => takeAllReviews(shell.engine, { subjects, ways })

test('break-glass > who names a patient of another team exactly, and says why, sees that one for four hours', async () => {
  const other = await aPatientOfTheTeam('Huber', 'Adalbert', 'MRN-77-2')
  expect([await reads(nurse), await reads(nurse, other)]).toEqual([404, 404])
  const answered = await breakGlass(nurse, byMrn('mrn-77-1'))
  expect(answered.statusCode).toBe(201)
  const access = answered.json<BreakGlassAccess>()
  expect(access).toMatchObject({ subject: patient, reason: 'emergency', untilAt: access.openedAt + 4 * hour })
  expect([await reads(nurse), await reads(nurse, other)]).toEqual([200, 404])
  expect((await breakGlass(nurse, byMrn('MRN-77-1'))).json()).toEqual(access)
  expect((await ask(nurse, 'GET', '/api/v1/break-glass')).json()).toEqual({ items: [access], hours: 4 })
})

test('break-glass > what is read by it is in the trail as emergency treatment, what is read otherwise is not', async () => {
  await reads(own)
  const entries = (await shell.trail()).filter(({ action, subject }) => action === 'read' && subject === patient)
  const purposes = (who: Signed) => new Set(entries.filter((e) => e.actor === `staff:${who.id}`).map((e) => e.purpose))
  expect(purposes(nurse)).toEqual(new Set(['ETREAT']))
  expect(purposes(own)).toEqual(new Set(['TREAT']))
})

test('break-glass > the office and the care team are told at once, once, without a name; a review is opened', async () => {
  await takeReviews()
  await takeReviews()
  const told = async (who: Signed) =>
    (await ask(who, 'GET', '/api/v1/notifications'))
      .json<NotificationList>()
      .items.map(({ why, title }) => [why, title])
  expect(await told(compliance)).toEqual([['review-opened', 'Emergency access to a patient']])
  expect(await told(own)).toEqual([['access-taken', 'Emergency access to a patient of yours']])
  expect(await told(nurse)).toEqual([])
  const mails = await shell.engine.db.asTenant(shell.tenant, (tx) =>
    tx.client.query(`select recipient, why from tenant.notification_intent where channel = 'email' order by why`),
  )
  expect(mails.rows).toEqual([
    { recipient: own.id, why: 'access-taken' },
    { recipient: compliance.id, why: 'review-opened' },
  ])
  const { items, counts } = await reviewsOf(compliance)
  expect(counts).toEqual({ open: 1, claimed: 0, overdue: 0, closed: 0 })
  expect(items).toMatchObject([{ kind: 'break-glass', about: { subject: patient, user: { id: nurse.id } } }])
  expect(JSON.stringify(items)).not.toContain('Kunigunde')
})

test('break-glass > compliance reads why and what was done by it, and closes it with what was found; no chart is opened', async () => {
  const [item] = (await reviewsOf(compliance)).items
  const url = `/api/v1/reviews/${item!.id}`
  const detail = (await ask(compliance, 'GET', url)).json<ReviewDetail>()
  expect(detail.access).toMatchObject({ words, endedAt: null })
  expect(detail.access!.acts).toContainEqual({ action: 'read', resource: 'subject', count: expect.any(Number) })
  expect(await reads(compliance)).toBe(403)
  const close = (version: number, outcome: string) =>
    ask(compliance, 'POST', `${url}/close`, { version, outcome, note: 'Seen with the ward.' })
  expect((await ask(compliance, 'POST', `${url}/claim`, { version: detail.version })).statusCode).toBe(200)
  expect(codeOf(await close(detail.version, 'justified'))).toBe('review-moved')
  expect(codeOf(await close(detail.version + 1, 'mended'))).toBe('review-outcome-unfit')
  const closed = (await close(detail.version + 1, 'justified')).json<ReviewDetail>()
  expect(closed).toMatchObject({ status: 'closed', outcome: 'justified', note: 'Seen with the ward.' })
  expect(codeOf(await close(closed.version, 'justified'))).toBe('review-moved')
  expect((await reviewsOf(compliance)).counts).toMatchObject({ open: 0, claimed: 0, closed: 1 })
})

test('break-glass > nobody closes the review of what they did themselves; it goes to administrators when there is nobody else', async () => {
  const tenant = await shell.identity.createTenant('Ward of two')
  const both = await shell.signIn(['physician', 'compliance'], tenant)
  const admin = await shell.signIn(['administrator'], tenant)
  const by = byTest(tenant)
  const heart = (await subjects.createCareTeam(by, { name: 'Heart', members: [] })).id
  await subjects.create(by, { ...aPatient({ mrn: 'MRN-5' }), team: heart })
  expect((await breakGlass(both, byMrn('MRN-5'))).statusCode).toBe(201)
  await takeReviews()
  const [item] = (await reviewsOf(both)).items
  expect(item!.whyNotClose).toMatch(/a colleague closes it/)
  const close = (who: Signed) =>
    ask(who, 'POST', `/api/v1/reviews/${item!.id}/close`, {
      version: item!.version,
      outcome: 'justified',
      note: 'Fine.',
    })
  const refused = await close(both)
  expect([refused.statusCode, codeOf(refused)]).toEqual([403, 'review-own'])
  const bell = (await ask(admin, 'GET', '/api/v1/notifications')).json<NotificationList>()
  expect(bell.items).toMatchObject([{ why: 'review-opened', review: item!.id }])
  expect((await close(admin)).statusCode).toBe(200)
})

test('break-glass > an access whose review failed gets it later, once; who watches is not blind to it', async () => {
  const other = await aPatientOfTheTeam('Lang', 'Berta', 'MRN-78-1')
  const access = (await breakGlass(nurse, byMrn('MRN-78-1'))).json<BreakGlassAccess>()
  const broken = { ...subjects, careTeams: () => Promise.reject(new TypeError('of this fact nothing can be made')) }
  await takeAllReviews(shell.engine, { subjects: broken, ways })
  const about = async () => (await reviewsOf(compliance)).items.filter((each) => each.about.subject === other)
  expect(await about()).toEqual([])
  // A moment old, its fact may still be on its way.
  expect(await openMissed(shell.engine, { subjects, ways })).toBe(0)
  await shell.engine.db.pool.query(`update tenant.break_glass set opened_at = opened_at - 3600000 where id = $1`, [
    access.id,
  ])
  expect(await openMissed(shell.engine, { subjects, ways })).toBe(1)
  expect(await about()).toMatchObject([{ kind: 'break-glass', reason: 'emergency', about: { user: { id: nurse.id } } }])
  expect(await openMissed(shell.engine, { subjects, ways })).toBe(0)
  const told = (await ask(own, 'GET', '/api/v1/notifications')).json<NotificationList>().items
  expect(told.filter(({ why }) => why === 'access-taken').length).toBeGreaterThanOrEqual(2)
  await ask(nurse, 'DELETE', `/api/v1/break-glass/${access.id}`)
})

test('break-glass > it ends at once when it is given back, by whoever took it', async () => {
  const again = await aClinician()
  const theirs = (await breakGlass(again, byMrn('MRN-77-1'))).json<BreakGlassAccess>()
  const end = (who: Signed) => ask(who, 'DELETE', `/api/v1/break-glass/${theirs.id}`)
  expect(codeOf(await end(nurse))).toBe('break-glass-over')
  expect(await reads(again)).toBe(200)
  expect((await end(again)).statusCode).toBe(204)
  expect(await reads(again)).toBe(404)
  expect(codeOf(await end(again))).toBe('break-glass-over')
})

test('break-glass > is given where nobody of compliance works, and waits for a review all the same: care is never held up', async () => {
  const tenant = await shell.identity.createTenant('Ward of one')
  const alone = await aClinician('nurse', tenant)
  const by = byTest(tenant)
  const heart = (await subjects.createCareTeam(by, { name: 'Heart', members: [] })).id
  const { id } = await subjects.create(by, { ...aPatient({ mrn: 'MRN-7' }), team: heart })
  expect((await breakGlass(alone, byMrn('MRN-7'))).statusCode).toBe(201)
  expect(await reads(alone, id)).toBe(200)
  await takeReviews()
  const later = await shell.signIn(['compliance'], tenant)
  expect((await reviewsOf(later)).items).toMatchObject([{ about: { subject: id }, status: 'open' }])
})

test('break-glass > it stands as long as the organisation decided, between one and twelve hours', async () => {
  const admin = await shell.signIn(['administrator'])
  const url = '/api/v1/settings/break-glass'
  expect((await ask(admin, 'PUT', url, { hours: 13, version: 0 })).statusCode).toBe(400)
  expect((await ask(admin, 'PUT', url, { hours: 2, version: 0 })).json()).toEqual({ hours: 2, version: 1 })
  expect(codeOf(await ask(admin, 'PUT', url, { hours: 3, version: 0 }))).toBe('setting-moved')
  const access = (await breakGlass(await aClinician(), byMrn('MRN-77-1'))).json<BreakGlassAccess>()
  expect(access.untilAt - access.openedAt).toBe(2 * hour)
  expect((await ask(admin, 'PUT', url, { hours: 4, version: 1 })).statusCode).toBe(200)
})

test('break-glass > the whole name and the birth date find one patient; a part of it, another day, or two of a name find nobody', async () => {
  const finds = async (asked: object) => {
    const answered = await breakGlass(await aClinician(), asked)
    return answered.statusCode === 201 ? 201 : codeOf(answered)
  }
  expect(await finds(byName('kunigunde ZWOLFAXINGER'))).toBe(201)
  expect(await finds({ ...byMrn(''), patient: { identifier: { value: ' mrn-77-1' } } })).toBe(201)
  for (const asked of [
    byName('Zwölfaxinger'),
    byName('Kunigunde Zwölf'),
    byName('Kunigunde Zwölfaxinger', '1947-02-12'),
  ])
    expect([asked, await finds(asked)]).toEqual([asked, 'break-glass-not-found'])
  await aPatientOfTheTeam('Zwölfaxinger', 'Kunigunde', 'MRN-77-9')
  expect(await finds(byName('Kunigunde Zwölfaxinger'))).toBe('break-glass-not-found')
})

test('break-glass > is no way to find out who is a patient: misses are recorded, each third is told, and the ninth waits', async () => {
  const guesser = await aClinician()
  const by = byTest(shell.tenant)
  const fridge = { ...aFridge().resource, identifier: [{ system: mrnSystem, value: 'FRIDGE-1' }] }
  await subjects.create(by, { ...aFridge(), resource: fridge })
  await takeReviews()
  const before = (await reviewsOf(compliance)).items.length
  const tries = [
    ...Array.from({ length: 6 }, (_, i) => byMrn(`MRN-88-${i}`)),
    byName('Erika Mustermann'),
    byMrn('FRIDGE-1'),
  ]
  for (const asked of tries) expect(codeOf(await breakGlass(guesser, asked))).toBe('break-glass-not-found')
  // Also one that would have been right; nobody is looked for, so that no answer takes longer than another.
  const looked = lookedUp
  const refused = await breakGlass(guesser, byMrn('MRN-77-1'))
  expect([looked > 0, lookedUp - looked]).toEqual([true, 0])
  expect([refused.statusCode, codeOf(refused)]).toEqual([429, 'break-glass-throttled'])
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  expect(await reads(guesser)).toBe(404)
  const trail = (await shell.trail()).filter(
    ({ actor, outcome }) => actor === `staff:${guesser.id}` && outcome === 'denied',
  )
  expect(trail.filter(({ resource }) => resource === 'break-glass')).toHaveLength(9)
  await takeReviews()
  const told = (await reviewsOf(compliance)).items
  expect(told).toHaveLength(before + 2)
  expect(told.filter(({ kind }) => kind === 'break-glass-misses')).toMatchObject([
    { about: { subject: null, user: { id: guesser.id } } },
    { about: { subject: null, user: { id: guesser.id } } },
  ])
})

test('break-glass > of many attempts at once none slips through uncounted', async () => {
  const guesser = await aClinician()
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => breakGlass(guesser, byMrn(`MRN-99-${i}`))))
  const codes = answers.map(codeOf)
  expect(codes.filter((code) => code === 'break-glass-not-found')).toHaveLength(8)
  expect(codes.filter((code) => code === 'break-glass-throttled')).toHaveLength(4)
})

test('break-glass > is for nurses and physicians with a second factor; who sees the patient anyway needs none', async () => {
  const without = await shell.signIn(['nurse'])
  const refused = await breakGlass(without, byMrn('MRN-77-1'))
  expect([refused.statusCode, codeOf(refused)]).toEqual([403, 'step-up-without-factor'])
  for (const who of [administrator, compliance, await shell.signIn(['facilities'])])
    expect((await breakGlass(who, byMrn('MRN-77-1'))).statusCode).toBe(403)
  const fresh = { ...own, ...(await enrol(shell.server, own.cookie, shell.clock.now(), own.password)) }
  expect(codeOf(await breakGlass(fresh, byMrn('MRN-77-1')))).toBe('break-glass-needless')
  expect((await ask(nurse, 'GET', '/api/v1/reviews')).statusCode).toBe(403)
})

test('break-glass > it ends by itself', async () => {
  const doctor = await aClinician('physician')
  expect((await breakGlass(doctor, byMrn('MRN-77-1'))).statusCode).toBe(201)
  shell.clock.step(shell.clock.now() + 4 * hour - 1)
  expect(await reads(doctor)).toBe(200)
  shell.clock.step(shell.clock.now() + 1)
  expect(await reads(doctor)).toBe(404)
  expect((await ask(doctor, 'GET', '/api/v1/break-glass')).json()).toMatchObject({ items: [] })
})

test('break-glass > a review that nobody closed in 72 h is told again, to administrators too, and comes first', async () => {
  const tenant = await shell.identity.createTenant('Ward of tomorrow')
  const doctor = await aClinician('physician', tenant)
  const by = byTest(tenant)
  const heart = (await subjects.createCareTeam(by, { name: 'Heart', members: [] })).id
  await subjects.create(by, { ...aPatient({ mrn: 'MRN-6' }), team: heart })
  expect((await breakGlass(doctor, byMrn('MRN-6'))).statusCode).toBe(201)
  await takeReviews()
  shell.clock.step(shell.clock.now() + 72 * hour)
  // Their sessions of three days ago are over.
  const [office, admin] = [await shell.signIn(['compliance'], tenant), await shell.signIn(['administrator'], tenant)]
  const stop = workOnReviews(shell.engine, ways)
  await shell.engine.timers.runDue()
  await stop()
  const told = async (who: Signed) =>
    (await ask(who, 'GET', '/api/v1/notifications')).json<NotificationList>().items.map(({ why }) => why)
  expect([await told(office), await told(admin)]).toEqual([['review-overdue'], ['review-overdue']])
  const late = await aClinician('nurse', tenant)
  expect((await breakGlass(late, byMrn('MRN-6'))).statusCode).toBe(201)
  await takeReviews()
  const { items, counts } = await reviewsOf(office)
  expect(counts.overdue).toBe(1)
  expect(items.map(({ about }) => about.user!.id)).toEqual([doctor.id, late.id])
})

test('break-glass > what was said, asked for and found stands nowhere in clear, nor do logs tell it', async () => {
  const canary = makeCanary()
  for (const [name, text] of Object.entries({
    words,
    note: 'Seen with the ward.',
    name: 'Mustermann',
    mrn: 'MRN-88-3',
  }))
    canary.seed(name, text)
  await canary.hearTables(shell.engine.db.pool, ['tenant', 'engine', 'auth'])
  for (const line of shell.lines) canary.hear('log', line)
  expect(canary.leaks).toEqual([])
})
