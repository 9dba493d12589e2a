/** What people do to an alert decides when its condition is told again, whoever evaluates and however often it restarts. */
import type { Rearm } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aPatient } from '../subjects/fixtures.ts'
import { acknowledgeAlert, closeAlert, reopenAlert } from './index.ts'
import { makeProbes } from './testing/probes.ts'
import { minute, openScene, type Scene } from './testing/scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene.test.stop())

async function aWatchedPatient(): Promise<string> {
  const { id } = await scene.subjects.create(scene.by, aPatient())
  await scene.subjects.enrol(scene.by, id, { program: 'hypertension-rpm', owner: 'nora' })
  await scene.clock.advance(1)
  return id
}

interface AlertRow {
  readonly id: string
  readonly condition: string
  readonly handling: string
}
const alertsOf = (subject: string) =>
  scene.rows<AlertRow>(
    `select a.id, a.condition, a.handling from tenant.alert a join tenant.rule r on r.id = a.rule_id
      where a.subject_id = '${subject}' and r.code = 'severe-hypertension' order by a.recorded_at, a.id`,
  )

/** A measurement a minute later, evaluated by a fresh holder. */
async function measure(patient: string, systolic: number): Promise<readonly AlertRow[]> {
  await scene.clock.advance(minute)
  await scene.measure(patient, { systolic, diastolic: 80 })
  await scene.evaluate()
  return alertsOf(patient)
}

const close = (id: string, rearm?: Rearm) =>
  scene.engine.db.asTenant(scene.tenant, (tx) => closeAlert(scene.engine, tx, id, 'staff:nora', rearm))
const acknowledge = (id: string) =>
  scene.engine.db.asTenant(scene.tenant, (tx) => acknowledgeAlert(scene.engine, tx, id, 'staff:nora'))
const reopen = (id: string) =>
  scene.engine.db.asTenant(scene.tenant, (tx) => reopenAlert(scene.engine, tx, id, 'staff:nora'))
const handlings = (alerts: readonly AlertRow[]) => alerts.map(({ condition, handling }) => [condition, handling])

test('alerting > closed while it stands, a condition raises nothing until it has cleared once', async () => {
  const patient = await aWatchedPatient()
  const [first] = await measure(patient, 190)
  await close(first!.id)
  expect(handlings(await measure(patient, 192))).toEqual([['active', 'closed']])
  expect(handlings(await measure(patient, 230))).toEqual([['active', 'closed']])
  expect(handlings(await measure(patient, 120))).toEqual([['cleared', 'closed']])
  expect(handlings(await measure(patient, 191))).toEqual([
    ['cleared', 'closed'],
    ['active', 'new'],
  ])
})

test('alerting > closed until it is worse, it is told again when it is worse by the step that the rule names', async () => {
  const patient = await aWatchedPatient()
  const [first] = await measure(patient, 190)
  await close(first!.id, { until: 'worse' })
  expect(await measure(patient, 199)).toHaveLength(1)
  const [, again] = await measure(patient, 210)
  expect(again).toMatchObject({ condition: 'active', handling: 'new' })
  const explained = await scene.alerting.explain(scene.by, again!.id)
  expect(explained.alert.sentence).toMatch(/^Worse than when it was closed: BP 210\/80 mmHg/)
  const before = await scene.alerting.explain(scene.by, first!.id)
  expect(before.events.find(({ what }) => what === 'closed')).toMatchObject({ rearm: { until: 'worse' } })
  // It was one condition: when it ends, none of the two stands any more.
  expect(handlings(await measure(patient, 120))).toEqual([
    ['cleared', 'closed'],
    ['cleared', 'new'],
  ])
  const { items } = await scene.alerting.alertsOf(scene.by, patient, {})
  const both = items.filter(({ ruleCode }) => ruleCode === 'severe-hypertension')
  expect(both.map(({ spans }) => spans.map(({ to }) => to === scene.clock.now()))).toEqual([[true], [true]])
})

test('alerting > closed until a time, it is told again then if it still stands', async () => {
  const patient = await aWatchedPatient()
  const [first] = await measure(patient, 190)
  await close(first!.id, { until: 'time', at: scene.clock.now() + 30 * minute })
  expect(await measure(patient, 230)).toHaveLength(1)
  await scene.clock.advance(31 * minute)
  await scene.engine.log.append([{ kind: 'tick', at: scene.clock.now() }])
  await scene.evaluate()
  const [, again] = await alertsOf(patient)
  const { alert } = await scene.alerting.explain(scene.by, again!.id)
  expect(alert).toMatchObject({ condition: 'active', handling: 'new' })
  expect(alert.sentence).toMatch(/^Told again, as was asked when it was closed: /)
})

test('alerting > a choice that cannot be kept is refused where it is wrong', async () => {
  const patient = await aWatchedPatient()
  const [first] = await measure(patient, 190)
  const now = scene.clock.now()
  for (const at of [now - 1, now + 8 * 86_400_000])
    await expect(close(first!.id, { until: 'time', at })).rejects.toMatchObject({
      code: 'rearm-invalid',
      pointer: '/body/rearm/at',
    })
  await measure(patient, 120)
  // Nothing has to be re-armed of what has cleared: the choice was made on a page that showed it active.
  await close(first!.id, { until: 'time', at: now - 1 })
  expect(handlings(await alertsOf(patient))).toEqual([['cleared', 'closed']])
})

test('alerting > a silence names no step of worse, and refuses it', async () => {
  const probes = makeProbes(scene)
  const fridge = await probes.fridge()
  const device = await probes.probe(fridge)
  await probes.measure([{ subject: fridge, device }])
  await scene.evaluate()
  await probes.pass(62)
  await scene.evaluate()
  const [silent] = await scene.rows<{ id: string }>(`select id from tenant.alert where focus = '${device}'`)
  await expect(close(silent!.id, { until: 'worse' })).rejects.toMatchObject({
    code: 'rearm-invalid',
    pointer: '/body/rearm/until',
  })
})

test('alerting > a condition that comes back under an acknowledged alert voids the acknowledgement and is told', async () => {
  const patient = await aWatchedPatient()
  const [first] = await measure(patient, 190)
  expect(await acknowledge(first!.id)).toBe(true)
  expect(handlings(await measure(patient, 120))).toEqual([['cleared', 'acknowledged']])
  expect(handlings(await measure(patient, 195))).toEqual([['active', 'new']])
  const told = (await scene.facts('AlertRecurred')).filter(({ subject }) => subject === patient)
  expect(told).toEqual([{ type: 'AlertRecurred', alert: first!.id, subject: patient, wasSeen: true }])
})

test('alerting > a closing that is taken back leaves the alert acknowledged, and its condition heard as before', async () => {
  const patient = await aWatchedPatient()
  const [first] = await measure(patient, 190)
  await close(first!.id)
  expect(await reopen(first!.id)).toBe(true)
  expect(await reopen(first!.id)).toBe(false)
  expect(handlings(await measure(patient, 191))).toEqual([['active', 'acknowledged']])
  await measure(patient, 120)
  expect(handlings(await measure(patient, 199))).toEqual([['active', 'new']])
  const { events } = await scene.alerting.explain(scene.by, first!.id)
  expect(events.map(({ what }) => what)).toEqual(['raised', 'closed', 'reopened', 'cleared', 'recurred'])
})

test('alerting > a closing is not taken back once the condition has raised a newer alert', async () => {
  const patient = await aWatchedPatient()
  const [first] = await measure(patient, 190)
  await close(first!.id)
  await measure(patient, 120)
  await measure(patient, 195)
  await expect(reopen(first!.id)).rejects.toMatchObject({ code: 'alert-superseded' })
})

test('alerting > one breach that two gateways report raises once', async () => {
  const patient = await aWatchedPatient()
  await scene.clock.advance(minute)
  const at = scene.clock.now()
  const [one, other] = [scene.engine.ids.uuid(), scene.engine.ids.uuid()]
  await scene.measure(patient, { systolic: 190, diastolic: 80 }, { at, device: one, group: 'm1' })
  await scene.clock.advance(500)
  await scene.measure(patient, { systolic: 190, diastolic: 80 }, { at, device: other, group: 'm1' })
  await scene.evaluate()
  expect(handlings(await alertsOf(patient))).toEqual([['active', 'new']])
  expect((await scene.facts('AlertRaised')).filter(({ subject }) => subject === patient)).toHaveLength(1)
  expect((await scene.facts('AlertRecurred')).filter(({ subject }) => subject === patient)).toEqual([])
})

test('alerting > a backfill of 3 h with a past breach is one alert that pages nobody', async () => {
  const patient = await aWatchedPatient()
  await scene.clock.advance(200 * minute)
  const now = scene.clock.now()
  for (let ago = 180; ago > 20; ago -= 20)
    await scene.measure(patient, { systolic: ago === 120 ? 195 : 120, diastolic: 80 }, { at: now - ago * minute })
  await scene.measure(patient, { systolic: 121, diastolic: 80 })
  await scene.evaluate()
  expect(handlings(await alertsOf(patient))).toEqual([['cleared', 'new']])
  const raised = (await scene.facts('AlertRaised')).filter(({ subject }) => subject === patient)
  expect(raised).toMatchObject([{ historic: true }])
})

test('alerting > a backfill under an open alert changes nothing of what was found late and closed before', async () => {
  const patient = await aWatchedPatient()
  const backfill = async () => {
    await scene.clock.advance(200 * minute)
    const now = scene.clock.now()
    for (const [ago, systolic] of [
      [180, 120],
      [120, 195],
      [60, 120],
    ] as const)
      await scene.measure(patient, { systolic, diastolic: 80 }, { at: now - ago * minute })
    await scene.evaluate()
  }
  await backfill()
  const [late] = await alertsOf(patient)
  await close(late!.id)
  const read = () => scene.rows(`select * from tenant.alert where id = '${late!.id}'`)
  const before = await read()
  await measure(patient, 120)
  const both = [
    ['cleared', 'closed'],
    ['active', 'new'],
  ]
  expect(handlings(await measure(patient, 190))).toEqual(both)
  await backfill()
  expect(handlings(await alertsOf(patient))).toEqual(both)
  expect(await read()).toEqual(before)
})

test('alerting > what is decided more than a minute behind the clock says that it was catching up', async () => {
  const patient = await aWatchedPatient()
  await scene.evaluate()
  await scene.measure(patient, { systolic: 190, diastolic: 80 })
  await scene.clock.advance(61_000)
  await scene.evaluate()
  const [raised] = (await scene.facts('AlertRaised')).filter(({ subject }) => subject === patient)
  expect(raised).toMatchObject({ historic: false, catchingUp: true })
  await measure(patient, 120)
  await measure(patient, 190)
  const [recurred] = (await scene.facts('AlertRecurred')).filter(({ subject }) => subject === patient)
  expect(recurred).not.toHaveProperty('catchingUp')
})
