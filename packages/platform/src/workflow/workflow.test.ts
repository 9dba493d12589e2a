import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { minute, openScene, type Scene } from '../alerting/testing/scene.ts'
import { openForgotten } from './forgotten-alerts.ts'
import { takeFacts } from './open-tasks.ts'
import { inPages, takeAllFacts } from './testing/take-all-facts.ts'
import { makeWorkflow, type Workflow } from './workflow.ts'
import { watchTasks } from './workflow-metrics.ts'

let scene: Scene
let workflow: Workflow
beforeAll(async () => {
  scene = await openScene()
  workflow = makeWorkflow(scene.engine, scene.subjects, scene.staff)
})
afterAll(() => scene.test.stop())

/** Evaluates the log and opens tasks for what it tells. */
async function settle(): Promise<void> {
  await scene.evaluate()
  await takeAllFacts(scene.engine, scene.subjects)
}

const nora = () => ({ tenant: scene.tenant, staff: 'nora' })
const ben = () => ({ tenant: scene.tenant, staff: 'ben' })
const list = async () => (await workflow.worklist(scene.by)).rows
const note = 'Called her: no symptoms, repeat 150/90.'

/** Ends what a test before left open, so that each begins with an empty worklist and nothing raised. */
beforeEach(async () => {
  await scene.clock.advance(20 * minute)
  await scene.measure(scene.patient, { systolic: 120, diastolic: 70 })
  await scene.measure(scene.fridge, { 'temperature-probe': 5 })
  await settle()
  for (const row of await list()) {
    const staff = row.claimedBy?.id ?? 'nora'
    await workflow.complete({ tenant: scene.tenant, staff }, row.task, {
      ...{ disposition: 'no-action-needed', note: 'end of a test', checked: [] },
    })
  }
})

async function aTask(): Promise<string> {
  await scene.measure(scene.patient, { systolic: 192, diastolic: 124 })
  await settle()
  const [row] = await list()
  return row!.task
}

test('workflow > an alert becomes one task of the named owner, due by the limit of its rule', async () => {
  await aTask()
  const [row, ...more] = await list()
  expect(more).toEqual([])
  expect(row).toMatchObject({
    ...{
      status: 'open',
      priority: 'high',
      condition: 'active',
      historic: false,
      title: 'Blood pressure severely high',
    },
    owner: { id: 'nora', name: 'Nora Nurse' },
    subject: { name: 'Zwölfaxinger, Kunigunde', kind: 'patient' },
    value: { text: '192/124', unit: 'mmHg' },
    dueAt: scene.clock.now() + 30 * minute,
    program: { code: 'hypertension-rpm' },
  })
  await settle()
  expect(await list()).toHaveLength(1)
})

test('workflow > of two who claim at once one wins, and the other is told who', async () => {
  const task = await aTask()
  const acts = await Promise.all([workflow.claim(nora(), task), workflow.claim(ben(), task)])
  const winner = acts[0]!.done ? 'nora' : 'ben'
  expect(acts.filter((act) => act.done)).toHaveLength(1)
  expect(acts.find((act) => !act.done)).toEqual({ done: false, claimedBy: winner, claimedAt: scene.clock.now() })
  const body = await workflow.task(scene.by, task)
  expect(body).toMatchObject({ status: 'claimed', handling: 'acknowledged', claimedBy: { id: winner } })
  expect(body.events.map(({ what }) => what)).toEqual(['opened', 'claimed'])
  const other = winner === 'nora' ? ben() : nora()
  expect(await workflow.complete(other, task, { disposition: 'contacted-patient', note, checked: [] })).toMatchObject({
    done: false,
    claimedBy: winner,
  })
})

test('workflow > completing with a disposition closes the alert and tells the evaluator in order', async () => {
  const task = await aTask()
  await workflow.claim(nora(), task)
  await workflow.complete(nora(), task, { disposition: 'contacted-patient', note, checked: [0, 2] })
  expect(await list()).toEqual([])
  const body = await workflow.task(scene.by, task)
  expect(body).toMatchObject({
    ...{ status: 'completed', handling: 'closed', disposition: 'contacted-patient', note },
    completedBy: { id: 'nora', name: 'Nora Nurse' },
  })
  const [commit] = (await scene.engine.log.read(0, (await scene.engine.log.head(0)) - 1, 10)).slice(-1)
  expect(commit!.entries).toMatchObject([
    { kind: 'alert-handled', alert: body.alert, subject: scene.patient, handling: 'closed' },
  ])
  const audited = await scene.rows<{ principal_id: string; action: string }>(
    `select principal_id, action from tenant.audit_entry where resource = 'task' and resource_id = '${task}' and action = 'update'`,
  )
  expect(audited).toEqual([
    { principal_id: 'nora', action: 'update' },
    { principal_id: 'nora', action: 'update' },
  ])
  await expect(workflow.claim(ben(), task)).rejects.toMatchObject({ code: 'task-completed' })
})

test('workflow > closed while it stands, the same condition raises nothing until it has cleared once', async () => {
  const task = await aTask()
  await workflow.complete(nora(), task, { disposition: 'contacted-patient', note, checked: [] })
  await scene.clock.advance(minute)
  await scene.measure(scene.patient, { systolic: 195, diastolic: 110 })
  await settle()
  expect(await list()).toEqual([])
  await scene.measure(scene.patient, { systolic: 120, diastolic: 80 })
  await scene.clock.advance(minute)
  await scene.measure(scene.patient, { systolic: 185, diastolic: 100 })
  await settle()
  expect((await list()).map(({ sentence }) => sentence)).toEqual([expect.stringMatching(/^BP 185\/100 mmHg/)])
})

test('workflow > a condition that recurs stays one task and says so', async () => {
  const task = await aTask()
  await workflow.claim(nora(), task)
  await scene.clock.advance(minute)
  await scene.measure(scene.patient, { systolic: 120, diastolic: 80 })
  await scene.clock.advance(minute)
  await scene.measure(scene.patient, { systolic: 200, diastolic: 110 })
  await settle()
  const [row, ...more] = await list()
  expect([more, row!.task]).toEqual([[], task])
  expect(row).toMatchObject({ handling: 'new', recurrences: 1, claimedBy: { id: 'nora' } })
  const body = await workflow.task(scene.by, task)
  expect(body).toMatchObject({ handling: 'new', status: 'claimed', recurrences: 1 })
  expect(body.events.map(({ what }) => what)).toEqual(['opened', 'claimed', 'recurred'])
  // Whoever keeps the task says that they have seen it come back.
  await workflow.acknowledge(nora(), task, body.version)
  expect(await list()).toMatchObject([{ handling: 'acknowledged', claimedBy: { id: 'nora' } }])
})

test('workflow > what was seen before the condition came back does not close it', async () => {
  const task = await aTask()
  await workflow.claim(nora(), task)
  const seen = (await workflow.task(scene.by, task)).version
  await scene.measure(scene.patient, { systolic: 120, diastolic: 80 })
  await scene.clock.advance(minute)
  await scene.measure(scene.patient, { systolic: 200, diastolic: 110 })
  await settle()
  const wanted = { disposition: 'contacted-patient' as const, note, checked: [] }
  await expect(workflow.complete(nora(), task, { ...wanted, version: seen })).rejects.toMatchObject({
    code: 'task-moved',
    pointer: '/body/version',
  })
  expect(await list()).toMatchObject([{ task, handling: 'new' }])
  await workflow.complete(nora(), task, { ...wanted, version: seen + 1 })
  expect(await list()).toEqual([])
})

test('workflow > closing while the condition stands takes a reason, afterwards it does not', async () => {
  const task = await aTask()
  const wanted = { disposition: 'contacted-patient' as const, note: ' ', checked: [] }
  const needsNote = async () =>
    (await workflow.task(scene.by, task)).dispositions.find(({ code }) => code === wanted.disposition)!.needsNote
  expect(await needsNote()).toBe(true)
  await expect(workflow.complete(nora(), task, wanted)).rejects.toMatchObject({
    code: 'note-needed',
    pointer: '/body/note',
  })
  expect((await workflow.task(scene.by, task)).handling).toBe('new')
  await scene.clock.advance(minute)
  await scene.measure(scene.patient, { systolic: 120, diastolic: 80 })
  await settle()
  expect(await needsNote()).toBe(false)
  expect(await workflow.complete(nora(), task, wanted)).toEqual({ done: true })
})

test('workflow > the metrics count open and overdue tasks and what rules told, without ids', async () => {
  watchTasks(scene.engine)
  const { metrics } = scene.engine.watch
  const before = await metrics.metrics()
  expect(before).toContain('careloop_workflow_tasks_open{priority="high"} 0')
  const task = await aTask()
  expect(await metrics.metrics()).toContain('careloop_workflow_tasks_overdue{priority="high"} 0')
  await scene.clock.advance(31 * minute)
  const after = await metrics.metrics()
  expect(after).toContain('careloop_workflow_tasks_open{priority="high"} 1')
  expect(after).toContain('careloop_workflow_tasks_overdue{priority="high"} 1')
  expect(after).toMatch(
    /careloop_alerting_transitions_total\{program="hypertension-rpm",rule="severe-hypertension",outcome="raised"\} [1-9]/,
  )
  for (const id of [task, scene.patient, scene.tenant]) expect(after).not.toContain(id)
})

test('workflow > what is found late opens one review task, due in a day, and becomes urgent when it happens now', async () => {
  const probe = scene.engine.ids.uuid()
  const from = scene.clock.now()
  await scene.clock.advance(180 * minute)
  for (const after of [0, 30, 60, 90, 120]) {
    const value = after === 120 ? 5 : 9.5
    await scene.measure(scene.fridge, { 'temperature-probe': value }, { at: from + after * minute, device: probe })
  }
  await settle()
  const [row, ...more] = await list()
  expect(more).toEqual([])
  expect(row).toMatchObject({ historic: true, condition: 'cleared', dueAt: scene.clock.now() + 24 * 60 * minute })
  await scene.measure(scene.fridge, { 'temperature-probe': 9 }, { device: probe })
  await scene.clock.advance(16 * minute)
  await scene.measure(scene.fridge, { 'temperature-probe': 9 }, { device: probe })
  await settle()
  expect(await list()).toMatchObject([
    { task: row!.task, historic: false, condition: 'active', dueAt: scene.clock.now() + 30 * minute },
  ])
})

test('workflow > a disposition must fit the subject, and saying that nothing was needed takes a reason', async () => {
  const task = await aTask()
  const complete = (disposition: 'stock-quarantined' | 'no-action-needed') =>
    workflow.complete(nora(), task, { disposition, note: ' ', checked: [] })
  await expect(complete('stock-quarantined')).rejects.toMatchObject({
    code: 'disposition-unfit',
    pointer: '/body/disposition',
  })
  await expect(complete('no-action-needed')).rejects.toMatchObject({ code: 'note-needed', pointer: '/body/note' })
  const offered = (await workflow.task(scene.by, task)).dispositions.map(({ code }) => code)
  expect(offered).toContain('contacted-patient')
  expect(offered).not.toContain('stock-quarantined')
})

test('workflow > killed between reading facts and committing, each alert still has exactly one task', async () => {
  await scene.measure(scene.patient, { systolic: 192, diastolic: 124 })
  await scene.evaluate()
  // Two processes that both believe to hold the lease read the same facts.
  const outcomes = await Promise.allSettled(
    [1, 2].map(() => takeFacts(scene.engine, { subjects: scene.subjects, ways: inPages })),
  )
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'cursor-moved' })
  await settle()
  expect(await list()).toHaveLength(1)
})

test('workflow > another organisation sees no task and can act on none', async () => {
  const task = await aTask()
  const tenant = await scene.test.tenant()
  expect(await workflow.worklist({ ...scene.by, tenant })).toMatchObject({ rows: [], total: 0 })
  const stranger = { tenant, staff: 'nora' }
  await expect(workflow.task({ ...scene.by, tenant }, task)).rejects.toMatchObject({ code: 'task-not-found' })
  await expect(workflow.claim(stranger, task)).rejects.toMatchObject({ code: 'task-not-found' })
  const wanted = { disposition: 'contacted-patient', note, checked: [] } as const
  await expect(workflow.complete(stranger, task, { ...wanted, checked: [] })).rejects.toMatchObject({
    code: 'task-not-found',
  })
})

test('workflow > neither note nor disposition stands in plaintext', async () => {
  const task = await aTask()
  await workflow.complete(nora(), task, { disposition: 'contacted-patient', note, checked: [] })
  const [row] = await scene.rows<{ text: string }>(
    `select t::text || string_agg(e::text, '') as text from tenant.task t
       join tenant.task_event e on e.task_id = t.id where t.id = '${task}' group by t`,
  )
  expect(row!.text).toContain(task)
  for (const secret of ['contacted', 'symptoms']) {
    expect(row!.text).not.toContain(secret)
    expect(row!.text).not.toContain(Buffer.from(secret).toString('hex'))
  }
})

test('workflow > an alert of which no task can be made is set aside, counted, and does not hold up the next one', async () => {
  await scene.measure(scene.patient, { systolic: 192, diastolic: 124 })
  await scene.clock.advance(10 * minute)
  await scene.measure(scene.fridge, { 'temperature-probe': 14 })
  await scene.clock.advance(40 * minute)
  await scene.measure(scene.fridge, { 'temperature-probe': 14 })
  await scene.evaluate()
  const without = {
    enrolmentsOf: async (tenant: string, subject: string) =>
      subject === scene.patient ? [] : scene.subjects.enrolmentsOf(tenant, subject),
  }
  await takeAllFacts(scene.engine, without)
  expect((await list()).map(({ subject }) => subject.id)).toEqual([scene.fridge])
  const metric = scene.engine.watch.metrics.getSingleMetric('careloop_workflow_facts_set_aside_total')
  expect((await metric!.get()).values).toMatchObject([{ value: 1, labels: { type: 'AlertRaised' } }])
  // Set aside is not forgotten: a minute's look finds the alert by itself.
  const looking = { subjects: scene.subjects, ways: inPages }
  expect(await openForgotten(scene.engine, looking)).toBe(0)
  await scene.clock.advance(6 * minute)
  expect(await openForgotten(scene.engine, looking)).toBe(1)
  expect(await openForgotten(scene.engine, looking)).toBe(0)
  const late = (await list()).find(({ subject }) => subject.id === scene.patient)
  expect(late).toMatchObject({ owner: { id: 'nora' }, dueAt: scene.clock.now() + 30 * minute })
  expect((await workflow.notifications(scene.tenant, 'nora')).items[0]).toMatchObject({
    task: late!.task,
    why: 'raised',
  })
})

test('workflow > an alert of which nobody knows who answers for it becomes a task of somebody whose role owns the rule', async () => {
  const without = { enrolmentsOf: async () => [] }
  await scene.measure(scene.patient, { systolic: 192, diastolic: 124 })
  await scene.evaluate()
  await takeAllFacts(scene.engine, without)
  expect(await list()).toEqual([])
  await scene.clock.advance(6 * minute)
  expect(await openForgotten(scene.engine, { subjects: without, ways: inPages })).toBe(1)
  expect(await list()).toMatchObject([{ subject: { id: scene.patient }, owner: { id: 'nora' }, priority: 'high' }])
})

test('workflow > an alert whose fact still waits is not taken for forgotten', async () => {
  await scene.measure(scene.patient, { systolic: 192, diastolic: 124 })
  await scene.evaluate()
  await scene.clock.advance(6 * minute)
  const looking = { subjects: scene.subjects, ways: inPages }
  expect(await openForgotten(scene.engine, looking)).toBe(0)
  await settle()
  expect(await list()).toHaveLength(1)
  expect(await openForgotten(scene.engine, looking)).toBe(0)
})

test('workflow > trouble of the database sets nothing aside', async () => {
  await scene.measure(scene.patient, { systolic: 192, diastolic: 124 })
  await scene.evaluate()
  const away = {
    enrolmentsOf: () => Promise.reject(Object.assign(new Error('the server is shutting down'), { code: '57P01' })),
  }
  await expect(takeAllFacts(scene.engine, away)).rejects.toThrow('shutting down')
  await takeAllFacts(scene.engine, scene.subjects)
  expect((await list()).map(({ subject }) => subject.id)).toEqual([scene.patient])
})
