import type { AssignmentChanged, LogEntry } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../engine/clock/manual-clock.ts'
import { settledFacts, type TestEngine, testEngine } from '../engine/testing/index.ts'
import { aPatient, byTest, testSubjects } from '../subjects/fixtures.ts'
import type { By, Subjects } from '../subjects/index.ts'
import { aDevice, testFleet } from './fixtures.ts'
import type { Fleet } from './fleet.ts'

let ground: TestEngine
let clock: ManualClock
let fleet: Fleet
let subjects: Subjects
let by: By
beforeAll(async () => {
  clock = makeManualClock()
  ground = await testEngine({ clock })
  fleet = testFleet(ground.engine)
  subjects = testSubjects(ground.engine)
  by = byTest(await ground.tenant())
})
afterAll(() => ground?.stop())

const refused = (code: string, pointer: string) => expect.objectContaining({ code, pointer })
const aSubject = async (): Promise<string> => (await subjects.create(by, aPatient())).id
const newDevice = async (): Promise<string> => (await fleet.enrolDevice(by, aDevice())).id
const entriesOf = async (device: string): Promise<AssignmentChanged[]> =>
  (await ground.engine.log.read(0, 0, 10_000))
    .flatMap((commit): readonly LogEntry[] => commit.entries)
    .filter((entry): entry is AssignmentChanged => entry.kind === 'assignment-changed' && entry.device === device)
const fence = () => ground.engine.log.fence('attribution')
const minute = 60_000

test('assignments > putting on, taking off and correcting are told to the log with the whole history, and move the fence', async () => {
  const [anna, bela, device] = [await aSubject(), await aSubject(), await newDevice()]
  const start = clock.now()
  const before = await fence()
  const worn = await fleet.assign(by, device, anna, null)
  await clock.advance(10 * minute)
  await fleet.unassign(by, device, null)
  await fleet.assign(by, device, bela, null)
  await clock.advance(10 * minute)
  // It was on Bela from the third minute on.
  const spans = await fleet.correctAssignment(by, device, {
    reason: 'Handed over earlier than noted',
    edits: [
      { edit: 'change', assignment: worn.id, to: start + 3 * minute },
      { edit: 'add', subject: bela, from: start + 3 * minute, to: start + 10 * minute },
    ],
  })
  expect(spans.map(({ subject, from, to }) => [subject, (from - start) / minute, to && (to - start) / minute])).toEqual(
    [
      [anna, 0, 3],
      [bela, 3, 10],
      [bela, 10, null],
    ],
  )
  expect(spans[0]!.id).toBe(worn.id)
  const entries = await entriesOf(device)
  expect(entries.map((entry) => (entry.since - start) / minute)).toEqual([0, 10, 10, 3])
  expect(entries.at(-1)!.assignments).toEqual(spans)
  expect(await fence()).toBe(before + 4)
  // Facts are held back while any transaction of the cluster may precede them, another test's too.
  const told = async () =>
    (await settledFacts(ground.engine)).filter(
      ({ type, body }) => type === 'AssignmentChanged' && 'device' in body && body.device === device,
    )
  await expect.poll(told, { timeout: 20_000 }).toHaveLength(4)
  expect(await fleet.whoWears(by.tenant, device, start + 5 * minute)).toMatchObject({ subject: bela })
  expect(await fleet.whoWears(by.tenant, device, start - 1)).toBeNull()
  expect((await fleet.device(by, device)).worn).toMatchObject({ subject: bela, from: start + 10 * minute })
})

test('assignments > a correction destroys no history: what was believed, since when, who changed it and why', async () => {
  const [anna, bela, device] = [await aSubject(), await aSubject(), await newDevice()]
  const worn = await fleet.assign(by, device, anna, clock.now() - 60 * minute)
  await clock.advance(minute)
  await fleet.correctAssignment(by, device, {
    reason: '  Wrong patient scanned  ',
    edits: [{ edit: 'change', assignment: worn.id, subject: bela }],
  })
  const history = await fleet.assignmentHistory(by, device)
  expect(history.spans).toMatchObject([{ subject: bela, from: worn.from, to: null }])
  expect(history.spans[0]!.id).not.toBe(worn.id)
  expect(history.superseded).toEqual([
    {
      ...worn,
      recordedAt: clock.now() - minute,
      supersededAt: clock.now(),
      supersededBy: 'cli',
      reason: 'Wrong patient scanned',
    },
  ])
  const { rows } = await ground.engine.db.pool.query(
    `select action, subject_id from tenant.audit_entry where resource = 'assignment' and resource_id = $1 and action <> 'read'
      order by id`,
    [device],
  )
  expect(rows.map((row) => [row.action, row.subject_id])).toEqual([
    ['assign', anna],
    ['correct', anna],
    ['correct', bela],
  ])
})

test('assignments > of several who put one device on at once, one succeeds and the log hears of one', async () => {
  const device = await newDevice()
  const wearers = await Promise.all([1, 2, 3, 4].map(aSubject))
  const other = testFleet(ground.another({ clock }).engine)
  const results = await Promise.allSettled(
    wearers.map((subject, at) => (at % 2 ? other : fleet).assign(by, device, subject, null)),
  )
  expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected'])
  for (const result of results)
    if (result.status === 'rejected') expect(result.reason).toEqual(refused('device-worn', '/body/subject'))
  expect(await entriesOf(device)).toHaveLength(1)
  expect((await fleet.assignmentHistory(by, device)).spans).toHaveLength(1)
})

test('assignments > the database itself refuses two wearers at once, and changing what was recorded', async () => {
  const [anna, device] = [await aSubject(), await newDevice()]
  const worn = await fleet.assign(by, device, anna, clock.now() - minute)
  const sql = (text: string, values: unknown[]) =>
    ground.engine.db.asTenant(by.tenant, (tx) => tx.client.query(text, values))
  const insert = `insert into tenant.assignment (id, version, device_id, subject_id, from_at, to_at, recorded_at, recorded_by)
                  values ($1, 1, $2, $3, $4, $5, 0, 'cli')`
  const id = () => ground.engine.ids.uuid()
  await expect(sql(insert, [id(), device, anna, worn.from + 5, null])).rejects.toMatchObject({ code: '23P01' })
  await expect(sql(insert, [id(), device, anna, worn.from - 5, worn.from - 5])).rejects.toMatchObject({ code: '23514' })
  await expect(sql('update tenant.assignment set subject_id = $1', [id()])).rejects.toMatchObject({ code: '42501' })
  await expect(sql('delete from tenant.assignment where id = $1', [worn.id])).rejects.toMatchObject({ code: '42501' })
  await sql(insert, [id(), device, anna, worn.from - 5, worn.from]) // half-open: it ends where the other begins
})

test('assignments > what is refused changes nothing: no span, no entry, no fence', async () => {
  const [anna, device] = [await aSubject(), await newDevice()]
  const unknown = ground.engine.ids.uuid()
  await fleet.assign(by, device, anna, null)
  const before = [await fence(), await fleet.assignmentHistory(by, device), (await entriesOf(device)).length]
  const correct = (reason: string, subject: string, from: number) =>
    fleet.correctAssignment(by, device, { reason, edits: [{ edit: 'add', subject, from, to: from + 1 }] })
  await expect(fleet.assign(by, unknown, anna, null)).rejects.toEqual(refused('device-not-found', '/params/id'))
  await expect(fleet.assign(by, device, unknown, null)).rejects.toEqual(refused('subject-not-found', '/body/subject'))
  await expect(fleet.unassign(by, device, clock.now() + 1)).rejects.toEqual(refused('assignment-in-future', '/body/to'))
  await expect(correct('  ', anna, 1)).rejects.toEqual(refused('correction-reason-missing', '/body/reason'))
  await expect(correct('because', unknown, 1)).rejects.toEqual(refused('subject-not-found', '/body/edits/0/subject'))
  await expect(correct('because', anna, clock.now())).rejects.toEqual(
    refused('assignment-in-future', '/body/edits/0/to'),
  )
  expect([await fence(), await fleet.assignmentHistory(by, device), (await entriesOf(device)).length]).toEqual(before)
})
