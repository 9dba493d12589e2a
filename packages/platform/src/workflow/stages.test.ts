/** The stages as they run: a reading becomes a task on its own, and a second process takes over from one that was ended. */
import { fileURLToPath } from 'node:url'
import type { Fact, ReadingsLogged } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeAlerting, readPrograms } from '../alerting/index.ts'
import { alertingStage } from '../alerting/stages.ts'
import { atOnce } from '../alerting/testing/at-once.ts'
import { everyRole } from '../alerting/testing/staff.ts'
import type { Engine } from '../engine/index.ts'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { aPatient, byTest, testSubjects } from '../subjects/fixtures.ts'
import { workflowStage } from './stages.ts'
import { inPages } from './testing/take-all-facts.ts'

let test_: TestEngine
beforeAll(async () => {
  test_ = await testEngine()
})
afterAll(() => test_.stop())

async function startStages(engine: Engine): Promise<() => Promise<void>> {
  const subjects = testSubjects(engine)
  const stops = [
    await alertingStage({ subjects, leaseMs: 1_500 }).start(engine),
    await workflowStage({ subjects, ways: inPages }).start(engine),
  ]
  return async () => {
    for (const stop of stops.reverse()) await stop()
  }
}

const nextFact = (engine: Engine, type: Fact['type'], subject: string) =>
  new Promise<Fact>((found) => {
    const stop = engine.db.onFacts([type], (fact) => {
      if ((fact.body as { subject?: string }).subject !== subject) return
      stop()
      found(fact)
    })
  })

test('workflow > readings become tasks by themselves, also after the process that evaluated them has ended', async () => {
  const { engine } = test_
  const tenant = await test_.tenant()
  const by = byTest(tenant)
  const subjects = testSubjects(engine)
  const alerting = makeAlerting(engine, subjects, everyRole)
  const folder = fileURLToPath(new URL('../../../../programs', import.meta.url))
  for (const program of await readPrograms(folder)) await alerting.activate(by, atOnce(program))

  const second = test_.another().engine
  const stopFirst = await startStages(engine)
  const stopSecond = await startStages(second)
  try {
    for (const [round, doing] of [engine, second].entries()) {
      const patient = (await subjects.create(by, aPatient())).id
      await subjects.enrol(by, patient, { program: 'hypertension-rpm', owner: 'nora' })
      const opened = nextFact(second, 'TaskOpened', patient)
      await doing.log.append([severe(tenant, patient, doing.clock.now())])
      expect((await opened).tenant).toBe(tenant)
      if (round === 0) await stopFirst()
    }
    const tasks = await engine.db.asTenant(tenant, (tx) => tx.client.query('select status from tenant.task'))
    expect(tasks.rows).toEqual([{ status: 'open' }, { status: 'open' }])
  } finally {
    await stopSecond()
  }
})

test('alerting > when nothing comes, the holder of the lease appends that time passed', async () => {
  const { engine } = test_
  const stop = await startStages(engine)
  try {
    let position = await engine.log.head(0)
    for (;;) {
      await engine.log.waitFor(0, position, 5_000)
      const commits = await engine.log.read(0, position, 100)
      if (commits.some(({ entries }) => entries.some((entry) => entry.kind === 'tick'))) break
      position = commits.at(-1)?.position ?? position
    }
  } finally {
    await stop()
  }
})

test('alerting > on a low disk, which refuses what is new, time still passes in the log', async () => {
  const { engine } = test_
  const { log } = engine
  const low: Engine['log'] = {
    append: () => Promise.reject(new Error('storage-low')),
    refusal: () => 'storage-low',
    appendWithin: (tx, entries, bump) => log.appendWithin(tx, entries, bump),
    read: (partition, after, max) => log.read(partition, after, max),
    head: (partition) => log.head(partition),
    floor: (partition) => log.floor(partition),
    fence: (name) => log.fence(name),
    waitFor: (partition, after, timeoutMs, signal) => log.waitFor(partition, after, timeoutMs, signal),
    pressure: () => 1,
  }
  const before = await log.head(0)
  const stop = await alertingStage({ subjects: testSubjects(engine) }).start({ ...engine, log: low })
  try {
    while ((await log.head(0)) === before) await log.waitFor(0, before, 5_000)
    const [commit] = await log.read(0, before, 1)
    expect(commit!.entries).toMatchObject([{ kind: 'tick' }])
  } finally {
    await stop()
  }
})

function severe(tenant: string, subject: string, now: number): ReadingsLogged {
  const device = subject
  const readings = [
    { signal: 'systolic', value: 190, measuredAt: now, ordinal: 0 },
    { signal: 'diastolic', value: 110, measuredAt: now, ordinal: 0 },
  ]
  return {
    ...{ kind: 'readings', tenant, device, assignment: device, subject, door: 'mqtt', receivedAt: now },
    ...{ origin: 'automatic', frame: { format: 'json', bytes: Buffer.from('{}') }, readings },
  }
}
