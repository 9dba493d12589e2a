/** What people do with tasks besides taking and completing them; each refusal with its code and where it points. */
import type { CompleteTask } from '@careloop/contract'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { minute, openScene, type Scene } from '../alerting/testing/scene.ts'
import { handledSince } from './deliverable.ts'
import { takeAllFacts } from './testing/take-all-facts.ts'
import { makeWorkflow, type Workflow } from './workflow.ts'

let scene: Scene
let workflow: Workflow
beforeAll(async () => {
  scene = await openScene()
  workflow = makeWorkflow(scene.engine, scene.subjects, scene.staff)
})
afterAll(() => scene.test.stop())

async function settle(): Promise<void> {
  await scene.evaluate()
  await takeAllFacts(scene.engine, scene.subjects)
}

const by = (staff: string) => ({ tenant: scene.tenant, staff })
const [nora, pia] = [() => by('nora'), () => by('pia')]
const list = async () => (await workflow.worklist(scene.by)).rows
const read = (task: string) => workflow.task(scene.by, task)
const whats = async (task: string) => (await read(task)).events.map(({ what }) => what)
const contacted: CompleteTask = { disposition: 'contacted-patient', note: 'Rested, called back, fine.', checked: [1] }

/** Ends what a test before left open, so that each begins with an empty worklist and nothing raised. */
beforeEach(async () => {
  await scene.clock.advance(20 * minute)
  await scene.measure(scene.patient, { systolic: 120, diastolic: 70 })
  await scene.measure(scene.fridge, { 'temperature-probe': 5 })
  await settle()
  for (const row of await list()) {
    const end = { disposition: 'no-action-needed', note: 'end of a test', checked: [] } as const
    await workflow.complete(by(row.claimedBy?.id ?? 'nora'), row.task, { ...end, checked: [] })
  }
})

/** High priority, 30 minutes. */
async function aTask(): Promise<string> {
  await scene.measure(scene.patient, { systolic: 192, diastolic: 124 })
  await settle()
  return (await list()).find(({ subject }) => subject.id === scene.patient)!.task
}

/** Medium priority, due 30 minutes after it was raised. */
async function aFridgeTask(): Promise<string> {
  for (let i = 0; i < 4; i++) {
    await scene.measure(scene.fridge, { 'temperature-probe': 11 })
    await scene.clock.advance(5 * minute)
  }
  await scene.measure(scene.fridge, { 'temperature-probe': 11 })
  await settle()
  return (await list()).find(({ subject }) => subject.id === scene.fridge)!.task
}

async function recur(): Promise<void> {
  await scene.measure(scene.patient, { systolic: 120, diastolic: 80 })
  await scene.clock.advance(minute)
  await scene.measure(scene.patient, { systolic: 200, diastolic: 110 })
  await settle()
}

// ---------------------------------------------------------------- acknowledge, take over

test('workflow > acknowledging a free task takes it; a colleague is told who has it; the same again changes nothing', async () => {
  const task = await aTask()
  expect(await workflow.acknowledge(nora(), task)).toEqual({ done: true })
  expect(await read(task)).toMatchObject({ status: 'claimed', handling: 'acknowledged', claimedBy: { id: 'nora' } })
  expect(await workflow.acknowledge(pia(), task)).toMatchObject({ done: false, claimedBy: 'nora' })
  const { version } = await read(task)
  await workflow.acknowledge(nora(), task, version)
  expect((await read(task)).version).toBe(version)
})

test('workflow > of two who acknowledge at once one has the task, and the other is told who', async () => {
  const task = await aTask()
  const acts = await Promise.all([workflow.acknowledge(nora(), task), workflow.acknowledge(pia(), task)])
  expect(acts.filter((act) => act.done)).toHaveLength(1)
  expect(acts.find((act) => !act.done)).toMatchObject({ claimedBy: acts[0]!.done ? 'nora' : 'pia' })
  expect(await whats(task)).toEqual(['opened', 'claimed'])
})

test('workflow > after it came back whoever has it acknowledges it anew, having seen that', async () => {
  const task = await aTask()
  await workflow.claim(nora(), task)
  const { version } = await read(task)
  await recur()
  await expect(workflow.acknowledge(nora(), task, version)).rejects.toMatchObject({
    ...{ code: 'task-moved', pointer: '/query/version' },
  })
  await workflow.acknowledge(nora(), task, (await read(task)).version)
  expect(await read(task)).toMatchObject({ handling: 'acknowledged', recurrences: 1 })
  expect(await whats(task)).toEqual(['opened', 'claimed', 'recurred', 'acknowledged'])
})

test('workflow > a claimed task is taken over once it is overdue, and not before; it says from whom', async () => {
  const task = await aTask()
  await workflow.claim(nora(), task)
  expect(await workflow.claim(pia(), task, { takeOver: true })).toMatchObject({ done: false, claimedBy: 'nora' })
  await scene.clock.advance(30 * minute)
  expect(await workflow.claim(pia(), task, { takeOver: true })).toMatchObject({ done: false, claimedBy: 'nora' })
  await scene.clock.advance(1)
  expect(await workflow.claim(pia(), task)).toMatchObject({ done: false, claimedBy: 'nora' })
  expect(await workflow.claim(pia(), task, { takeOver: true })).toEqual({ done: true })
  const body = await read(task)
  expect(body).toMatchObject({ claimedBy: { id: 'pia' }, handling: 'acknowledged' })
  expect(body.events.at(-1)).toMatchObject({
    what: 'claimed',
    by: { id: 'pia' },
    from: { id: 'nora', name: 'Nora Nurse' },
  })
  const audited = await scene.rows<{ principal_id: string }>(
    `select principal_id from tenant.audit_entry where resource = 'task' and resource_id = '${task}' and action = 'update' order by id`,
  )
  expect(audited.map(({ principal_id }) => principal_id)).toEqual(['nora', 'pia'])
})

// ---------------------------------------------------------------- release

test('workflow > what is given back is free and new again: its alert waits for somebody, its due time stays', async () => {
  const task = await aTask()
  const { dueAt } = await read(task)
  await expect(workflow.release(nora(), task)).rejects.toMatchObject({
    code: 'task-not-claimed',
    pointer: '/params/id',
  })
  await workflow.claim(nora(), task)
  expect(await workflow.release(pia(), task)).toMatchObject({ done: false, claimedBy: 'nora' })
  await expect(workflow.release(nora(), task, 1)).rejects.toMatchObject({
    code: 'task-moved',
    pointer: '/query/version',
  })
  await scene.clock.advance(5 * minute)
  await workflow.release(nora(), task)
  const body = await read(task)
  expect(body).toMatchObject({ status: 'open', handling: 'new', dueAt })
  expect(body.claimedBy).toBeUndefined()
  const told = await scene.rows<{ what: string; actor: string }>(
    `select what, actor from tenant.alert_event where alert_id = '${body.alert}' order by id`,
  )
  expect(told.at(-1)).toEqual({ what: 'released', actor: 'staff:nora' })
  await workflow.claim(pia(), task)
  expect(await read(task)).toMatchObject({ claimedBy: { id: 'pia' }, handling: 'acknowledged' })
})

test('workflow > whom nobody has told yet is told after all when the task was given back, and not when it was handed on or done', async () => {
  const task = await aTask()
  const [opened] = await scene.rows<{ id: string }>(
    `select id from tenant.task_event where task_id = '${task}' and what = 'opened'`,
  )
  const handled = () => scene.engine.db.asTenant(scene.tenant, (tx) => handledSince(tx, task, opened!.id))
  expect(await handled()).toBeNull()
  await workflow.claim(nora(), task)
  expect(await handled()).toBe('acknowledged')
  await workflow.release(nora(), task)
  expect(await handled()).toBeNull()
  await workflow.complete(nora(), task, contacted)
  expect(await handled()).toBe('completed')
  await workflow.reopen(nora(), task)
  expect(await handled()).toBe('acknowledged')
  await workflow.handOff(nora(), task, { to: 'pia', note: '' })
  await workflow.claim(pia(), task)
  await workflow.release(pia(), task)
  expect(await handled()).toBe('replaced')
})

// ---------------------------------------------------------------- snooze

test('workflow > one’s own task is put off, shows so until then, and is no less due', async () => {
  const task = await aFridgeTask()
  const ben = by('ben')
  const { dueAt } = await read(task)
  await expect(workflow.snooze(ben, task, { minutes: 10 })).rejects.toMatchObject({ code: 'task-not-claimed' })
  await workflow.claim(ben, task)
  expect(await workflow.snooze(nora(), task, { minutes: 10 })).toMatchObject({ done: false, claimedBy: 'ben' })
  await workflow.snooze(ben, task, { minutes: 10 })
  const until = scene.clock.now() + 10 * minute
  expect(await list()).toMatchObject([{ task, snoozedUntil: until, dueAt, escalation: 0, backup: { id: 'nora' } }])
  await scene.clock.advance(10 * minute)
  expect((await list())[0]!.snoozedUntil).toBeUndefined()
})

test('workflow > a task of high priority is not put off, and none beyond its due time', async () => {
  const high = await aTask()
  await workflow.claim(nora(), high)
  await expect(workflow.snooze(nora(), high, { minutes: 5 })).rejects.toMatchObject({
    ...{ code: 'snooze-refused', pointer: '/params/id' },
  })
  const medium = await aFridgeTask()
  await workflow.claim(by('ben'), medium)
  await expect(workflow.snooze(by('ben'), medium, { minutes: 31 })).rejects.toMatchObject({
    ...{ code: 'snooze-too-long', pointer: '/body/minutes' },
  })
  await expect(workflow.snooze(by('ben'), medium, { minutes: 5, version: 1 })).rejects.toMatchObject({
    ...{ code: 'task-moved', pointer: '/body/version' },
  })
  await workflow.snooze(by('ben'), medium, { minutes: 5 })
  await workflow.snooze(by('ben'), medium, { minutes: 0 })
  expect((await read(medium)).snoozedUntil).toBeUndefined()
})

// ---------------------------------------------------------------- hand off

test('workflow > a task that is handed on is the colleague’s to take, untouched, with what was said, due as before', async () => {
  const task = await aTask()
  const { dueAt } = await read(task)
  await workflow.claim(nora(), task)
  await workflow.handOff(nora(), task, { to: 'pia', note: 'She asked for you, Pia.' })
  const body = await read(task)
  expect(body).toMatchObject({ owner: { id: 'pia' }, status: 'open', handling: 'new', dueAt })
  expect(body.claimedBy).toBeUndefined()
  expect(body.events.at(-1)).toMatchObject({
    ...{
      what: 'handed-off',
      by: { id: 'nora' },
      to: [{ id: 'pia', name: 'Pia Physician' }],
      note: 'She asked for you, Pia.',
    },
  })
  expect((await scene.facts('TaskHandedOff')).at(-1)).toEqual({
    ...{ type: 'TaskHandedOff', task, subject: scene.patient, to: 'pia' },
  })
  const [row] = await scene.rows<{ text: string }>(
    `select string_agg(e::text, '') as text from tenant.task_event e where task_id = '${task}'`,
  )
  expect(row!.text).not.toContain(Buffer.from('asked').toString('hex'))
  await workflow.claim(pia(), task)
  expect(await read(task)).toMatchObject({ claimedBy: { id: 'pia' } })
})

test.each([
  ['oneself', 'nora'],
  ['nobody', 'no-such-person'],
  ['who has left', 'lea'],
  ['whose roles know of no patients', 'ben'],
])('workflow > a task is not handed to %s', async (_, to) => {
  const task = await aTask()
  await expect(workflow.handOff(nora(), task, { to, note: '' })).rejects.toMatchObject({
    ...{ code: 'hand-off-unfit', pointer: '/body/to' },
  })
  expect(await whats(task)).toEqual(['opened'])
})

test('workflow > only whoever has a task hands it on, having seen what it is', async () => {
  const task = await aTask()
  await workflow.claim(nora(), task)
  expect(await workflow.handOff(pia(), task, { to: 'nora', note: '' })).toMatchObject({
    done: false,
    claimedBy: 'nora',
  })
  await expect(workflow.handOff(nora(), task, { to: 'pia', note: '', version: 1 })).rejects.toMatchObject({
    ...{ code: 'task-moved', pointer: '/body/version' },
  })
})

// ---------------------------------------------------------------- complete, reopen

test('workflow > what re-arms an alert is chosen while its condition stands; the task says what worse would mean', async () => {
  const task = await aTask()
  expect((await read(task)).worseMeans).toMatch(/mmHg beyond the worst so far$/)
  const at = scene.clock.now() - 1
  await expect(workflow.complete(nora(), task, { ...contacted, rearm: { until: 'time', at } })).rejects.toMatchObject({
    ...{ code: 'rearm-invalid', pointer: '/body/rearm/at' },
  })
  await workflow.complete(nora(), task, { ...contacted, rearm: { until: 'worse' } })
  const [event] = await scene.rows<{ rearm: string }>(
    `select rearm from tenant.alert_event where alert_id = '${(await read(task)).alert}' and what = 'closed'`,
  )
  expect(event).toEqual({ rearm: 'worse' })
})

test('workflow > a completion is taken back within a minute: the task is theirs again, the alert open, what was said is kept', async () => {
  const task = await aTask()
  await workflow.complete(nora(), task, contacted)
  const done = await read(task)
  expect(done).toMatchObject({ status: 'completed', handling: 'closed', reopenUntil: scene.clock.now() + minute })
  await scene.clock.advance(minute - 1)
  await workflow.reopen(nora(), task, done.version)
  const body = await read(task)
  expect(body).toMatchObject({ status: 'claimed', handling: 'acknowledged', claimedBy: { id: 'nora' } })
  for (const gone of ['completedAt', 'completedBy', 'disposition', 'note', 'reopenUntil'])
    expect(body).not.toHaveProperty(gone)
  expect(await whats(task)).toEqual(['opened', 'completed', 'reopened'])
  const [kept] = await scene.rows<{ detail: Buffer | null }>(
    `select detail from tenant.task_event where task_id = '${task}' and what = 'reopened'`,
  )
  expect(kept!.detail!.length).toBeGreaterThan(100)
  expect((await list()).map((row) => row.task)).toEqual([task])
  await workflow.complete(nora(), task, { ...contacted, note: 'Said rightly now.' })
  expect(await read(task)).toMatchObject({ status: 'completed', note: 'Said rightly now.' })
})

test('workflow > a completion is not taken back by others, later, or when there is none', async () => {
  const task = await aTask()
  const refused = { code: 'reopen-refused', pointer: '/params/id' }
  await expect(workflow.reopen(nora(), task)).rejects.toMatchObject(refused)
  await workflow.complete(nora(), task, contacted)
  await expect(workflow.reopen(pia(), task)).rejects.toMatchObject(refused)
  await expect(workflow.reopen(nora(), task, 1)).rejects.toMatchObject({
    code: 'task-moved',
    pointer: '/query/version',
  })
  await scene.clock.advance(minute)
  expect((await read(task)).reopenUntil).toBeUndefined()
  await expect(workflow.reopen(nora(), task)).rejects.toMatchObject(refused)
})

test('workflow > what escalates goes on as it was planned after a completion was taken back', async () => {
  const task = await aTask()
  const timer = async () =>
    (
      await scene.engine.db.pool.query<{ at: string }>(
        `select extract(epoch from start_after) * 1000 as at from pgboss.job where name = 'escalate' and data::text like $1`,
        [`%${task}%`],
      )
    ).rows.map(({ at }) => Number(at))
  const before = await timer()
  expect(before).toHaveLength(1)
  await scene.clock.advance(minute)
  await workflow.complete(nora(), task, contacted)
  await scene.engine.db.asEngine((tx) => scene.engine.timers.cancel(tx, 'escalate', task))
  expect(await timer()).toEqual([])
  await workflow.reopen(nora(), task)
  expect(await timer()).toEqual(before)
})

test('workflow > to another organisation no task is there, whatever is asked', async () => {
  const task = await aTask()
  const stranger = { tenant: await scene.test.tenant(), staff: 'nora' }
  const notThere = { code: 'task-not-found', pointer: '/params/id' }
  for (const act of [
    () => workflow.acknowledge(stranger, task),
    () => workflow.release(stranger, task),
    () => workflow.snooze(stranger, task, { minutes: 5 }),
    () => workflow.handOff(stranger, task, { to: 'pia', note: '' }),
    () => workflow.reopen(stranger, task),
  ])
    await expect(act()).rejects.toMatchObject(notThere)
})

test('workflow > a task whose condition came back unseen is not completed by who knew nothing of it', async () => {
  const high = { systolic: 192, diastolic: 124 }
  await scene.measure(scene.patient, high)
  await settle()
  const { task } = (await list())[0]!
  await workflow.claim(nora(), task)
  await scene.clock.advance(minute)
  await scene.measure(scene.patient, { systolic: 118, diastolic: 76 })
  await settle()
  await scene.clock.advance(minute)
  await scene.measure(scene.patient, high)
  // The alert stands again; no task has heard of it yet.
  await scene.evaluate()
  await expect(workflow.complete(nora(), task, contacted)).rejects.toMatchObject({ code: 'task-moved' })
  await takeAllFacts(scene.engine, scene.subjects)
  expect((await list())[0]).toMatchObject({ task, handling: 'new', recurrences: 1 })
  await workflow.complete(nora(), task, contacted)
  expect(await whats(task)).toEqual(['opened', 'claimed', 'recurred', 'completed'])
})
