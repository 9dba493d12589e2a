/** What nobody asks for and must still happen: limits end, silences of before are not told, a broken rule does not stop the others. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aPatient } from '../subjects/fixtures.ts'
import { makeRulebook } from './rulebook.ts'
import { makeProbes } from './testing/probes.ts'
import { minute, openScene, type Scene } from './testing/scene.ts'
import { alertingUpkeepStage } from './upkeep.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene.test.stop())

const ruleId = async (code: string) => {
  const [row] = await scene.rows<{ id: string }>(`select id from tenant.rule where code = '${code}'`)
  return row!.id
}

test('alerting > silences of before rules were evaluated here are not told, those that go on are, after their time', async () => {
  const probes = makeProbes(scene)
  const fridge = await probes.fridge()
  const device = await probes.probe(fridge)
  await probes.append({ kind: 'door-up', process: scene.engine.ids.uuid() })
  await probes.measure([{ subject: fridge, device }])
  await probes.pass(300)
  await scene.evaluate()
  const silences = () =>
    scene.rows<{ raised_at: string; recorded_at: string }>(
      `select raised_at, recorded_at from tenant.alert where focus = '${device}'`,
    )
  expect(await silences()).toEqual([])
  const began = scene.clock.now()
  await probes.pass(62)
  await scene.evaluate()
  const [told, ...more] = await silences()
  expect(more).toEqual([])
  expect(Number(told!.raised_at)).toBeGreaterThan(began)
})

test('alerting > the stage ends limits of one subject that expired, within half a minute, and tells evaluators in order', async () => {
  const { engine, clock, by, subjects, staff, alerting } = scene
  const expiresAt = clock.now() + 10 * minute
  const limits = [{ part: 'when', index: 0, limit: 150, unit: 'mm[Hg]' } as const]
  const wanted = { rule: await ruleId('severe-hypertension'), limits, reason: 'Until the visit.', expiresAt }
  await alerting.setOverride(by, scene.patient, wanted)
  const stop = await alertingUpkeepStage({ members: staff, subjects }).start(engine)
  try {
    const isOwn = async () =>
      (await makeRulebook(engine, subjects).rulesOf(scene.tenant, scene.patient)).some(({ override }) => override)
    expect(await isOwn()).toBe(true)
    const head = await engine.log.head(0)
    await clock.advance(10 * minute)
    // The stage may still be asking for its lease when the clock is moved: time goes on for it.
    const laterIsOwn = async () => {
      await clock.advance(31_000)
      return isOwn()
    }
    await expect.poll(laterIsOwn, { timeout: 20_000 }).toBe(false)
    await expect
      .poll(async () => (await engine.log.read(0, head, 100)).flatMap(({ entries }) => entries))
      .toEqual([{ kind: 'config-changed', tenant: scene.tenant, subject: scene.patient }])
  } finally {
    await stop()
  }
})

test('alerting > a limit of one subject that no longer fits its rule leaves the limits of the rule in force', async () => {
  const { engine, by, alerting, clock } = scene
  const { id: patient } = await scene.subjects.create(by, aPatient())
  await scene.subjects.enrol(by, patient, { program: 'hypertension-rpm', owner: 'nora' })
  const rule = await ruleId('severe-hypertension')
  const limits = [{ part: 'clear', index: 0, limit: 175, unit: 'mm[Hg]' } as const]
  await alerting.setOverride(by, patient, {
    rule,
    limits,
    reason: 'Slow to clear.',
    expiresAt: clock.now() + 86_400_000,
  })
  const address = { program: 'hypertension-rpm', rule }
  const lower = [{ part: 'when', index: 0, limit: 160, unit: 'mm[Hg]' } as const]
  const edited = await alerting.editRule(by, address, { version: 1, limits: lower, reason: 'Lower for all.' })
  const { rules } = await alerting.rulesOf(by, patient)
  const shown = rules.find((each) => each.rule.id === rule)!
  expect(shown.thresholds[0]).toMatchObject({ limit: 160 })
  expect(shown.override).toBeUndefined()
  await alerting.takeFileVersion(by, address, { version: edited.version, reason: 'Back.' })
  expect((await makeRulebook(engine, scene.subjects).rulesOf(scene.tenant, patient))[0]!.override).toBeDefined()
})

test('alerting > a rule that throws rests for its subject with a technical alert, of every kind, and others go on', async () => {
  const { engine, by } = scene
  const { id: patient } = await scene.subjects.create(by, aPatient())
  await scene.subjects.enrol(by, patient, { program: 'hypertension-rpm', owner: 'nora' })
  await scene.evaluate()
  // More devices than a rule keeps apart is a misconfiguration, and fails the rule for this subject alone.
  const probes = makeProbes(scene)
  const fridge = await probes.fridge()
  const devices = Array.from({ length: 40 }, () => ({ subject: fridge, device: engine.ids.uuid() }))
  await probes.measure(devices, 9)
  await scene.measure(patient, { systolic: 195, diastolic: 80 })
  await scene.evaluate()
  const told = await scene.rows<{ nature: string; code: string; priority: string }>(
    `select a.nature, a.priority, r.code from tenant.alert a join tenant.rule r on r.id = a.rule_id
      where a.subject_id = '${fridge}' and a.focus = 'technical'`,
  )
  expect(told.length).toBeGreaterThan(0)
  // As urgent as what it does not watch any more.
  const known = (await scene.alerting.programs(scene.tenant)).find(({ head }) => head.code === 'vaccine-fridge')!
  for (const { nature, code, priority } of told) {
    const { definition } = known.rules.find((rule) => rule.definition.code === code)!
    expect({ nature, priority }).toEqual({ nature: 'technical', priority: definition.priority })
  }
  expect(told.some(({ priority }) => priority !== 'low')).toBe(true)
  expect(await scene.rows(`select from tenant.alert where subject_id = '${patient}'`)).toHaveLength(1)
})
