/** Time spent, behind the real shell: what a page sends, what is kept of it, what is refused and where it points. */
import type { ActivityBody, ActivityList } from '@careloop/contract'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Signed, type TestShell, testShell } from '../api/testing/test-shell.ts'
import { aFridge, aPatient, byTest } from '../subjects/fixtures.ts'
import { makeSubjects, type Subjects } from '../subjects/index.ts'
import { workflowRoutes } from './routes.ts'
import { makeWorkflow } from './workflow.ts'

const minute = 60_000
let shell: TestShell
let subjects: Subjects
let nurse: Signed
let colleague: Signed
let subject: string

beforeAll(async () => {
  shell = await testShell({
    routes(identity, engine) {
      const staff = (tenant: string) => identity.members(tenant)
      subjects = makeSubjects(engine, staff)
      return workflowRoutes(makeWorkflow(engine, subjects, staff))
    },
  })
  nurse = await shell.signIn(['nurse'])
  colleague = await shell.signIn(['nurse'])
})
afterAll(() => shell.close())

/** A patient of their own for each test, and a while since the last. */
beforeEach(async () => {
  subject = (await subjects.create(byTest(shell.tenant), aPatient())).id
  await shell.clock.advance(10 * minute)
})

const ask = (who: Signed, method: 'GET' | 'PUT' | 'POST', url: string, payload?: object) =>
  shell.server.inject({
    ...{ method, url, headers: { cookie: who.cookie, 'sec-fetch-site': 'same-origin' } },
    ...(payload === undefined ? {} : { payload }),
  })

const now = () => shell.clock.now()
const newId = () => shell.engine.ids.uuid()
const wanted = (over: object = {}) => ({
  ...{ subject, from: now(), to: now(), kind: 'data-review', contact: 'none', note: '' },
  ...{ source: 'worklist', ended: false },
  ...over,
})
const put = (who: Signed, id: string, body: object) => ask(who, 'PUT', `/api/v1/activities/${id}`, body)
const list = async (who = nurse, from = now() - 60 * minute, to = now() + minute) => {
  const answer = await ask(who, 'GET', `/api/v1/subjects/${subject}/activities?from=${from}&to=${to}`)
  expect(answer.statusCode).toBe(200)
  return answer.json<ActivityList>()
}

interface Refused {
  readonly statusCode: number
  json<T>(): T
}
/** Status, code and pointer of a refusal. */
function refusal(answer: Refused): [number, string, string | undefined] {
  const { issue } = answer.json<{ issue: { details: { coding: { code: string }[] }; expression?: string[] }[] }>()
  return [answer.statusCode, issue[0]!.details.coding[0]!.code, issue[0]!.expression?.[0]]
}

/** Begun now, ended after so many minutes by heartbeats. */
async function spend(who: Signed, minutes: number, over: object = {}): Promise<string> {
  const id = newId()
  const from = now()
  await put(who, id, wanted({ from, ...over }))
  for (let i = 0; i < minutes; i++) {
    await shell.clock.advance(minute)
    const answer = await put(who, id, wanted({ from, to: now(), ended: i === minutes - 1, ...over }))
    expect(answer.statusCode).toBe(200)
  }
  return id
}

test('activity > it begins, grows by heartbeats, ends, and says who, for whom, on which day there', async () => {
  const from = now()
  const id = await spend(nurse, 3, { kind: 'patient-contact', contact: 'live-phone', note: 'Dizzy since Tuesday' })
  const { items, totals } = await list()
  expect(items).toMatchObject([
    {
      ...{ id, subject, from, to: from + 3 * minute, kind: 'patient-contact', contact: 'live-phone', ended: true },
      ...{ note: 'Dizzy since Tuesday', source: 'worklist', by: { id: nurse.id }, timeZone: 'Europe/Vienna' },
      localDate: new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Vienna' }).format(from),
    },
  ])
  expect(totals).toEqual({ seconds: 180, liveContacts: 1 })
  const audited = (await shell.trail()).filter(
    ({ resource, resourceId }) => resource === 'activity' && resourceId === id,
  )
  expect(audited.map(({ action, subject: whose }) => [action, whose])).toEqual([
    ['update', subject],
    ['create', subject],
  ])
})

test('activity > the same message twice is one entry, and one that was overtaken shortens nothing', async () => {
  const id = newId()
  const from = now()
  await Promise.all([put(nurse, id, wanted({ from })), put(nurse, id, wanted({ from }))])
  await shell.clock.advance(2 * minute)
  await put(nurse, id, wanted({ from, to: from + 2 * minute }))
  const late = await put(nurse, id, wanted({ from, to: from + minute }))
  expect(late.json<ActivityBody>().to).toBe(from + 2 * minute)
  const end = wanted({ from, to: from + 2 * minute, ended: true })
  const [first, again] = [await put(nurse, id, end), await put(nurse, id, end)]
  expect([first.statusCode, again.statusCode, again.json()]).toEqual([200, 200, first.json()])
  expect((await list()).items).toHaveLength(1)
  // A page's clock a little ahead: its end is brought back to ours, and the same message again is still the same.
  const ahead = wanted({ from: now(), to: now() + 1_500, ended: true })
  const other = newId()
  const stored = (await put(nurse, other, ahead)).json<ActivityBody>()
  expect(stored.to).toBe(now())
  await shell.clock.advance(minute)
  expect((await put(nurse, other, ahead)).json()).toEqual(stored)
})

test('activity > what has ended is final: for the page, and for the database itself', async () => {
  const id = await spend(nurse, 1)
  const from = (await list()).items[0]!.from
  for (const change of [{ to: now() + minute }, { note: 'more' }, { kind: 'education' }, { contact: 'live-phone' }]) {
    await shell.clock.advance(minute)
    const answer = await put(nurse, id, wanted({ from, to: from + minute, ended: true, ...change }))
    expect(refusal(answer)).toEqual([409, 'activity-final', '/params/id'])
  }
  const forge = shell.engine.db.asTenant(shell.tenant, (tx) =>
    tx.client.query('update tenant.activity set to_at = to_at + 1 where id = $1', [id]),
  )
  await expect(forge).rejects.toThrow('does not change')
})

test('activity > what a crashed page left open ends by itself where it was last heard, and says so', async () => {
  const id = newId()
  const from = now()
  await put(nurse, id, wanted({ from }))
  await shell.clock.advance(minute)
  await put(nurse, id, wanted({ from, to: now() }))
  await shell.clock.advance(5 * minute)
  expect((await list()).items[0]).toMatchObject({ ended: false, to: from + minute })
  await shell.clock.advance(1)
  const [lost] = (await list()).items
  expect(lost).toMatchObject({ id, ended: true, lost: true, to: from + minute })
  expect(refusal(await put(nurse, id, wanted({ from, to: now() })))).toEqual([409, 'activity-final', '/params/id'])
})

test('activity > its span is bounded: not backwards, not ahead, not beyond 8 hours', async () => {
  const eightHours = 8 * 60 * minute
  const refused = async (over: object) => refusal(await put(nurse, newId(), wanted(over)))
  expect(await refused({ to: now() - 1 })).toEqual([422, 'activity-span-wrong', '/body/to'])
  expect(await refused({ to: now() + 2_001 })).toEqual([422, 'activity-ahead', '/body/to'])
  expect(await refused({ from: now() - eightHours - 1 })).toEqual([422, 'activity-too-long', '/body/to'])
  const ahead = await put(nurse, newId(), wanted({ from: now() + 1_500, to: now() + 2_000 }))
  expect(ahead.json()).toMatchObject({ from: now(), to: now() })
  const longest = await put(nurse, newId(), wanted({ from: now() - eightHours, source: 'entered', ended: true }))
  expect(longest.statusCode).toBe(200)
})

test('activity > an entry keeps its subject, beginning, source and author', async () => {
  const id = newId()
  const from = now()
  const other = (await subjects.create(byTest(shell.tenant), aPatient())).id
  await put(nurse, id, wanted({ from }))
  const refused = async (over: object, who = nurse) => refusal(await put(who, id, wanted({ from, ...over })))
  expect(await refused({ subject: other })).toEqual([409, 'activity-differs', '/body/subject'])
  expect(await refused({ from: from - 3_000 })).toEqual([409, 'activity-differs', '/body/from'])
  expect(await refused({ source: 'entered' })).toEqual([409, 'activity-differs', '/body/source'])
  expect(await refused({ task: newId() })).toEqual([409, 'activity-differs', '/body/task'])
  expect(await refused({}, colleague)).toEqual([403, 'activity-not-yours', '/params/id'])
})

test('activity > it is about a subject that one may know of, and a task of that subject', async () => {
  const refused = async (who: Signed, over: object) => refusal(await put(who, newId(), wanted(over)))
  expect(await refused(nurse, { subject: newId() })).toEqual([404, 'subject-not-found', '/body/subject'])
  expect(await refused(nurse, { task: newId() })).toEqual([422, 'activity-task-unfit', '/body/task'])
  const facilities = await shell.signIn(['facilities'])
  expect(await refused(facilities, {})).toEqual([404, 'subject-not-found', '/body/subject'])
  const fridge = (await subjects.create(byTest(shell.tenant), aFridge())).id
  expect((await put(facilities, newId(), wanted({ subject: fridge }))).statusCode).toBe(200)
  const seen = await ask(facilities, 'GET', `/api/v1/subjects/${subject}/activities?from=0&to=1000`)
  expect(refusal(seen)).toEqual([404, 'subject-not-found', '/params/id'])
  const range = await ask(nurse, 'GET', `/api/v1/subjects/${subject}/activities?from=1000&to=1000`)
  expect(refusal(range)).toEqual([422, 'activity-span-wrong', '/query/to'])
  const authorization = await shell.token(['activity:*'])
  const url = `/api/v1/activities/${newId()}`
  const token = await shell.server.inject({ method: 'PUT', url, headers: { authorization }, payload: wanted() })
  expect(refusal(token).slice(0, 2)).toEqual([403, 'staff-needed'])
})

test('activity > two colleagues on one call are its minutes once, and all of both is kept', async () => {
  const from = now()
  const call = { from, kind: 'patient-contact', contact: 'live-video' }
  const ids = [newId(), newId()]
  await put(nurse, ids[0]!, wanted(call))
  await put(colleague, ids[1]!, wanted(call))
  await shell.clock.advance((15 * minute) / 5)
  for (const [who, id] of [[nurse, ids[0]!] as const, [colleague, ids[1]!] as const])
    await put(who, id, wanted({ ...call, to: now(), ended: true }))
  const { items, totals } = await list()
  expect(items.map(({ by }) => by.id).sort()).toEqual([nurse.id, colleague.id].sort())
  expect(totals).toEqual({ seconds: 180, liveContacts: 1 })
})

test('activity > a mistake is entered anew: the old entry stays, names the new one and counts no more', async () => {
  const id = await spend(nurse, 2)
  const [old] = (await list()).items
  const anew = newId()
  const correction = { id: anew, from: old!.from, to: old!.from + minute, kind: 'education', contact: 'none' }
  const correct = (who: Signed, which: string, over: object = {}) =>
    ask(who, 'POST', `/api/v1/activities/${which}/correct`, { ...correction, reason: 'I forgot to stop', ...over })
  expect(refusal(await correct(colleague, id))).toEqual([403, 'activity-not-yours', '/params/id'])
  expect(refusal(await correct(nurse, newId()))).toEqual([404, 'activity-not-found', '/params/id'])
  expect(refusal(await correct(nurse, id, { to: old!.from - 1 }))).toEqual([422, 'activity-span-wrong', '/body/to'])
  expect(refusal(await correct(nurse, id, { id }))).toEqual([409, 'activity-differs', '/body/id'])
  const done = await correct(nurse, id)
  expect([done.statusCode, (await correct(nurse, id)).json()]).toEqual([200, done.json()])
  expect(refusal(await correct(nurse, id, { id: newId() }))).toEqual([409, 'activity-corrected', '/params/id'])
  const { items, totals } = await list()
  expect(items.find((item) => item.id === id)).toMatchObject({ ...old, correctedBy: anew })
  expect(items.find((item) => item.id === anew)).toMatchObject({
    ...{ corrects: id, reason: 'I forgot to stop', kind: 'education', source: 'entered', ended: true },
  })
  expect(totals.seconds).toBe(60)
})

test('activity > what still runs is not corrected; an administrator who also treats corrects for others, and the time stays theirs', async () => {
  const id = newId()
  const from = now()
  await put(nurse, id, wanted({ from }))
  const administrator = await shell.signIn(['administrator', 'nurse'])
  const body = { id: newId(), from, to: from, kind: 'other', contact: 'none', reason: 'Wrong patient' }
  const correct = () => ask(administrator, 'POST', `/api/v1/activities/${id}/correct`, body)
  expect(refusal(await correct())).toEqual([409, 'activity-open', '/params/id'])
  await shell.clock.advance(6 * minute)
  expect((await correct()).json()).toMatchObject({ by: { id: nurse.id }, recordedBy: { id: administrator.id } })
})

test('activity > neither kind nor contact nor note stands in plaintext', async () => {
  const id = await spend(nurse, 1, { kind: 'caregiver-contact', contact: 'in-person', note: 'Her daughter asked' })
  const { rows } = await shell.engine.db.asTenant(shell.tenant, (tx) =>
    tx.client.query<{ text: string }>('select a::text as text from tenant.activity a where id = $1', [id]),
  )
  for (const secret of ['caregiver', 'in-person', 'daughter']) {
    expect(rows[0]!.text).not.toContain(secret)
    expect(rows[0]!.text).not.toContain(Buffer.from(secret).toString('hex'))
  }
})
