/** The worklist's routes behind the real shell: who may act, what a loser of a claim is told, what is refused. */
import { fileURLToPath } from 'node:url'
import type { TaskBody, TaskTaken, Worklist } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeAlerting, readPrograms } from '../alerting/index.ts'
import { alertingRoutes } from '../alerting/routes.ts'
import { atOnce } from '../alerting/testing/at-once.ts'
import { evaluateAll } from '../alerting/testing/evaluate-all.ts'
import { everyRole } from '../alerting/testing/staff.ts'
import { type Signed, type TestShell, testShell } from '../api/testing/test-shell.ts'
import { aPatient, byTest } from '../subjects/fixtures.ts'
import { makeSubjects, type Subjects } from '../subjects/index.ts'
import { workflowRoutes } from './routes.ts'
import { takeAllFacts } from './testing/take-all-facts.ts'
import type { Ways } from './ways.ts'
import { makeWorkflow } from './workflow.ts'

let shell: TestShell
let subjects: Subjects
let ways: Ways
let nurse: Signed
let colleague: Signed
let task: string
let alert: string

beforeAll(async () => {
  shell = await testShell({
    routes(identity, engine) {
      const staff = (tenant: string) => identity.members(tenant)
      subjects = makeSubjects(engine, staff)
      ways = { staff, email: false }
      return [
        ...alertingRoutes(makeAlerting(engine, subjects, staff)),
        ...workflowRoutes(makeWorkflow(engine, subjects, staff)),
      ]
    },
  })
  nurse = await shell.signIn(['nurse'])
  colleague = await shell.signIn(['physician'])
  const { engine, tenant } = shell
  const by = byTest(tenant)
  const folder = fileURLToPath(new URL('../../../../programs', import.meta.url))
  const alerting = makeAlerting(engine, subjects, everyRole)
  for (const program of await readPrograms(folder)) await alerting.activate(by, atOnce(program))
  const patient = (await subjects.create(by, aPatient())).id
  await subjects.enrol(by, patient, { program: 'hypertension-rpm', owner: nurse.id })
  await shell.clock.advance(1)
  const now = shell.clock.now()
  const frame = { format: 'json', bytes: Buffer.from('{"systolic":190}') } as const
  const readings = [{ signal: 'systolic', value: 190, measuredAt: now, ordinal: 0 }]
  const who = { tenant, device: patient, assignment: patient, subject: patient, door: 'mqtt', receivedAt: now } as const
  await engine.log.append([{ kind: 'readings', ...who, origin: 'automatic', frame, readings }])
  await evaluateAll(engine, subjects)
  await takeAllFacts(engine, subjects, ways)
})
afterAll(() => shell.close())

const ask = (who: Signed | string, method: 'GET' | 'POST', url: string, payload?: object) =>
  shell.server.inject({
    ...{ method, url },
    headers: typeof who === 'string' ? { authorization: who } : { cookie: who.cookie, 'sec-fetch-site': 'same-origin' },
    ...(payload === undefined ? {} : { payload }),
  })

test('workflow > the worklist answers with names, numbers, owner and due time', async () => {
  const answer = await ask(nurse, 'GET', '/api/v1/worklist')
  expect(answer.statusCode).toBe(200)
  const { rows, total } = answer.json<Worklist>()
  expect(total).toBe(1)
  expect(rows[0]).toMatchObject({
    ...{ status: 'open', sentence: expect.stringContaining('BP 190/– mmHg') },
    owner: { id: nurse.id },
  })
  task = rows[0]!.task
  alert = rows[0]!.alert
})

test('workflow > a claim answers with the task, a second one with who has it', async () => {
  const stale = await ask(nurse, 'POST', `/api/v1/tasks/${task}/claim?version=7`)
  expect([stale.statusCode, stale.json().issue[0].expression]).toEqual([409, ['/query/version']])
  const won = await ask(nurse, 'POST', `/api/v1/tasks/${task}/claim`)
  expect([won.statusCode, won.json<TaskBody>().status]).toEqual([200, 'claimed'])
  const lost = await ask(colleague, 'POST', `/api/v1/tasks/${task}/claim`)
  expect(lost.statusCode).toBe(409)
  const body = lost.json<TaskTaken>()
  expect(body.claimedBy).toEqual(won.json<TaskBody>().claimedBy)
  expect(body.issue[0]!.details.coding[0]!.code).toBe('task-claimed')
})

test('workflow > the other acts answer with the task or with who has it, and are refused with a pointer', async () => {
  const act = (who: Signed, what: string, body?: object) => ask(who, 'POST', `/api/v1/tasks/${task}/${what}`, body)
  for (const [what, body] of [
    ['acknowledge'],
    ['release'],
    ['snooze', { minutes: 5 }],
    ['hand-off', { to: nurse.id }],
  ] as const) {
    const answer = await act(colleague, what, body)
    expect([what, answer.statusCode, answer.json<TaskTaken>().claimedBy?.id]).toEqual([what, 409, nurse.id])
  }
  const refusal = async (what: string, body?: object) => {
    const answer = await act(nurse, what, body)
    const [issue] = answer.json<{ issue: { details: { coding: { code: string }[] }; expression: string[] }[] }>().issue
    return [answer.statusCode, issue!.details.coding[0]!.code, issue!.expression[0]]
  }
  expect(await refusal('snooze', { minutes: 5 })).toEqual([422, 'snooze-refused', '/params/id'])
  expect(await refusal('snooze', { minutes: 4 })).toEqual([400, 'request-invalid', '/body/minutes'])
  expect(await refusal('hand-off', { to: nurse.id })).toEqual([422, 'hand-off-unfit', '/body/to'])
  expect(await refusal('reopen')).toEqual([409, 'reopen-refused', '/params/id'])
  expect(await refusal('release?version=99')).toEqual([409, 'task-moved', '/query/version'])
  const given = await act(nurse, 'hand-off', { to: colleague.id, note: 'Yours, please.' })
  expect(given.json<TaskBody>()).toMatchObject({ status: 'open', owner: { id: colleague.id } })
  const back = await act(colleague, 'hand-off', { to: nurse.id })
  expect(back.json<TaskBody>()).toMatchObject({ status: 'open', owner: { id: nurse.id } })
  expect((await act(nurse, 'acknowledge')).json<TaskBody>()).toMatchObject({
    status: 'claimed',
    handling: 'acknowledged',
  })
})

test('workflow > a service token reads and takes no responsibility', async () => {
  const token = await shell.token(['task:*'])
  expect((await ask(token, 'GET', `/api/v1/tasks/${task}`)).statusCode).toBe(200)
  const refused = await ask(token, 'POST', `/api/v1/tasks/${task}/claim`)
  expect(refused.statusCode).toBe(403)
  expect(refused.json().issue[0].details.coding[0].code).toBe('staff-needed')
})

test('workflow > a completion with a wrong disposition is refused with a pointer, a right one closes', async () => {
  const wrong = await ask(nurse, 'POST', `/api/v1/tasks/${task}/complete`, { disposition: 'stock-quarantined' })
  expect([wrong.statusCode, wrong.json().issue[0].expression]).toEqual([422, ['/body/disposition']])
  const unknown = await ask(nurse, 'POST', `/api/v1/tasks/${task}/complete`, { disposition: 'slept-on-it' })
  expect(unknown.statusCode).toBe(400)
  const bare = await ask(nurse, 'POST', `/api/v1/tasks/${task}/complete`, { disposition: 'contacted-patient' })
  expect([bare.statusCode, bare.json().issue[0].expression]).toEqual([422, ['/body/note']])
  const said = { disposition: 'contacted-patient', note: 'No symptoms.' }
  const stale = await ask(nurse, 'POST', `/api/v1/tasks/${task}/complete`, { ...said, version: 1 })
  expect([stale.statusCode, stale.json().issue[0].details.coding[0].code]).toEqual([409, 'task-moved'])
  const { version } = (await ask(nurse, 'GET', `/api/v1/tasks/${task}`)).json<TaskBody>()
  const done = await ask(nurse, 'POST', `/api/v1/tasks/${task}/complete`, { ...said, version })
  expect([done.statusCode, done.json<TaskBody>().handling]).toEqual([200, 'closed'])
  const undone = await ask(nurse, 'POST', `/api/v1/tasks/${task}/reopen?version=${version + 1}`)
  expect([undone.statusCode, undone.json<TaskBody>().handling]).toEqual([200, 'acknowledged'])
  await ask(nurse, 'POST', `/api/v1/tasks/${task}/complete`, said)
  expect((await ask(nurse, 'GET', '/api/v1/worklist')).json<Worklist>().rows).toEqual([])
})

test('alerting > explain and programs answer; a role without alerts is refused', async () => {
  const explained = await ask(nurse, 'GET', `/api/v1/alerts/${alert}/explain`)
  expect(explained.statusCode).toBe(200)
  expect(explained.json()).toMatchObject({
    readings: [{ signal: 'systolic', value: 190, unit: 'mmHg', breach: true }],
    frames: [{ state: 'kept' }],
    alert: { handling: 'closed' },
  })
  const programs = await ask(nurse, 'GET', '/api/v1/programs')
  expect(programs.json().programs.map((each: { code: string }) => each.code)).toEqual([
    'gateway',
    'hypertension-rpm',
    'vaccine-fridge',
  ])
  expect((await ask(await shell.token(['device:read']), 'GET', '/api/v1/worklist')).statusCode).toBe(403)
  expect((await ask(nurse, 'GET', '/api/v1/alerts/not-an-id/explain')).statusCode).toBe(400)
})
