/** Who is told when, on scripted time: timers are due because the clock was moved, never because a test waited. */
import type { CompleteTask } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { minute } from '../alerting/testing/scene.ts'
import { takeFacts } from './open-tasks.ts'
import { rearm } from './rearm.ts'
import { takeAllFacts } from './testing/take-all-facts.ts'
import { openToldScene, type ToldScene } from './testing/told-scene.ts'

let scene: ToldScene
beforeAll(async () => {
  scene = await openToldScene({ email: false })
})
afterAll(() => scene.stop())

const nora = () => ({ tenant: scene.tenant, staff: 'nora' })
const contacted: CompleteTask = { disposition: 'contacted-patient', note: 'Rested, called back, fine.', checked: [] }
const taskRow = async (task: string) =>
  (
    await scene.rows<{ escalation: number; due_at: string; quiet: boolean; version: number }>(
      `select * from tenant.task where id = '${task}'`,
    )
  )[0]!
const markCatchingUp = (patient: string) =>
  scene.engine.db.pool.query(
    `update engine.fact set body = body || '{"catchingUp":true}' where type like 'Alert%' and body->>'subject' = $1`,
    [patient],
  )

test('workflow > nobody acts: the owner is reminded, the backup is told at the limit, then everybody of the role', async () => {
  const task = await scene.raise(await scene.aPatient())
  expect(await scene.told(task)).toEqual(['in-app raised nora 0'])
  await scene.pass(15 * minute - 1)
  expect(await scene.told(task)).toHaveLength(1)
  await scene.pass(1)
  await scene.pass(15 * minute)
  expect((await scene.told(task)).slice(1)).toEqual(['in-app reminder nora 0', 'in-app overdue ben 1'])
  expect(await taskRow(task)).toMatchObject({ escalation: 1 })
  await scene.pass(15 * minute)
  expect((await scene.told(task)).slice(3).sort()).toEqual(['in-app overdue nina 2', 'in-app overdue nora 2'])
  await scene.pass(24 * 60 * minute)
  expect(await scene.told(task)).toHaveLength(5)
  const shown = await scene.workflow.task(scene.by, task)
  expect(shown).toMatchObject({ escalation: 2 })
  expect(
    shown.events.filter(({ what }) => what === 'escalated').map(({ to }) => to?.map(({ id }) => id).sort()),
  ).toEqual([['ben'], ['nina', 'nora']])
})

test('workflow > who acknowledges in time is not reminded, and the backup is still told when it is not done by the limit', async () => {
  const task = await scene.raise(await scene.aPatient())
  await scene.workflow.claim(nora(), task)
  await scene.pass(15 * minute)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0'])
  await scene.pass(15 * minute)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0', 'in-app overdue ben 1'])
})

test('workflow > a completed task tells nobody any more', async () => {
  const task = await scene.raise(await scene.aPatient())
  await scene.workflow.complete(nora(), task, contacted)
  await scene.pass(24 * 60 * minute)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0'])
})

test('workflow > a completion that is taken back goes on where it was, also when its limit passed meanwhile', async () => {
  const task = await scene.raise(await scene.aPatient())
  await scene.workflow.claim(nora(), task)
  await scene.pass(15 * minute)
  await scene.pass(15 * minute - 20_000)
  await scene.workflow.complete(nora(), task, contacted)
  await scene.pass(30_000)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0'])
  await scene.workflow.reopen(nora(), task)
  await scene.pass(0)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0', 'in-app overdue ben 1'])
})

test('workflow > a condition that comes back under an acknowledged task pages again, once', async () => {
  const patient = await scene.aPatient()
  const task = await scene.raise(patient)
  await scene.workflow.claim(nora(), task)
  await scene.normal(patient)
  await scene.settle()
  await scene.high(patient)
  await scene.settle()
  await scene.settle()
  expect((await scene.told(task)).filter((told) => told.includes('recurred'))).toEqual(['in-app recurred nora 0'])
})

test('workflow > a condition that flickers before anybody has looked is written down and pages nobody again, until the limit has passed in silence', async () => {
  const patient = await scene.aPatient()
  const task = await scene.raise(patient)
  const versionBefore = (await taskRow(task)).version
  for (let i = 0; i < 3; i++) {
    await scene.normal(patient)
    await scene.high(patient)
  }
  await scene.settle()
  expect(await scene.told(task)).toEqual(['in-app raised nora 0'])
  expect(await taskRow(task)).toMatchObject({ version: versionBefore + 3, escalation: 0 })
  const { events, recurrences } = await scene.workflow.task(scene.by, task)
  expect(events.map(({ what }) => what)).toEqual(['opened', 'recurred', 'recurred', 'recurred'])
  expect(recurrences).toBe(3)
  // Everybody was told and nobody came; hours later it happens once more.
  for (let i = 0; i < 4; i++) await scene.pass(15 * minute)
  await scene.pass(120 * minute)
  const told = await scene.told(task)
  await scene.normal(patient)
  await scene.high(patient)
  await scene.settle()
  expect((await scene.told(task)).slice(told.length)).toContain('in-app recurred nora 0')
})

test('workflow > timers that came due while the server was down fire once, late, and say so; the night calls not everybody at once', async () => {
  const task = await scene.raise(await scene.aPatient())
  const dueAt = Number((await taskRow(task)).due_at)
  await scene.pass(8 * 60 * minute)
  expect((await scene.told(task)).slice(1)).toEqual(['in-app overdue ben 1'])
  const { items } = await scene.workflow.taskNotifications(scene.by, task)
  expect(items[1]).toMatchObject({ why: 'overdue', wantedAt: dueAt, at: scene.clock.now(), to: { id: 'ben' } })
  await scene.pass(15 * minute - 1)
  expect(await scene.told(task)).toHaveLength(2)
  await scene.pass(1)
  expect(await scene.told(task)).toHaveLength(4)
})

test('workflow > a task whose timer is gone gets it again when a process takes over; what was told stays told once', async () => {
  const [fresh, reminded, escalated] = [await scene.aPatient(), await scene.aPatient(), await scene.aPatient()]
  const tasks = [await scene.raise(escalated)]
  await scene.pass(15 * minute)
  tasks.push(await scene.raise(reminded))
  await scene.pass(15 * minute)
  tasks.push(await scene.raise(fresh))
  const before = await Promise.all(tasks.map(scene.told))
  expect(before.map(({ length }) => length)).toEqual([3, 2, 1])
  await scene.engine.db.pool.query('delete from pgboss.job')
  await rearm(scene.engine)
  await rearm(scene.engine)
  await scene.pass(0)
  expect(await Promise.all(tasks.map(scene.told))).toEqual(before)
  await scene.pass(15 * minute)
  expect((await Promise.all(tasks.map(scene.told))).map(({ length }) => length)).toEqual([5, 3, 2])
})

test('workflow > what is found late pages nobody: in the list, and in that of the backup when its day is over', async () => {
  const patient = await scene.aPatient()
  await scene.pass(60 * minute)
  const ago = scene.clock.now() - 50 * minute
  for (const at of [ago, ago + 90_000]) await scene.measure(patient, { systolic: 192, diastolic: 124 }, { at })
  await scene.settle()
  const task = await scene.taskOf(patient)
  await scene.pass(23 * 60 * minute)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0'])
  await scene.pass(2 * 60 * minute)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0', 'in-app overdue ben 1'])
  await scene.pass(48 * 60 * minute)
  expect(await scene.told(task)).toHaveLength(2)
})

test('workflow > what was found late, lay for a day and happens now is told aloud, step by step to everybody', async () => {
  const patient = await scene.aPatient()
  await scene.pass(60 * minute)
  const ago = scene.clock.now() - 50 * minute
  for (const at of [ago, ago + 90_000]) await scene.measure(patient, { systolic: 192, diastolic: 124 }, { at })
  await scene.settle()
  const task = await scene.taskOf(patient)
  await scene.pass(25 * 60 * minute)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0', 'in-app overdue ben 1'])
  await scene.high(patient)
  await scene.settle()
  expect((await scene.told(task)).slice(2)).toEqual(['in-app recurred nora 0'])
  for (let i = 0; i < 3; i++) await scene.pass(15 * minute)
  expect((await scene.told(task)).slice(3, 5)).toEqual(['in-app reminder nora 0', 'in-app overdue ben 1'])
  expect((await scene.told(task)).slice(5).sort()).toEqual(['in-app overdue nina 2', 'in-app overdue nora 2'])
})

test('workflow > catching up: what still stands is paged when the evaluator has caught up, and the limit counts from then', async () => {
  const patient = await scene.aPatient()
  await scene.high(patient)
  await scene.evaluate()
  await markCatchingUp(patient)
  await scene.settle()
  const task = await scene.taskOf(patient)
  expect(await scene.told(task)).toEqual([])
  await scene.pass(15_000)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0'])
  expect(Number((await taskRow(task)).due_at)).toBe(scene.clock.now() + 30 * minute)
})

test('workflow > catching up: a condition that passed meanwhile pages nobody, then or later', async () => {
  const patient = await scene.aPatient()
  await scene.high(patient)
  await scene.evaluate()
  await markCatchingUp(patient)
  await scene.settle()
  const task = await scene.taskOf(patient)
  await scene.normal(patient)
  await scene.evaluate()
  await scene.pass(15_000)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0 not: passed'])
  await scene.pass(24 * 60 * minute)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0 not: passed', 'in-app overdue ben 1'])
  expect(await taskRow(task)).toMatchObject({ quiet: true, escalation: 1 })
})

test('workflow > catching up: a page waits for an evaluator that is still behind, and asks again', async () => {
  const patient = await scene.aPatient()
  await scene.high(patient)
  await scene.evaluate()
  await markCatchingUp(patient)
  // A reading that says that it passed is in the log, and nobody has evaluated it yet.
  await scene.measure(patient, { systolic: 118, diastolic: 76 })
  await takeAllFacts(scene.engine, scene.subjects, scene.ways)
  const task = await scene.taskOf(patient)
  await scene.pass(15_000)
  expect(await scene.told(task)).toEqual([])
  await scene.evaluate()
  await scene.pass(5_000)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0 not: passed'])
})

test('workflow > an owner who left is no reason to wait: the backup is told at once', async () => {
  const nobody = scene.people.splice(0, 1, { ...scene.people[0]!, endedAt: scene.clock.now() })
  const task = await scene.raise(await scene.aPatient())
  scene.people.splice(0, 1, ...nobody)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0 not: no-address', 'in-app undelivered ben 1'])
})

test('workflow > with owner, backup and role all gone any clinician is told, and administrators by a review', async () => {
  const all = scene.people.splice(0)
  const left = all.map((each) => ({ ...each, endedAt: scene.clock.now() }))
  const staff = (id: string, role: 'physician' | 'administrator') =>
    ({ ...{ id, displayName: id, email: '', endedAt: null }, roles: [role] }) as const
  scene.people.push(...left, staff('ada', 'administrator'), staff('phil', 'physician'))
  const task = await scene.raise(await scene.aPatient())
  expect((await scene.told(task)).at(-1)).toBe('in-app undelivered phil 2')
  expect(await taskRow(task)).toMatchObject({ escalation: 2 })
  const reviews = await scene.rows<{ for_role: string; about_subject: string | null }>(
    `select for_role, about_subject from tenant.review where kind = 'unanswered-task' and source_id like '${task}%'`,
  )
  expect(reviews).toEqual([{ for_role: 'administrator', about_subject: null }])
  scene.people.splice(0, scene.people.length, ...all)
})

test('workflow > a task that nobody at all can be told of is tried again until somebody works here', async () => {
  const all = scene.people.splice(0)
  scene.people.push(...all.map((each) => ({ ...each, endedAt: scene.clock.now() })))
  const task = await scene.raise(await scene.aPatient())
  const before = await scene.told(task)
  expect(before.every((line) => line.endsWith('not: no-address'))).toBe(true)
  await scene.pass(16 * minute)
  await scene.pass(16 * minute)
  expect(await scene.told(task)).toEqual(before)
  expect(
    await scene.rows(`select 1 from tenant.review where kind = 'unanswered-task' and source_id like '${task}%'`),
  ).toHaveLength(1)
  scene.people.splice(0, scene.people.length, ...all)
  await scene.pass(16 * minute)
  expect((await scene.told(task)).slice(before.length).sort()).toEqual([
    'in-app overdue nina 2',
    'in-app overdue nora 2',
  ])
})

test('workflow > facts that two workers read at once make each intent once', async () => {
  const patient = await scene.aPatient()
  await scene.high(patient)
  await scene.evaluate()
  const taking = { subjects: scene.subjects, ways: scene.ways }
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => takeFacts(scene.engine, taking)))
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'cursor-moved' })
  await scene.settle()
  expect(await scene.told(await scene.taskOf(patient))).toEqual(['in-app raised nora 0'])
})

test('workflow > a task that is handed on tells the colleague, and reminds them', async () => {
  const task = await scene.raise(await scene.aPatient())
  await scene.workflow.handOff(nora(), task, { to: 'nina', note: '' })
  await scene.settle()
  expect((await scene.told(task)).slice(1)).toEqual(['in-app handed-off nina 0'])
  await scene.pass(15 * minute)
  expect((await scene.told(task)).slice(2)).toEqual(['in-app reminder nina 0'])
})

/** Raised, and everybody was told; nothing waits any more. */
async function toldToEverybody(): Promise<string> {
  const task = await scene.raise(await scene.aPatient())
  for (let i = 0; i < 4; i++) await scene.pass(15 * minute)
  expect(await scene.told(task)).toHaveLength(5)
  return task
}

test('workflow > handed on after everybody was told, the steps begin anew for the colleague, past the limit after half of it', async () => {
  const task = await toldToEverybody()
  const { due_at: dueAt } = await taskRow(task)
  await scene.workflow.handOff(nora(), task, { to: 'nina', note: '' })
  await scene.settle()
  expect((await scene.told(task)).slice(5)).toEqual(['in-app handed-off nina 0'])
  expect(await taskRow(task)).toMatchObject({ escalation: 0, due_at: dueAt })
  await scene.pass(15 * minute - 1)
  expect(await scene.told(task)).toHaveLength(6)
  // A process that takes over plans the same.
  await scene.engine.db.pool.query('delete from pgboss.job')
  await rearm(scene.engine)
  await scene.pass(1)
  expect((await scene.told(task)).slice(6)).toEqual(['in-app overdue ben 1'])
  await scene.pass(15 * minute)
  expect((await scene.told(task)).slice(7).sort()).toEqual(['in-app overdue nina 2', 'in-app overdue nora 2'])
})

test('workflow > a task that is given back is told to its owner again, and goes on to the backup and everybody when nobody takes it', async () => {
  const task = await toldToEverybody()
  const nina = { tenant: scene.tenant, staff: 'nina' }
  await scene.workflow.claim(nina, task)
  await scene.workflow.release(nina, task)
  await scene.pass(0)
  expect((await scene.told(task)).slice(5)).toEqual(['in-app reminder nora 0'])
  await scene.pass(15 * minute)
  expect((await scene.told(task)).slice(6)).toEqual(['in-app overdue ben 1'])
  await scene.pass(15 * minute)
  expect((await scene.told(task)).slice(7).sort()).toEqual(['in-app overdue nina 2', 'in-app overdue nora 2'])
})

test('workflow > a release puts off no step that was planned, and tells nobody when a colleague took the task meanwhile', async () => {
  const task = await scene.raise(await scene.aPatient())
  const nina = { tenant: scene.tenant, staff: 'nina' }
  await scene.workflow.claim(nina, task)
  await scene.pass(20 * minute)
  await scene.workflow.release(nina, task)
  await scene.pass(0)
  expect((await scene.told(task)).slice(1)).toEqual(['in-app reminder nora 0'])
  await scene.pass(10 * minute)
  expect((await scene.told(task)).slice(2)).toEqual(['in-app overdue ben 1'])
  const taken = await scene.raise(await scene.aPatient())
  await scene.workflow.claim(nina, taken)
  await scene.workflow.release(nina, taken)
  await scene.workflow.claim(nora(), taken)
  await scene.pass(0)
  expect(await scene.told(taken)).toEqual(['in-app raised nora 0'])
})

test('workflow > a recurrence that told nobody puts nothing off when a process takes over', async () => {
  const patient = await scene.aPatient()
  const task = await scene.raise(patient)
  for (let i = 0; i < 4; i++) {
    await scene.normal(patient)
    await scene.high(patient)
    await scene.settle()
  }
  expect(await scene.told(task)).toEqual(['in-app raised nora 0'])
  await scene.engine.db.pool.query('delete from pgboss.job')
  await rearm(scene.engine)
  // Four times three minutes are over of the fifteen after which the owner is reminded.
  await scene.pass(3 * minute)
  expect(await scene.told(task)).toEqual(['in-app raised nora 0', 'in-app reminder nora 0'])
})

test('workflow > catching up: a recurrence that was told meanwhile is not told a second time when the page is due', async () => {
  const patient = await scene.aPatient()
  await scene.high(patient)
  await scene.evaluate()
  await markCatchingUp(patient)
  await takeAllFacts(scene.engine, scene.subjects, scene.ways)
  const task = await scene.taskOf(patient)
  expect(await scene.told(task)).toEqual([])
  await scene.normal(patient)
  await scene.high(patient)
  await scene.evaluate()
  await takeAllFacts(scene.engine, scene.subjects, scene.ways)
  expect(await scene.told(task)).toEqual(['in-app recurred nora 0'])
  await scene.pass(15_000)
  expect(await scene.told(task)).toEqual(['in-app recurred nora 0'])
  await scene.pass(24 * 60 * minute)
  expect(await scene.told(task)).toEqual(['in-app recurred nora 0', 'in-app overdue ben 1'])
})

test('workflow > a condition that comes back after its rule became less or more urgent has the urgency of now, and is told', async () => {
  const patient = await scene.aPatient()
  const task = await scene.raise(patient)
  const programs = await scene.alerting.programs(scene.tenant)
  const { head, rules } = programs.find((each) => each.head.code === 'hypertension-rpm')!
  const before = rules.map(({ definition }) => definition)
  const activate = (priority: 'high' | 'medium') =>
    scene.alerting.activate(scene.by, {
      ...head,
      rules: before.map((rule) => (rule.code === 'severe-hypertension' ? { ...rule, priority } : rule)),
    })
  await activate('medium')
  await scene.normal(patient)
  await scene.high(patient)
  await scene.settle()
  const shown = await scene.workflow.task(scene.by, task)
  expect(shown).toMatchObject({ priority: 'medium' })
  expect(await scene.rows(`select priority from tenant.alert where id = '${shown.alert}'`)).toEqual([
    { priority: 'medium' },
  ])
  expect(await scene.told(task)).toEqual(['in-app raised nora 0', 'in-app recurred nora 0'])
  await activate('high')
})

test('workflow > a person sees what they were told, newest first, and marks it as seen; nobody else does', async () => {
  const before = (await scene.workflow.notifications(scene.tenant, 'nora')).unseen
  await scene.raise(await scene.aPatient())
  const { items, unseen } = await scene.workflow.notifications(scene.tenant, 'nora')
  expect(unseen).toBe(before + 1)
  expect(items[0]).toMatchObject({ why: 'raised', channel: 'in-app', title: expect.any(String), attempts: 1 })
  expect(items[0]!.nature).toBe('physiological')
  await scene.workflow.seen(scene.tenant, 'ben', [items[0]!.id])
  expect((await scene.workflow.notifications(scene.tenant, 'nora')).unseen).toBe(before + 1)
  await scene.workflow.seen(scene.tenant, 'nora', [items[0]!.id])
  expect((await scene.workflow.notifications(scene.tenant, 'nora')).unseen).toBe(before)
  const told = await scene.facts('Notified')
  expect(told.at(-1)).toEqual({ type: 'Notified', intent: items[0]!.id, task: items[0]!.task, recipient: 'nora' })
})
