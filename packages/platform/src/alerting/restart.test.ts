/** Killed at any moment, the evaluator tells each alert exactly once. */
import type { Rearm } from '@careloop/contract'
import { Evaluator } from '@careloop/rules'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aPatient } from '../subjects/fixtures.ts'
import { alertsOf } from './alerts.ts'
import { closeAlert } from './handling.ts'
import { makeRulebook } from './rulebook.ts'
import { evaluateAll } from './testing/evaluate-all.ts'
import { minute, openScene, type Scene } from './testing/scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene.test.stop())

class Killed extends Error {}

async function aWatchedPatient(): Promise<string> {
  const { id } = await scene.subjects.create(scene.by, aPatient())
  await scene.subjects.enrol(scene.by, id, { program: 'hypertension-rpm', owner: 'nora' })
  await scene.clock.advance(1)
  return id
}

interface Told {
  readonly what: string
  readonly at: string
  readonly position: string
  readonly rule: string
}

const toldOf = (subject: string) =>
  scene.rows<Told>(
    `select e.what, e.at, e.position, a.rule_id as rule from tenant.alert_event e join tenant.alert a on a.id = e.alert_id
      where a.subject_id = '${subject}' and e.position is not null order by e.position, e.ordinal`,
  )

/** What one evaluator that reads the log from end to end in one go tells. */
async function undisturbed(subject: string): Promise<Told[]> {
  const evaluator = new Evaluator()
  const told: Told[] = []
  evaluator.configure(subject, await makeRulebook(scene.engine, scene.subjects).rulesOf(scene.tenant, subject))
  for (const { position, partition, storedAt, entries } of await scene.engine.log.read(0, 0, 1_000_000)) {
    entries.forEach((entry, index) => {
      if (entry.kind === 'alert-handled' && entry.subject === subject)
        evaluator.handled(entry.rule, subject, entry.focus, entry.handling, entry.rearm ?? null, storedAt)
      if (entry.kind === 'door-up' || entry.kind === 'door-down')
        evaluator.door(entry.process, entry.kind === 'door-up', storedAt)
      if (entry.kind !== 'readings' || entry.subject !== subject) return
      const { device, receivedAt } = entry
      evaluator.readings(subject, entry.readings, { partition, position, index, device, receivedAt, storedAt })
    })
    evaluator.advance(storedAt)
    for (const { what, at, rule } of evaluator.takeTransitions())
      told.push({ what, at: String(at), position: String(position), rule })
  }
  return told
}

test.each(['before-commit', 'after-commit'] as const)(
  'alerting > killed %s, an alert is told exactly once',
  async (moment) => {
    const patient = await aWatchedPatient()
    await scene.measure(patient, { systolic: 190, diastolic: 100 })
    const dying = await scene.evaluation({
      fault: (at) => {
        if (at === moment) throw new Killed()
      },
    })
    await expect(dying.evaluation.open().then(dying.run)).rejects.toThrow(Killed)
    await dying.lease.release()
    await scene.evaluate()
    await scene.evaluate()
    expect(await toldOf(patient)).toHaveLength(1)
    expect((await scene.facts('AlertRaised')).filter(({ subject }) => subject === patient)).toHaveLength(1)
  },
)

test('alerting > what was pending when it was killed is replayed from the log: the third of three in a row still raises', async () => {
  const patient = await aWatchedPatient()
  await scene.evaluate()
  const dying = await scene.evaluation()
  await dying.evaluation.open()
  for (const systolic of [140, 141]) await scene.measure(patient, { systolic, diastolic: 80 })
  await dying.run() // evaluated in memory, no checkpoint is due
  await dying.lease.release()
  await scene.measure(patient, { systolic: 142, diastolic: 80 })
  await scene.evaluate()
  expect((await toldOf(patient)).map(({ what }) => what)).toEqual(['raised'])
})

test('alerting > one that lost its lease writes nothing more, the other tells it once', async () => {
  const patient = await aWatchedPatient()
  const paused = await scene.evaluation()
  await paused.evaluation.open()
  await scene.measure(patient, { systolic: 190, diastolic: 100 })
  // The database gave the lease to another while this one was paused.
  await scene.engine.db.pool.query(`update engine.lease set token = token + 1 where name = 'alerting:0'`)
  await expect(paused.run()).rejects.toMatchObject({ code: 'lease-lost' })
  await scene.engine.db.pool.query(`update engine.lease set expires_at = now() where name = 'alerting:0'`)
  await scene.evaluate()
  expect(await toldOf(patient)).toHaveLength(1)
})

test('alerting > two that believe to hold the lease move the cursor once', async () => {
  const patient = await aWatchedPatient()
  await scene.evaluate()
  const first = await scene.evaluation()
  const second = await scene.evaluation().catch((error: Error) => error)
  expect(second).toBeInstanceOf(Error)
  await first.evaluation.open()
  await scene.measure(patient, { systolic: 190, diastolic: 100 })
  await scene.engine.db.pool.query(`update engine.cursor set position = position::bigint + 1 where name = 'alerting:0'`)
  await expect(first.run()).rejects.toMatchObject({ code: 'cursor-moved' })
  await scene.engine.db.pool.query(`update engine.cursor set position = position::bigint - 1 where name = 'alerting:0'`)
  await first.lease.release()
  await scene.evaluate()
  expect(await toldOf(patient)).toHaveLength(1)
})

const metric = async (name: string) => {
  const text = await scene.engine.watch.metrics.getSingleMetricAsString(name)
  return Number(/ (\d+)$/m.exec(text)![1])
}
/** As a failing disk would: one byte of what is sealed is another. */
const damage = (table: string, where: string) =>
  scene.engine.db.pool.query(
    `update ${table} set body = set_byte(body, length(body) - 1, get_byte(body, length(body) - 1) # 255) where ${where}`,
  )

test('alerting > a kept state that cannot be opened begins anew and is told, and everybody else is evaluated as before', async () => {
  const [damaged, unknown, other] = [await aWatchedPatient(), await aWatchedPatient(), await aWatchedPatient()]
  for (const patient of [damaged, unknown, other]) await scene.measure(patient, { systolic: 140, diastolic: 80 })
  await scene.evaluate()
  await damage('engine.evaluator_checkpoint', `subject_id = '${damaged}'`)
  await scene.engine.db.pool.query(
    `update engine.evaluator_checkpoint set key_id = gen_random_uuid() where subject_id = '${unknown}'`,
  )
  const before = await metric('careloop_alerting_states_lost_total')
  for (const patient of [damaged, unknown, other]) {
    await scene.clock.advance(1_000)
    await scene.measure(patient, { systolic: 190, diastolic: 100 })
  }
  await scene.evaluate()
  expect(await metric('careloop_alerting_states_lost_total')).toBe(before + 2)
  const alerts = (patient: string) =>
    scene.rows<{ focus: string; nature: string }>(
      `select focus, nature from tenant.alert where subject_id = '${patient}' order by nature`,
    )
  expect(await alerts(other)).toHaveLength(1)
  for (const patient of [damaged, unknown]) {
    const [first, second, ...more] = await alerts(patient)
    expect([more, second]).toEqual([[], { focus: 'technical', nature: 'technical' }])
    expect(first!.nature).not.toBe('technical')
  }
  // It is kept again: the next start finds nothing damaged.
  await scene.evaluate()
  expect(await metric('careloop_alerting_states_lost_total')).toBe(before + 2)
})

test("alerting > a limit of one subject that cannot be opened leaves the program's limits, and everybody else is evaluated as before", async () => {
  const [damaged, other] = [await aWatchedPatient(), await aWatchedPatient()]
  const [{ id: rule }] = (await scene.rows<{ id: string }>(
    `select id from tenant.rule where code = 'severe-hypertension'`,
  )) as [{ id: string }]
  await scene.alerting.setOverride(scene.by, damaged, {
    rule,
    ...{ limits: [{ part: 'when', index: 0, limit: 200, unit: 'mm[Hg]' }], reason: 'agreed with her physician' },
    expiresAt: scene.clock.now() + 86_400_000,
  })
  await damage('tenant.rule_override', `subject_id = '${damaged}'`)
  for (const patient of [damaged, other]) await scene.measure(patient, { systolic: 190, diastolic: 100 })
  await scene.evaluate()
  expect([await toldOf(damaged), await toldOf(other)].map(({ length }) => length)).toEqual([1, 1])
  expect(await metric('careloop_alerting_overrides_unreadable_total')).toBeGreaterThan(0)
})

test('alerting > a subject whose key is damaged is told in bare words, and everybody else as before', async () => {
  const [damaged, other] = [await aWatchedPatient(), await aWatchedPatient()]
  await scene.evaluate()
  await scene.engine.db.pool.query(
    `update engine.data_key set wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 255) where purpose = 'subject' and owner = '${damaged}'`,
  )
  // Another process, which does not have the key in memory.
  const { engine } = scene.test.another()
  for (const patient of [damaged, other]) await scene.measure(patient, { systolic: 190, diastolic: 100 })
  await evaluateAll(engine, scene.subjects)
  for (const patient of [damaged, other]) expect((await toldOf(patient)).map(({ what }) => what)).toContain('raised')
  const alerts = await scene.rows<{ id: string }>(
    `select id from tenant.alert where subject_id = '${damaged}' and nature <> 'technical'`,
  )
  const shown = await engine.db.asTenant(scene.tenant, (tx) => alertsOf(engine, tx, [alerts[0]!.id]))
  expect(shown.get(alerts[0]!.id)!.summary).toMatchObject({ sentence: 'Blood pressure severely high', value: '' })
})

test('alerting > killed again and again at random commits, it tells what an undisturbed run tells', async () => {
  const act = fc.oneof(
    fc.record({ systolic: fc.constantFrom(120, 138, 190, 205), lateMs: fc.constantFrom(0, 0, 5 * minute) }),
    fc.constantFrom('tick' as const, 'kill' as const, 'kill' as const, 'checkpoint' as const),
    fc.record({ close: fc.constantFrom<Rearm['until']>('cleared', 'worse', 'time') }),
    fc.record({ door: fc.constantFrom('door-up' as const, 'door-down' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { minLength: 3, maxLength: 14 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 2 })),
      async (acts, dice) => {
        const patient = await aWatchedPatient()
        for (const each of acts) {
          await scene.clock.advance(each === 'checkpoint' ? 6_000 : 1_000)
          if (each === 'tick' || each === 'checkpoint')
            await scene.engine.log.append([{ kind: 'tick', at: scene.clock.now() }])
          else if (each === 'kill') await evaluateAndDie(dice)
          else if ('close' in each) await closeOpen(patient, each.close)
          else if ('door' in each) await scene.engine.log.append([{ kind: each.door, process: aDoor }])
          else {
            const at = scene.clock.now() - each.lateMs
            await scene.measure(patient, { systolic: each.systolic, diastolic: 80 }, { at })
          }
        }
        await scene.evaluate()
        const told = await toldOf(patient)
        // A condition that comes back on an open alert is written as recurred.
        const shape = told.map(({ what, ...rest }) => ({ ...rest, what: what === 'recurred' ? 'raised' : what }))
        expect(shape).toEqual(await undisturbed(patient))
      },
    ),
    { numRuns: 14 },
  )
  const mismatches = await scene.engine.watch.metrics.getSingleMetricAsString(
    'careloop_alerting_replay_mismatches_total',
  )
  expect(mismatches).toMatch(/ 0$/m)
}, 60_000)

const aDoor = '0192f000-0000-7000-8000-000000000001'

/** Closes the alert that stands open, if one does, as somebody would who chose what re-arms it. */
async function closeOpen(patient: string, until: Rearm['until']): Promise<void> {
  const [open] = await scene.rows<{ id: string }>(
    `select a.id from tenant.alert a join tenant.rule r on r.id = a.rule_id
      where a.subject_id = '${patient}' and a.handling <> 'closed' and r.code = 'severe-hypertension'`,
  )
  if (open === undefined) return
  const rearm: Rearm = until === 'time' ? { until, at: scene.clock.now() + 2_500 } : { until }
  const { engine, tenant } = scene
  await engine.db.asTenant(tenant, (tx) => closeAlert(engine, tx, open.id, 'staff:nora', rearm))
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
