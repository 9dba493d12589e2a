/** Sight that ends by itself opens a chart to treat by, and makes nobody's own sight last: behind the real shell, step by step. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Signed, type TestShell, testShell } from '../api/testing/test-shell.ts'
import { byConsole } from './by.ts'
import { aPatient } from './fixtures.ts'
import { personRoutes, subjectsRoutes } from './routes.ts'
import { endSight, type GrantReason, grantSight } from './sight-grants.ts'
import { makeSubjects, type Subjects } from './subjects.ts'

let shell: TestShell
let subjects: Subjects
/** Of the patient's team; of another; of another and a physician. */
let own: Signed
let outside: Signed
let physician: Signed
let team: string
let theirs: string
let patient: string
let enrolment: string

beforeAll(async () => {
  shell = await testShell({
    routes(identity, engine) {
      subjects = makeSubjects(engine, (tenant) => identity.members(tenant))
      return [...subjectsRoutes(subjects), ...personRoutes({ engine, subjects, identity })]
    },
  })
  own = await shell.signIn(['nurse'])
  outside = await shell.signIn(['nurse'])
  physician = await shell.signIn(['physician'])
  team = (await subjects.createCareTeam(by(), { name: 'Heart', members: [own.id] })).id
  theirs = (await subjects.createCareTeam(by(), { name: 'Night', members: [outside.id, physician.id] })).id
})
afterAll(() => shell.close())
beforeEach(async () => {
  patient = (await subjects.create(by(), { ...aPatient(), team })).id
  enrolment = (await subjects.enrol(by(), patient, { program: 'heart', owner: own.id })).id
})

const by = () => byConsole(shell.tenant)
type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
const ask = (who: Signed | string, method: Method, url: string, payload?: object) =>
  shell.server.inject({
    ...{ method, url: `/api/v1${url}` },
    headers: {
      'sec-fetch-site': 'same-origin',
      ...(typeof who === 'string' ? { authorization: who } : { cookie: who.cookie }),
    },
    ...(payload === undefined ? {} : { payload }),
  })
const answer = async (...asked: Parameters<typeof ask>) => {
  const { statusCode, body } = await ask(...asked)
  const code = /"coding":\[\{[^}]*"code":"([a-z-]+)"/.exec(body)?.[1]
  return statusCode < 300 ? statusCode : `${statusCode} ${code}`
}
const give = (user: Signed, why: GrantReason) =>
  shell.engine.db.asTenant(shell.tenant, (tx) =>
    grantSight(tx, {
      ...{ id: shell.engine.ids.uuid(), subject: patient, user: user.id, why, source: `${why} of ${patient}` },
      ...{ from: shell.clock.now(), actor: 'cli' },
    }),
  )
const take = (why: GrantReason) =>
  shell.engine.db.asTenant(shell.tenant, (tx) =>
    endSight(tx, { why, source: `${why} of ${patient}`, at: shell.clock.now(), actor: 'cli' }),
  )
async function put(who: Signed | string, over: { team?: string; letGo?: boolean }) {
  const { version } = await subjects.subject(by(), patient)
  return answer(who, 'PUT', `/subjects/${patient}`, { ...aPatient(), version, ...over })
}
const refused = '422 sight-temporary'
const aConsent = { decision: 'permit', grantee: { kind: 'treatment' }, verification: { how: 'verbal-with-witness' } }

describe.each(['break-glass', 'task'] as const)('sight that ends by itself > %s', (why) => {
  test('moves no patient, enrols nobody, changes no enrolment, and is over when it ends', async () => {
    await give(outside, why)
    expect(await answer(outside, 'GET', `/subjects/${patient}`)).toBe(200)
    const made = await ask(outside, 'POST', '/care-teams', { name: `Mine ${why}`, members: [outside.id] })
    const mine = made.json<{ id: string }>().id
    for (const letGo of [false, true]) {
      expect(await put(outside, { team: mine, letGo })).toBe(refused)
      expect(await put(outside, { letGo })).toBe(refused)
    }
    const wanted = { program: 'other', owner: outside.id }
    expect(await answer(outside, 'POST', `/subjects/${patient}/enrolments`, wanted)).toBe(refused)
    const owners = { owner: outside.id, backup: null }
    expect(await answer(outside, 'PUT', `/enrolments/${enrolment}`, owners)).toBe(refused)
    expect(await answer(outside, 'POST', `/enrolments/${enrolment}/end`, {})).toBe(refused)
    // What they came for: the chart is read, and put right.
    expect(await put(outside, { team })).toBe(200)
    await take(why)
    expect(await answer(outside, 'GET', `/subjects/${patient}`)).toBe('404 subject-not-found')
    expect(await answer(own, 'GET', `/subjects/${patient}`)).toBe(200)
    expect(await answer(outside, 'PUT', `/enrolments/${enrolment}`, owners)).toBe('404 enrolment-not-found')
    expect(await put(outside, { team: mine })).toBe('404 subject-not-found')
  })

  test('invites nobody, ends no account, records and withdraws no consent', async () => {
    await give(physician, why)
    const accounts = `/subjects/${patient}/accounts`
    const caregiver = { kind: 'caregiver', relationship: 'child' }
    expect(await answer(physician, 'POST', accounts, { kind: 'patient' })).toBe(refused)
    expect(await answer(physician, 'POST', accounts, caregiver)).toBe(refused)
    const { id } = (await ask(own, 'POST', accounts, { kind: 'patient' })).json<{ id: string }>()
    expect(await answer(physician, 'DELETE', `${accounts}/${id}`)).toBe(refused)
    expect(await answer(physician, 'POST', `/subjects/${patient}/consents`, aConsent)).toBe(refused)
    const consent = await subjects.consents.record(by(), patient, aConsent as never)
    expect(await answer(physician, 'POST', `/subjects/${patient}/consents/${consent.id}/withdraw`, {})).toBe(refused)
    await take(why)
    expect(await answer(physician, 'POST', accounts, caregiver)).toBe('404 subject-not-found')
  })

  test('whoever has a reason beside it that stays does all this', async () => {
    await subjects.enrol(by(), patient, { program: 'owned', owner: physician.id })
    await give(physician, why)
    expect(await answer(physician, 'POST', `/subjects/${patient}/consents`, aConsent)).toBe(201)
    expect(await answer(physician, 'PUT', `/enrolments/${enrolment}`, { owner: own.id, backup: physician.id })).toBe(
      200,
    )
    expect(await answer(physician, 'POST', `/subjects/${patient}/accounts`, { kind: 'patient' })).toBe(201)
  })
})

describe('a patient who is in a care team', () => {
  test('is moved out of it by its members, not by an owner from outside', async () => {
    await subjects.enrol(by(), patient, { program: 'owned', owner: outside.id })
    expect(await put(outside, { team: theirs })).toBe('422 care-team-keeps')
    expect(await put(outside, { letGo: true })).toBe('422 care-team-keeps')
    expect(await put(outside, { team })).toBe(200)
    expect(await put(own, { team: theirs })).toBe('422 subject-out-of-sight')
    expect(await put(own, { team: theirs, letGo: true })).toBe(200)
  })

  test('is taken over from a team of which nobody works here any more', async () => {
    const leaves = await shell.signIn(['nurse'])
    const gone = (await subjects.createCareTeam(by(), { name: 'Gone', members: [leaves.id] })).id
    expect(await put(own, { team: gone, letGo: true })).toBe(200)
    await shell.engine.db.pool.query('update auth.member set ended_at = now() where user_id = $1', [leaves.id])
    await subjects.enrol(by(), patient, { program: 'owned', owner: outside.id })
    expect(await put(outside, { team: theirs })).toBe(200)
  })

  test('keeps the team until who empties it says that its patients are let go', async () => {
    const members = `/care-teams/${team}/members`
    expect(await answer(own, 'PUT', members, { members: [] })).toBe('422 care-team-has-patients')
    expect((await subjects.careTeams(shell.tenant)).find(({ id }) => id === team)?.members).toEqual([own.id])
    expect(await answer(own, 'PUT', members, { members: [], letGo: true })).toBe(200)
    await subjects.setCareTeamMembers(by(), team, [own.id])
    const empty = (await subjects.createCareTeam(by(), { name: 'Nobody’s', members: [own.id] })).id
    expect(await answer(own, 'PUT', `/care-teams/${empty}/members`, { members: [] })).toBe(200)
  })
})

describe('a service token', () => {
  test('whom no consent names makes nothing of a patient but readings', async () => {
    const scopes = ['subject:create', 'enrolment:create', 'consent:create', 'person-account:create'] as const
    const made = await shell.identity.createServiceToken({ tenant: shell.tenant, name: 'Lab', scopes })
    const token = `Bearer ${made.token}`
    expect(await answer(token, 'POST', '/subjects', aPatient())).toBe(201)
    const wanted = { program: 'other', owner: own.id }
    expect(await answer(token, 'POST', `/subjects/${patient}/enrolments`, wanted)).toBe('404 subject-not-found')
    expect(await answer(token, 'POST', `/subjects/${patient}/consents`, aConsent)).toMatch(
      /^(404 subject-not-found|403 person-needed)$/,
    )
    expect((await subjects.consents.list(by(), patient)).length).toBe(0)
    expect(await answer(token, 'POST', `/subjects/${patient}/accounts`, { kind: 'patient' })).toMatch(/^40[34] /)
  })

  test('of our own makes enrolments, and records no consent and invites nobody: a person does', async () => {
    const token = await shell.token(['enrolment:create', 'consent:create', 'consent:update', 'person-account:create'])
    const wanted = { program: 'other', owner: own.id }
    expect(await answer(token, 'POST', `/subjects/${patient}/enrolments`, wanted)).toBe(201)
    expect(await answer(token, 'POST', `/subjects/${patient}/consents`, aConsent)).toBe('403 person-needed')
    const consent = await subjects.consents.record(by(), patient, aConsent as never)
    expect(await answer(token, 'POST', `/subjects/${patient}/consents/${consent.id}/withdraw`, {})).toBe(
      '403 person-needed',
    )
    expect(await answer(token, 'POST', `/subjects/${patient}/accounts`, { kind: 'patient' })).toBe('403 person-needed')
  })
})
