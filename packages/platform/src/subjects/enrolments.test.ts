import type { LogEntry } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../engine/clock/manual-clock.ts'
import { settledFacts, type TestEngine, testEngine } from '../engine/testing/index.ts'
import type { By } from './by.ts'
import { aPatient, byTest, testSubjects } from './fixtures.ts'
import { makeSubjects, type Subjects } from './subjects.ts'

let ground: TestEngine
let clock: ManualClock
let subjects: Subjects
let by: By
beforeAll(async () => {
  clock = makeManualClock()
  ground = await testEngine({ clock })
  subjects = testSubjects(ground.engine)
  by = byTest(await ground.tenant())
})
afterAll(() => ground?.stop())

const refused = (code: string, pointer: string) => expect.objectContaining({ code, pointer })
const logged = async (): Promise<LogEntry[]> =>
  (await ground.engine.log.read(0, 0, 1000)).flatMap((commit) => [...commit.entries])

test('enrolments > each change is told to rules through the log, in the transaction that made it', async () => {
  const subject = (await subjects.create(by, aPatient())).id
  const before = (await logged()).length
  const now = clock.now()
  const made = await subjects.enrol(by, subject, { program: 'home-blood-pressure', owner: 'nora', backup: 'ben' })
  expect(made).toMatchObject({ subject, owner: 'nora', backup: 'ben', from: now, to: null })
  await subjects.updateEnrolment(by, made.id, { owner: 'ben', backup: null })
  await clock.advance(60_000)
  await subjects.endEnrolment(by, made.id, null)
  expect(await subjects.enrolmentsOf(by.tenant, subject)).toEqual([
    { ...made, owner: 'ben', backup: null, to: now + 60_000 },
  ])
  const change = { kind: 'config-changed', tenant: by.tenant, subject }
  expect((await logged()).slice(before)).toEqual([change, change, change])
  const facts = (await settledFacts(ground.engine)).filter((fact) => fact.type === 'EnrolmentChanged')
  expect(facts.map((fact) => fact.body)).toEqual(
    Array.from({ length: 3 }, () => ({ enrolment: made.id, subject, program: 'home-blood-pressure' })),
  )
})

test('enrolments > one at a time in a program; what is refused leaves no trace in the log', async () => {
  const subject = (await subjects.create(by, aPatient())).id
  const before = (await logged()).length
  const wanted = { program: 'falls', owner: 'nora' }
  const from = clock.now()
  await expect(subjects.enrol(by, ground.engine.ids.uuid(), wanted)).rejects.toEqual(
    refused('subject-not-found', '/params/id'),
  )
  await expect(subjects.enrol(by, subject, { ...wanted, owner: 'gone' })).rejects.toEqual(
    refused('staff-not-found', '/body/owner'),
  )
  await expect(subjects.enrol(by, subject, { ...wanted, from, to: from })).rejects.toEqual(
    refused('enrolment-span-wrong', '/body/to'),
  )
  expect((await logged()).length).toBe(before)
  const results = await Promise.allSettled([1, 2, 3].map(() => subjects.enrol(by, subject, wanted)))
  expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
  for (const result of results)
    if (result.status === 'rejected') expect(result.reason).toEqual(refused('enrolment-overlaps', '/body/from'))
  expect((await logged()).length).toBe(before + 1)
  const [enrolment] = await subjects.enrolmentsOf(by.tenant, subject)
  await clock.advance(1000)
  await subjects.endEnrolment(by, enrolment!.id, null)
  await expect(subjects.endEnrolment(by, enrolment!.id, clock.now() + 1000)).rejects.toEqual(
    refused('enrolment-span-wrong', '/body/to'),
  )
  await subjects.enrol(by, subject, wanted)
  expect(await subjects.enrolmentsOf(by.tenant, subject)).toHaveLength(2)
  const open = (await subjects.enrolmentsAt(by.tenant, clock.now())).filter((each) => each.subject === subject)
  expect(open).toHaveLength(1)
})

/** Nora looks after patients, Ben after refrigerators. */
const strictSubjects = (): Subjects =>
  makeSubjects(ground.engine, async () => ['nora', 'ben'].map((id) => ({ id, endedAt: null })), {
    async programKind(tenant, code) {
      if (tenant !== by.tenant) return null
      return code === 'falls' ? 'patient' : code === 'vaccine-fridge' ? 'asset' : null
    },
    mayAnswer: async (_tenant, staff, kind) => (staff === 'nora') === (kind === 'patient'),
  })

test('enrolments > nobody is enrolled where no rule looks at such a subject, nor with an owner who could not open its alerts', async () => {
  const strict = strictSubjects()
  const subject = (await strict.create(by, aPatient())).id
  const before = (await logged()).length
  for (const [wanted, pointer] of [
    [{ program: 'vaccine-fridge', owner: 'nora' }, '/body/program'],
    [{ program: 'falls', owner: 'ben' }, '/body/owner'],
    [{ program: 'falls', owner: 'nora', backup: 'ben' }, '/body/backup'],
  ] as const)
    await expect(strict.enrol(by, subject, wanted)).rejects.toEqual(refused('enrolment-unfit', pointer))
  expect((await logged()).length).toBe(before)
  const { id } = await strict.enrol(by, subject, { program: 'falls', owner: 'nora' })
  await expect(strict.updateEnrolment(by, id, { owner: 'ben', backup: null })).rejects.toEqual(
    refused('enrolment-unfit', '/body/owner'),
  )
  await expect(strict.updateEnrolment(by, id, { owner: 'nora', backup: 'ben' })).rejects.toEqual(
    refused('enrolment-unfit', '/body/backup'),
  )
})

test('enrolments > nobody is enrolled where no rule looks', async () => {
  const strict = strictSubjects()
  const subject = (await strict.create(by, aPatient())).id
  const before = (await logged()).length
  await expect(strict.enrol(by, subject, { program: 'fals', owner: 'nora' })).rejects.toEqual(
    refused('program-not-active', '/body/program'),
  )
  expect((await logged()).length).toBe(before)
  expect(await strict.enrol(by, subject, { program: 'falls', owner: 'nora' })).toMatchObject({ program: 'falls' })
})
