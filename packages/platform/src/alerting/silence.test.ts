/** Silence is told only of time in which Careloop could hear. */
import type { DeviceReported } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { alertingStage } from './stages.ts'
import { makeProbes, type Probes } from './testing/probes.ts'
import { minute, openScene, type Scene } from './testing/scene.ts'

let scene: Scene
let probes: Probes
beforeAll(async () => {
  scene = await openScene()
  probes = makeProbes(scene)
})
afterAll(() => scene.test.stop())

interface Told {
  readonly subject: string
  readonly focus: string
  readonly condition: string
  readonly handling: string
}
const toldOf = (rule: string, subjects: readonly string[]) =>
  scene.rows<Told>(
    `select a.subject_id as subject, a.focus, a.condition, a.handling from tenant.alert a join tenant.rule r on r.id = a.rule_id
      where r.code = '${rule}' and a.subject_id in (${subjects.map((id) => `'${id}'`).join(',')}) order by a.recorded_at, a.id`,
  )

test('alerting > the server down for 2 h with 500 devices raises no silence, and one that stays silent is told afterwards', async () => {
  const worn: { subject: string; device: string }[] = []
  for (let unit = 0; unit < 20; unit++) {
    const subject = await probes.fridge()
    for (let i = 0; i < 25; i++) worn.push({ subject, device: await probes.probe(subject) })
  }
  const units = [...new Set(worn.map(({ subject }) => subject))]
  const doors = [scene.engine.ids.uuid(), scene.engine.ids.uuid()] as const
  await probes.append({ kind: 'door-up', process: doors[0] })
  await probes.measure(worn)
  await probes.pass(5)
  await scene.evaluate()
  const heardUntil = scene.clock.now()
  await scene.clock.advance(120 * minute)
  await probes.append(
    { kind: 'door-up', process: doors[1], heardUntil },
    { kind: 'door-down', process: doors[0] },
    { kind: 'tick', at: scene.clock.now() },
  )
  await scene.evaluate()
  await probes.pass(9)
  await scene.evaluate()
  expect(await toldOf('probe-silent', units)).toEqual([])
  const [silent, ...speaking] = worn
  await probes.measure(speaking)
  await probes.pass(58)
  await scene.evaluate()
  const told = await toldOf('probe-silent', units)
  expect(told).toEqual([{ subject: silent!.subject, focus: silent!.device, condition: 'active', handling: 'new' }])
}, 60_000)

test('alerting > a probe that falls due in an outage of 40 s is not told silent by the first tick after the kill', async () => {
  const subject = await probes.fridge()
  const device = await probes.probe(subject)
  const [killed, next] = [scene.engine.ids.uuid(), scene.engine.ids.uuid()]
  await probes.append({ kind: 'door-up', process: killed })
  await probes.measure([{ subject, device }])
  await probes.pass(59)
  await scene.evaluate()
  const heardUntil = scene.clock.now()
  await scene.engine.db.pool.query(
    'insert into engine.door_process (process, started_at, heard_until, checkpoint) values ($1, $2, $2, 0)',
    [killed, heardUntil],
  )
  await scene.clock.advance(minute + 40_000)
  const head = await scene.engine.log.head(0)
  const stop = await alertingStage({ subjects: scene.subjects }).start(scene.engine)
  try {
    await expect.poll(() => scene.engine.log.head(0)).toBeGreaterThan(head)
    const [first] = (await scene.engine.log.read(0, head, 1))[0]!.entries
    expect(first).toEqual({ kind: 'door-down', process: killed })
    await probes.append({ kind: 'door-up', process: next, heardUntil })
  } finally {
    await stop()
  }
  await probes.pass(15)
  await scene.evaluate()
  expect(await toldOf('probe-silent', [subject])).toEqual([])
  await probes.pass(10)
  await scene.evaluate()
  expect(await toldOf('probe-silent', [subject])).toHaveLength(1)
})

test('alerting > a second silent probe of one refrigerator is told beside the first, and each explains its last reading', async () => {
  const subject = await probes.fridge()
  const [first, second] = [await probes.probe(subject), await probes.probe(subject)]
  const held = await scene.evaluation()
  await held.evaluation.open()
  await probes.measure([first, second].map((device) => ({ subject, device })))
  await probes.pass(30)
  await probes.measure([{ subject, device: second }])
  await probes.pass(40)
  await held.run()
  expect((await toldOf('probe-silent', [subject])).map(({ focus }) => focus)).toEqual([first])
  await probes.pass(30)
  await held.run()
  await held.evaluation.close()
  await held.lease.release()
  const told = await toldOf('probe-silent', [subject])
  expect(told.map(({ focus, condition }) => [focus, condition])).toEqual([
    [first, 'active'],
    [second, 'active'],
  ])
  await probes.measure([{ subject, device: first }])
  await scene.evaluate()
  expect((await toldOf('probe-silent', [subject])).map(({ condition }) => condition)).toEqual(['cleared', 'active'])
  const [alert] = await scene.rows<{ id: string }>(
    `select id from tenant.alert where subject_id = '${subject}' and focus = '${second}'`,
  )
  const explained = await scene.alerting.explain(scene.by, alert!.id)
  expect(explained).toMatchObject({
    silence: true,
    thresholds: [],
    rule: { condition: expect.stringContaining('No ') },
  })
  expect(explained.alert.sentence).toContain('Probe silent for')
  expect(explained.readings.map(({ device, value, breach }) => [device, value, breach])).toEqual([[second, 5, false]])
})

test('alerting > while its gateway is gone nothing behind it is told silent; the gateway itself is, by who cares for it', async () => {
  const subject = await probes.fridge()
  const gateway = await probes.gateway()
  const device = await probes.probe(subject, gateway.id)
  await probes.measure([{ subject, device }])
  const report = (what: DeviceReported['what']) =>
    probes.append({
      ...{ kind: 'device-reported', tenant: scene.tenant, device: gateway.device, receivedAt: scene.clock.now() },
      ...{ what, attributes: {} },
    })
  await report('connected')
  await probes.pass(10)
  await report('last-will')
  await probes.pass(180)
  await scene.evaluate()
  expect(await toldOf('probe-silent', [subject])).toEqual([])
  await report('connected')
  await probes.pass(75)
  await scene.evaluate()
  expect(await toldOf('probe-silent', [subject])).toHaveLength(1)
})

test('alerting > a battery that a device tells of itself is judged by the rules of its wearer', async () => {
  const subject = await probes.fridge()
  const device = await probes.probe(subject)
  const told = { kind: 'device-reported', tenant: scene.tenant, device, what: 'attributes' } as const
  await probes.append({ ...told, receivedAt: scene.clock.now(), attributes: { battery: 12, firmware: '1.2' } })
  await scene.evaluate()
  expect(await toldOf('battery-low', [subject])).toMatchObject([{ condition: 'active', focus: device }])
  await scene.clock.advance(minute)
  await probes.append({ ...told, receivedAt: scene.clock.now(), attributes: { battery_percentage: 96 } })
  await scene.evaluate()
  expect(await toldOf('battery-low', [subject])).toMatchObject([{ condition: 'cleared' }])
})

test('alerting > a probe that is taken off is waited for no longer; a slower pace is known from when it is set', async () => {
  const subject = await probes.fridge()
  const device = await probes.probe(subject)
  await probes.measure([{ subject, device }])
  await probes.pass(30)
  const { testFleet } = await import('../fleet/fixtures.ts')
  await testFleet(scene.engine).unassign(scene.by, device, null)
  await probes.pass(60)
  await scene.evaluate()
  expect(await toldOf('probe-silent', [subject])).toEqual([])
})
