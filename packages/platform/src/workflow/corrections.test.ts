/** Corrected assignments as timelines: an alert raised on the wrong person, and what becomes of it. */
import type { AlertEventBody, AssignmentSpan } from '@careloop/contract'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { minute, openScene, type Scene } from '../alerting/testing/scene.ts'
import { aDevice, testFleet } from '../fleet/fixtures.ts'
import { aFridge, aPatient } from '../subjects/fixtures.ts'
import { takeAllFacts } from './testing/take-all-facts.ts'
import { makeWorkflow, type Workflow } from './workflow.ts'

let scene: Scene
let workflow: Workflow
beforeAll(async () => {
  scene = await openScene()
  workflow = makeWorkflow(scene.engine, scene.subjects, scene.staff)
})
afterAll(() => scene.test.stop())

async function aWatched(program: 'hypertension-rpm' | 'vaccine-fridge' = 'hypertension-rpm'): Promise<string> {
  const wanted = program === 'vaccine-fridge' ? aFridge(`Fridge ${scene.engine.ids.uuid()}`) : aPatient()
  const { id } = await scene.subjects.create(scene.by, wanted)
  await scene.subjects.enrol(scene.by, id, { program, owner: 'nora' })
  await scene.clock.advance(1)
  return id
}

const span = (subject: string, from: number, to: number | null = null): AssignmentSpan => ({
  ...{ id: scene.engine.ids.uuid(), subject, from, to },
})

/** The history is corrected: fleet appends the same entry with its own tables. */
async function correct(device: string, since: number, assignments: readonly AssignmentSpan[]): Promise<number> {
  const entry = { kind: 'assignment-changed', tenant: scene.tenant, device, assignments, since } as const
  return (await scene.engine.log.append([entry])).position
}

async function settle(): Promise<void> {
  await scene.evaluate()
  await takeAllFacts(scene.engine, scene.subjects)
}

interface Row {
  id: string
  condition: string
  handling: string
  historic: boolean
  moved_devices: string[]
  raised_at: string
}
const alertsOf = (subject: string) =>
  scene.rows<Row>(`select * from tenant.alert where subject_id = '${subject}' order by recorded_at, id`)
const eventsOf = async (alert: string): Promise<AlertEventBody['what'][]> =>
  (await scene.alerting.explain(scene.by, alert)).events.map(({ what }) => what)
const tasksOf = async (subject: string) =>
  (await workflow.worklist(scene.by)).rows.filter((row) => row.subject.id === subject)
const nora = () => ({ tenant: scene.tenant, staff: 'nora' })

async function raisedOnTheWrongOne() {
  const [anna, berta, cuff] = [await aWatched(), await aWatched(), scene.engine.ids.uuid()]
  const since = scene.clock.now()
  await scene.measure(anna, { systolic: 192, diastolic: 124 }, { device: cuff })
  await settle()
  return { anna, berta, cuff, since }
}

test('alerting > an alert on the wrong person is marked and stays open, the right one gets it as found late, both owners learn of it', async () => {
  const { anna, berta, cuff, since } = await raisedOnTheWrongOne()
  await scene.clock.advance(20 * minute)
  const position = await correct(cuff, since, [span(berta, since)])
  await settle()

  const [wrong, ...more] = await alertsOf(anna)
  expect(more).toEqual([])
  expect(wrong).toMatchObject({ condition: 'cleared', handling: 'new', moved_devices: [cuff] })
  const explained = await scene.alerting.explain(scene.by, wrong!.id)
  expect(explained.alert).toMatchObject({ wrongSubject: true, handling: 'new' })
  expect(explained.alert.sentence).toBe(
    'Wrong person: a correction moved the readings of this alert to another person. Undo what was done because of it. It said: BP 192/124 mmHg, at or above 180/120 since 10:00',
  )
  expect(JSON.stringify(explained)).not.toContain(berta)
  expect(await eventsOf(wrong!.id)).toEqual(['raised', 'wrong-subject', 'cleared'])
  const [task] = await tasksOf(anna)
  expect(task).toMatchObject({
    wrongSubject: true,
    condition: 'cleared',
    sentence: explained.alert.sentence,
    version: 2,
  })
  expect((await workflow.task(scene.by, task!.task)).events.map(({ what }) => what)).toEqual([
    'opened',
    'evidence-changed',
  ])

  const [right, ...others] = await alertsOf(berta)
  expect(others).toEqual([])
  expect(right).toMatchObject({ historic: true, condition: 'cleared', raised_at: String(since), moved_devices: [] })
  expect(await tasksOf(berta)).toMatchObject([
    {
      historic: true,
      sentence: 'Found by correcting who wore the device: BP 192/124 mmHg, at or above 180/120 since 10:00',
      dueAt: scene.clock.now() + 24 * 60 * minute,
    },
  ])
  const frames = (await scene.alerting.explain(scene.by, right!.id)).frames
  expect(frames).toMatchObject([{ state: 'kept', device: cuff }])
  expect((await scene.facts('AlertEvidenceChanged')).filter((fact) => fact.alert === wrong!.id)).toEqual([
    { type: 'AlertEvidenceChanged', alert: wrong!.id, subject: anna, wrongSubject: true },
  ])
  const audited = await scene.rows<object>(
    `select action from tenant.audit_entry where resource = 'alert' and resource_id = '${wrong!.id}' and action = 'correct'`,
  )
  expect(audited).toHaveLength(1)
  expect(position).toBeGreaterThan(0)
})

test('alerting > what happens now on the right person, after the correction, is urgent', async () => {
  const { berta, cuff, since } = await raisedOnTheWrongOne()
  await scene.clock.advance(minute)
  await correct(cuff, since, [span(berta, since)])
  await settle()
  expect(await tasksOf(berta)).toMatchObject([{ historic: true }])
  await scene.clock.advance(minute)
  await scene.measure(berta, { systolic: 190, diastolic: 120 }, { device: cuff })
  await settle()
  expect(await tasksOf(berta)).toMatchObject([
    { historic: false, condition: 'active', dueAt: scene.clock.now() + 30 * minute, recurrences: 1 },
  ])
})

test('alerting > a closed alert on the wrong person is marked, and its owner gets a task to review what was done', async () => {
  const { anna, berta, cuff, since } = await raisedOnTheWrongOne()
  const [task] = await tasksOf(anna)
  const note = 'Dose doubled by phone.'
  await workflow.complete(nora(), task!.task, { disposition: 'treatment-changed', note, checked: [] })
  await settle()
  await scene.clock.advance(30 * minute)
  await correct(cuff, since, [span(berta, since)])
  await settle()
  const [wrong] = await alertsOf(anna)
  expect(wrong).toMatchObject({ handling: 'closed', moved_devices: [cuff] })
  const [review, ...more] = await tasksOf(anna)
  expect(more).toEqual([])
  expect(review).toMatchObject({ alert: wrong!.id, wrongSubject: true, status: 'open' })
  expect((await workflow.task(scene.by, task!.task)).events.at(-1)!.what).toBe('evidence-changed')
  await workflow.complete(nora(), review!.task, { disposition: 'contacted-patient', note: '', checked: [] })
  expect(await tasksOf(anna)).toEqual([])
})

test('alerting > a hold that readings of another began does not raise', async () => {
  const [cold, other] = [await aWatched('vaccine-fridge'), await aWatched('vaccine-fridge')]
  const since = scene.clock.now()
  const fleet = testFleet(scene.engine)
  const probe = (await fleet.enrolDevice(scene.by, aDevice({ name: 'probe-of-another' }))).id
  const assignment = (await fleet.assign(scene.by, probe, cold, null)).id
  await scene.measure(cold, { 'temperature-probe': 9.1 }, { device: probe })
  await scene.evaluate()
  await scene.clock.advance(10 * minute)
  const edits = [{ edit: 'change', assignment, subject: other }] as const
  await fleet.correctAssignment(scene.by, probe, { reason: 'It lay in the other one.', edits })
  await scene.evaluate()
  await scene.clock.advance(10 * minute)
  await scene.engine.log.append([{ kind: 'tick', at: scene.clock.now() }])
  await settle()
  expect(await alertsOf(cold)).toEqual([])
  // It is the other refrigerator that has been warm for 15 minutes, and its hold ends now, not in the past.
  expect(await alertsOf(other)).toMatchObject([
    { historic: false, condition: 'active', raised_at: String(since + 15 * minute) },
  ])
})

test('alerting > two high measurements of her own and one of another are not three in a row; her next one is', async () => {
  const [anna, berta] = [await aWatched(), await aWatched()]
  const [own, cuff] = [scene.engine.ids.uuid(), scene.engine.ids.uuid()]
  const elevated = { systolic: 140, diastolic: 80 }
  for (const device of [own, cuff]) {
    await scene.clock.advance(10 * minute)
    await scene.measure(anna, elevated, { device })
  }
  const since = scene.clock.now()
  await scene.evaluate()
  await scene.clock.advance(minute)
  await correct(cuff, since, [span(berta, since)])
  await scene.clock.advance(10 * minute)
  await scene.measure(anna, elevated, { device: own })
  await scene.evaluate()
  expect(await alertsOf(anna)).toEqual([])
  await scene.clock.advance(10 * minute)
  await scene.measure(anna, elevated, { device: own })
  await scene.evaluate()
  expect(await alertsOf(anna)).toMatchObject([{ condition: 'active', moved_devices: [] }])
})

test('alerting > a normal value of another had hidden that her own three in a row were high', async () => {
  const [anna, berta] = [await aWatched(), await aWatched()]
  const [own, cuff] = [scene.engine.ids.uuid(), scene.engine.ids.uuid()]
  const high = { systolic: 140, diastolic: 80 }
  await scene.measure(anna, high, { device: own })
  await scene.clock.advance(minute)
  await scene.measure(anna, high, { device: own })
  await scene.clock.advance(minute)
  const since = scene.clock.now()
  await scene.measure(anna, { systolic: 115, diastolic: 70 }, { device: cuff })
  await scene.clock.advance(minute)
  await scene.measure(anna, high, { device: own })
  await scene.evaluate()
  expect(await alertsOf(anna)).toEqual([])
  await correct(cuff, since, [span(berta, since)])
  await scene.evaluate()
  expect(await alertsOf(anna)).toMatchObject([{ condition: 'active', historic: false, moved_devices: [] }])
})

test('alerting > moved to nobody and back again: marked, then not', async () => {
  const { anna, cuff, since } = await raisedOnTheWrongOne()
  await scene.clock.advance(minute)
  await correct(cuff, since, [])
  await settle()
  expect(await alertsOf(anna)).toMatchObject([{ moved_devices: [cuff] }])
  await scene.clock.advance(minute)
  await correct(cuff, since, [span(anna, since)])
  await settle()
  const [alert, ...more] = await alertsOf(anna)
  expect([more, alert!.moved_devices]).toEqual([[], []])
  expect(await eventsOf(alert!.id)).toEqual(['raised', 'wrong-subject', 'cleared', 'right-subject', 'found-late'])
})

test('alerting > an everyday assignment moves nothing and touches no alert', async () => {
  const { anna, berta, cuff } = await raisedOnTheWrongOne()
  await scene.clock.advance(minute)
  const now = scene.clock.now()
  await correct(cuff, now, [span(anna, now - minute, now), span(berta, now)])
  await settle()
  expect(await alertsOf(anna)).toMatchObject([{ condition: 'active', moved_devices: [] }])
  expect(await alertsOf(berta)).toEqual([])
})

test('alerting > a recurrence from her own readings makes a marked alert her own again', async () => {
  const { anna, berta, cuff, since } = await raisedOnTheWrongOne()
  await scene.clock.advance(minute)
  await correct(cuff, since, [span(berta, since)])
  await scene.clock.advance(minute)
  await scene.measure(anna, { systolic: 181, diastolic: 90 }, { device: scene.engine.ids.uuid() })
  await settle()
  expect(await alertsOf(anna)).toMatchObject([{ condition: 'active', moved_devices: [] }])
  expect((await tasksOf(anna))[0]!.sentence).toMatch(/^BP 181\/90/)
})

class Killed extends Error {}

test.each(['before-commit', 'after-commit'] as const)(
  'alerting > killed %s of a correction, it is told exactly once',
  async (moment) => {
    const { anna, berta, cuff, since } = await raisedOnTheWrongOne()
    await scene.clock.advance(minute)
    await correct(cuff, since, [span(berta, since)])
    const dying = await scene.evaluation({
      fault: (at) => {
        if (at === moment) throw new Killed()
      },
    })
    await expect(dying.evaluation.open().then(dying.run)).rejects.toThrow(Killed)
    await dying.lease.release()
    await scene.evaluate()
    await scene.evaluate()
    expect(await eventsOf((await alertsOf(anna))[0]!.id)).toEqual(['raised', 'wrong-subject', 'cleared'])
    const found = await alertsOf(berta)
    expect(found).toHaveLength(1)
    expect(await eventsOf(found[0]!.id)).toEqual(['raised'])
  },
)

test('alerting > killed at random among readings and corrections, nothing is told twice and no replay disagrees', async () => {
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(120, 138, 190) },
    {
      weight: 2,
      arbitrary: fc.record({ to: fc.constantFrom(0, 1, null), agoMs: fc.integer({ min: 0, max: 5 * minute }) }),
    },
    { weight: 3, arbitrary: fc.constantFrom('kill' as const, 'checkpoint' as const) },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { minLength: 4, maxLength: 14 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 2 })),
      async (acts, dice) => {
        const people = [await aWatched(), await aWatched()]
        const cuff = scene.engine.ids.uuid()
        let history: AssignmentSpan[] = [span(people[0]!, scene.clock.now())]
        for (const each of acts) {
          await scene.clock.advance(each === 'checkpoint' ? 6_000 : 30_000)
          const now = scene.clock.now()
          if (each === 'checkpoint') await scene.engine.log.append([{ kind: 'tick', at: now }])
          else if (each === 'kill') await evaluateAndDie(dice)
          else if (typeof each === 'number') {
            const wearer = history.at(-1)
            if (wearer === undefined || wearer.to !== null) continue
            await scene.measure(wearer.subject, { systolic: each, diastolic: 80 }, { device: cuff })
          } else {
            const since = now - each.agoMs
            const before = history.filter((old) => old.from < since)
            history = before.map((old) => (old.to === null || old.to > since ? { ...old, to: since } : old))
            if (each.to !== null) history.push(span(people[each.to]!, since))
            await correct(cuff, since, history)
          }
        }
        await scene.evaluate()
        for (const alert of (await Promise.all(people.map(alertsOf))).flat()) await assertCoherent(alert, history, cuff)
      },
    ),
    { numRuns: 12 },
  )
  expect(await scene.engine.watch.metrics.getSingleMetricAsString('careloop_alerting_replay_mismatches_total')).toMatch(
    /careloop_alerting_replay_mismatches_total 0/,
  )
}, 60_000)

/** Raised once; marked exactly when a reading of its evidence is somebody else's by the history that holds at the end. */
async function assertCoherent(alert: Row, history: readonly AssignmentSpan[], cuff: string) {
  const explained = await scene.alerting.explain(scene.by, alert.id)
  const told = explained.events.map(({ what }) => what)
  expect(told.filter((what) => what === 'raised')).toHaveLength(1)
  expect(told.filter((what) => what === 'cleared').length).toBeLessThanOrEqual(
    told.filter((what) => ['raised', 'recurred', 'found-late'].includes(what)).length,
  )
  const ownerAt = (at: number) => history.find((old) => at >= old.from && (old.to === null || at < old.to))?.subject
  const isForeign = explained.readings.some((reading) => ownerAt(reading.measuredAt) !== explained.alert.subject.id)
  // A recurrence takes the mark off, although what it showed before stays in its evidence.
  if (!told.includes('recurred')) expect(alert.moved_devices).toEqual(isForeign ? [cuff] : [])
}

/** Dies at one of its next commits, before or after; or just vanishes. */
async function evaluateAndDie(dice: Iterator<number>): Promise<void> {
  let left = dice.next().value as number
  const moment = (dice.next().value as number) === 0 ? 'after-commit' : 'before-commit'
  const held = await scene.evaluation({
    fault: (at) => {
      if (at === moment && left-- <= 0) throw new Killed()
    },
  })
  await held.evaluation
    .open()
    .then(held.run)
    .catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error
    })
  await held.lease.release()
}

test('alerting > a correction that reaches back behind the log says that nothing was judged there', async () => {
  const { anna, berta, cuff, since } = await raisedOnTheWrongOne()
  await scene.clock.advance(3 * 24 * 60 * minute)
  await scene.engine.log.append([{ kind: 'tick', at: scene.clock.now() }])
  await scene.evaluate()
  await scene.engine.db.asEngine(async (tx) => {
    await tx.client.query(
      'delete from engine.reading_log where position < (select max(position) from engine.reading_log)',
    )
    await tx.client.query('update engine.log_head set floor = position - 1')
  })
  await correct(cuff, since, [span(berta, since)])
  await settle()
  // What the alert keeps for ever is enough to know that it was the wrong person's.
  expect(await alertsOf(anna)).toMatchObject([{ moved_devices: [cuff] }])
  const found = await tasksOf(berta)
  expect(found).toMatchObject([{ historic: true, nature: 'technical' }])
  expect(found[0]!.sentence).toContain('no rule can judge them any more')
})
