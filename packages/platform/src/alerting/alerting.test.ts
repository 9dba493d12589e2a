import { afterAll, beforeAll, expect, test } from 'vitest'
import { aFridge, aPatient } from '../subjects/fixtures.ts'
import { activeProgramKind } from './programs.ts'
import { minute, openScene, type Scene, start } from './testing/scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene.test.stop())

interface AlertRow {
  id: string
  condition: string
  handling: string
  historic: boolean
  raised_at: string
}
const alertsOf = (subject: string) =>
  scene.rows<AlertRow>(
    `select id, condition, handling, historic, raised_at from tenant.alert where subject_id = '${subject}' order by id`,
  )

test('alerting > a severe blood pressure raises one alert, and explain shows the readings, the limits and the bytes', async () => {
  const position = await scene.measure(scene.patient, { systolic: 192, diastolic: 124 })
  await scene.evaluate()
  const [alert, ...more] = await alertsOf(scene.patient)
  expect(more).toEqual([])
  expect(alert).toMatchObject({ condition: 'active', handling: 'new', historic: false, raised_at: String(start) })
  const explained = await scene.alerting.explain(scene.by, alert!.id)
  expect(explained.alert.sentence).toBe('BP 192/124 mmHg, at or above 180/120 since 10:00')
  expect(explained.alert.subject).toEqual({ id: scene.patient, name: 'Zwölfaxinger, Kunigunde', kind: 'patient' })
  expect(explained.rule).toMatchObject({
    code: 'severe-hypertension',
    version: 1,
    ownerRole: 'nurse',
    limitMs: 30 * minute,
  })
  expect(explained.thresholds.map(({ signal, role, limit, unit }) => [signal, role, limit, unit])).toEqual([
    ['systolic', 'raise', 180, 'mmHg'],
    ['diastolic', 'raise', 120, 'mmHg'],
  ])
  expect(
    explained.readings.map(({ signal, value, breach, address }) => [signal, value, breach, address.position]),
  ).toEqual([
    ['systolic', 192, true, position],
    ['diastolic', 124, true, position],
  ])
  const [frame] = explained.frames
  expect(JSON.parse(Buffer.from(frame!.base64!, 'base64').toString())).toEqual({
    ts: start,
    values: { systolic: 192, diastolic: 124 },
  })
  expect(explained.events.map(({ what }) => what)).toEqual(['raised'])
  const audited = await scene.rows(
    `select action from tenant.audit_entry where resource = 'alert' and subject_id = '${scene.patient}'`,
  )
  expect(audited).toEqual([{ action: 'read' }])
})

test('alerting > explain still shows readings and bytes after the log has let go of them', async () => {
  const [alert] = await alertsOf(scene.patient)
  const before = await scene.alerting.explain(scene.by, alert!.id)
  await scene.engine.db.asEngine(async (tx) => {
    const { position } = before.readings[0]!.address
    await tx.client.query('delete from engine.reading_log where position <= $1', [position])
    await tx.client.query('update engine.log_head set floor = $1', [position])
  })
  expect(await scene.alerting.explain(scene.by, alert!.id)).toEqual(before)
  expect(before.frames[0]!.state).toBe('kept')
})

test('alerting > nothing of what an alert says stands in plaintext', async () => {
  const { rows } = await scene.engine.db.asEngine((tx) =>
    tx.client.query<{ bytes: string }>(`
      select string_agg(encode(body, 'escape'), '') || (select string_agg(a::text, '') from tenant.alert a)
             || (select string_agg(e::text, '') from tenant.alert_event e) as bytes
        from engine.evaluator_checkpoint`),
  )
  const hex = (text: string) => Buffer.from(text).toString('hex')
  for (const secret of ['192/124', 'systolic', 'mmHg']) {
    expect(rows[0]!.bytes).not.toContain(secret)
    expect(rows[0]!.bytes).not.toContain(hex(secret))
  }
})

test('alerting > another organisation finds neither the alert nor its rules', async () => {
  const [alert] = await alertsOf(scene.patient)
  const other = { ...scene.by, tenant: await scene.test.tenant() }
  await expect(scene.alerting.explain(other, alert!.id)).rejects.toMatchObject({ code: 'alert-not-found' })
  expect(await scene.alerting.programs(other.tenant)).toEqual([])
})

test('alerting > a good measurement clears, a bad one recurs on the alert that is still open', async () => {
  await scene.clock.advance(10 * minute)
  await scene.measure(scene.patient, { systolic: 130, diastolic: 80 })
  await scene.evaluate()
  expect((await alertsOf(scene.patient)).map(({ condition }) => condition)).toEqual(['cleared'])
  await scene.clock.advance(minute)
  await scene.measure(scene.patient, { systolic: 185, diastolic: 90 })
  await scene.evaluate()
  const [alert, ...more] = await alertsOf(scene.patient)
  expect([more, alert!.condition]).toEqual([[], 'active'])
  expect((await scene.alerting.explain(scene.by, alert!.id)).events.map(({ what }) => what)).toEqual([
    'raised',
    'cleared',
    'recurred',
  ])
  expect(await scene.facts('AlertRaised')).toHaveLength(1)
  expect(await scene.facts('AlertRecurred')).toHaveLength(1)
})

test('alerting > 15 warm minutes in a refrigerator raise by log time alone, across restarts of the evaluator', async () => {
  const warmSince = scene.clock.now()
  await scene.measure(scene.fridge, { 'temperature-probe': 9.1 })
  await scene.evaluate()
  await scene.clock.advance(14 * minute)
  await scene.engine.log.append([{ kind: 'tick', at: scene.clock.now() }])
  await scene.evaluate()
  expect(await alertsOf(scene.fridge)).toEqual([])
  await scene.clock.advance(2 * minute)
  await scene.engine.log.append([{ kind: 'tick', at: scene.clock.now() }])
  await scene.evaluate()
  const [alert] = await alertsOf(scene.fridge)
  expect(alert).toMatchObject({ condition: 'active', raised_at: String(warmSince + 15 * minute) })
})

test('alerting > three hours of backfill with a breach inside make one historic alert', async () => {
  const probe = scene.engine.ids.uuid()
  const from = scene.clock.now()
  await scene.clock.advance(180 * minute)
  for (let after = 0; after <= 150; after += 10) {
    const value = after >= 30 && after < 90 ? 9.4 : 5
    await scene.measure(scene.fridge, { 'temperature-probe': value }, { at: from + after * minute, device: probe })
  }
  await scene.evaluate()
  const historic = (await alertsOf(scene.fridge)).filter((alert) => alert.historic)
  expect(historic).toMatchObject([{ condition: 'cleared', raised_at: String(from + 45 * minute) }])
  const explained = await scene.alerting.explain(scene.by, historic[0]!.id)
  expect(explained.alert.sentence).toMatch(/^Found 2 h late: Refrigerator at 9.4 °C, above 8 °C since /)
  expect(explained.alert.clearedAt).toBe(from + 90 * minute)
})

test('alerting > a rule that fails for a subject says so once, and the cursor goes on', async () => {
  const cold = (await scene.subjects.create(scene.by, aFridge('Fridge 9'))).id
  await scene.subjects.enrol(scene.by, cold, { program: 'vaccine-fridge', owner: 'ben' })
  // One refrigerator with 40 probes is more than a rule keeps apart.
  for (let probe = 0; probe < 40; probe++)
    await scene.measure(cold, { 'temperature-probe': 5 }, { device: scene.engine.ids.uuid() })
  await scene.measure(scene.patient, { systolic: 120, diastolic: 70 })
  await scene.evaluate()
  const rows = await scene.rows<{ focus: string; nature: string; priority: string }>(
    `select focus, nature, priority from tenant.alert where subject_id = '${cold}'`,
  )
  expect(rows.map(({ priority }) => priority).sort()).toEqual(['high', 'medium', 'medium'])
  expect(rows).toEqual(rows.map(({ priority }) => ({ focus: 'technical', nature: 'technical', priority })))
  expect((await alertsOf(scene.patient)).map(({ condition }) => condition)).toEqual(['cleared'])
})
test('alerting > a subject without enrolment raises nothing, and what came before the enrolment counts not', async () => {
  const late = (await scene.subjects.create(scene.by, aFridge('Fridge 10'))).id
  await scene.measure(late, { 'temperature-probe': -3 })
  await scene.subjects.enrol(scene.by, late, { program: 'vaccine-fridge', owner: 'ben' })
  await scene.evaluate()
  expect(await alertsOf(late)).toEqual([])
  await scene.clock.advance(minute)
  await scene.measure(late, { 'temperature-probe': -3 })
  await scene.evaluate()
  expect(await alertsOf(late)).toHaveLength(1)
})

test('alerting > activating the same program again changes nothing, a changed rule gets a new version', async () => {
  const find = async () =>
    (await scene.alerting.programs(scene.tenant)).find(({ head }) => head.code === 'hypertension-rpm')
  const program = await find()
  const source = { ...program!.head, rules: program!.rules.map((rule) => rule.definition) }
  const head = await scene.engine.log.head(0)
  expect(await scene.alerting.activate(scene.by, source)).toMatchObject({ activated: 0 })
  expect(await scene.engine.log.head(0)).toBe(head)
  const [first, ...rest] = source.rules
  const changed = { ...source, rules: [{ ...first!, limitMs: 5 * minute }, ...rest] }
  expect(await scene.alerting.activate(scene.by, changed)).toMatchObject({ activated: 1 })
  const after = await find()
  expect(after!.rules.map(({ version }) => version)).toEqual([2, 1, 1])
})

test('alerting > a program counts as active where it was activated, and nowhere else', async () => {
  const isActive = async (tenant: string, code: string) =>
    (await activeProgramKind(scene.engine, tenant, code)) !== null
  expect(await isActive(scene.tenant, 'hypertension-rpm')).toBe(true)
  expect(await isActive(scene.tenant, 'hypertension')).toBe(false)
  expect(await isActive(await scene.test.tenant(), 'hypertension-rpm')).toBe(false)
})

test('alerting > a rule that nobody answers for is not activated', async () => {
  const [program] = await scene.alerting.programs(scene.tenant)
  const { owner: _, ...orphan } = program!.rules[0]!.definition
  await expect(scene.alerting.activate(scene.by, { ...program!.head, rules: [orphan] })).rejects.toMatchObject({
    code: 'rule-incomplete',
    pointer: '/rules/0/owner',
  })
})

test('alerting > a reading by a clock that was not set may raise, and the evidence says so', async () => {
  const { id } = await scene.subjects.create(scene.by, aFridge())
  await scene.subjects.enrol(scene.by, id, { program: 'vaccine-fridge', owner: 'ben' })
  await scene.clock.advance(1)
  const now = scene.clock.now()
  const device = scene.engine.ids.uuid()
  const source = { kind: 'readings', tenant: scene.tenant, device, assignment: device, subject: id } as const
  const frame = { format: 'json', bytes: Buffer.from('{}') } as const
  for (let i = 0; i < 30; i++) {
    const reading = { signal: 'temperature-probe', value: 20, measuredAt: now + i * minute, ordinal: 0 }
    await scene.engine.log.append([
      {
        ...{ ...source, door: 'mqtt', receivedAt: now + i * minute, origin: 'automatic', frame },
        readings: [{ ...reading, flags: ['clock-unset'] }],
      },
    ])
    await scene.clock.advance(minute)
  }
  await scene.evaluate()
  const [alert] = await alertsOf(id)
  const { readings } = await scene.alerting.explain(scene.by, alert!.id)
  expect(readings.length).toBeGreaterThan(0)
  for (const reading of readings) expect(reading.flags).toEqual(['clock-unset'])
})

test('alerting > when an enrolment ends its active alert is told cleared, and why', async () => {
  const { id } = await scene.subjects.create(scene.by, aPatient())
  const { id: enrolment } = await scene.subjects.enrol(scene.by, id, { program: 'hypertension-rpm', owner: 'nora' })
  await scene.clock.advance(1)
  await scene.measure(id, { systolic: 192, diastolic: 124 })
  await scene.evaluate()
  await scene.clock.advance(minute)
  await scene.subjects.endEnrolment(scene.by, enrolment, null)
  await scene.clock.advance(1_000)
  await scene.engine.log.append([{ kind: 'tick', at: scene.clock.now() }])
  await scene.evaluate()
  const [alert] = await alertsOf(id)
  expect(alert).toMatchObject({ condition: 'cleared', handling: 'new' })
  const { events } = await scene.alerting.explain(scene.by, alert!.id)
  expect(events.at(-1)).toMatchObject({ what: 'cleared', why: 'no-longer-watched' })
})
