/** Days on which something was measured: real log, real subjects, real storage. */
import { randomUUID } from 'node:crypto'
import type { AssignmentChanged, LoggedReading, MeasurementDays, Origin } from '@careloop/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ManualClock, makeManualClock } from '../engine/clock/manual-clock.ts'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { aFridge, aPatient, byTest, testSubjects } from '../subjects/fixtures.ts'
import type { Subjects } from '../subjects/index.ts'
import { measurementDaysStage, takeDays } from './days-stage.ts'
import { aReading, catchUp, LAZY, logged, until, type Worn, worn } from './fixtures.ts'
import { DaysFollower, daysCursor } from './measurement-days.ts'
import { readDays } from './read-days.ts'

const hour = 3_600_000
let clock: ManualClock
let ground: TestEngine
let tenant: string
let subjects: Subjects

beforeAll(async () => {
  clock = makeManualClock(Date.UTC(2026, 2, 1))
  ground = await testEngine({ clock })
  tenant = await ground.tenant()
  subjects = testSubjects(ground.engine)
})
afterAll(() => ground?.stop())

async function aPerson(timeZone = 'Europe/Vienna'): Promise<Worn> {
  const subject = (await subjects.create(byTest(tenant), { ...aPatient(), timeZone })).id
  return worn(tenant, { subject })
}

async function move(who: Worn, timeZone: string): Promise<void> {
  const by = byTest(tenant)
  const { version, resource } = await subjects.subject(by, who.subject)
  await subjects.update(by, who.subject, { resource, timeZone, version } as Parameters<Subjects['update']>[2])
}

const append = (who: Worn, readings: readonly LoggedReading[], origin: Origin = 'automatic') =>
  ground.engine.log.append([logged(who, readings, { origin, receivedAt: clock.now() })])
const measure = (who: Worn, ...at: number[]) =>
  append(
    who,
    at.map((ms) => aReading('systolic', ms, 130)),
  )

const daysOf = (who: Pick<Worn, 'subject'>): Promise<MeasurementDays['days']> =>
  ground.engine.db.asTenant(tenant, (tx) =>
    readDays(tx, { subject: who.subject, from: '2025-12-01', to: '2026-12-31' }),
  )
const datesOf = async (who: Pick<Worn, 'subject'>) => (await daysOf(who)).map(({ localDate }) => localDate)

describe('telemetry > days of measurement', () => {
  it('count once each, by the calendar where the patient lives, with the first reading of the day', async () => {
    const who = await aPerson('America/Los_Angeles')
    const evening = Date.UTC(2026, 2, 1, 4, 30)
    await measure(who, evening, evening + hour, evening + 2 * hour, evening + 5 * hour)
    await takeDays(ground.engine)
    const common = { timeZone: 'America/Los_Angeles', device: who.device, origin: 'automatic' }
    expect(await daysOf(who)).toEqual([
      { ...common, localDate: '2026-02-28', firstMeasuredAt: evening },
      { ...common, localDate: '2026-03-01', firstMeasuredAt: evening + 5 * hour },
    ])
  })

  it('of 23 and of 25 hours are one day each', async () => {
    const who = await aPerson()
    const spring = [Date.UTC(2026, 2, 28, 23), Date.UTC(2026, 2, 29, 0, 59), Date.UTC(2026, 2, 29, 21, 59)]
    const autumn = [
      Date.UTC(2026, 9, 24, 22),
      Date.UTC(2026, 9, 25, 0, 30),
      Date.UTC(2026, 9, 25, 1, 30),
      Date.UTC(2026, 9, 25, 22, 59),
    ]
    await measure(who, ...spring, ...autumn)
    await takeDays(ground.engine)
    expect(await datesOf(who)).toEqual(['2026-03-29', '2026-10-25'])
  })

  it('stay as they were when the patient moves, and what comes late of before the move is of the zone of then', async () => {
    const who = await aPerson('America/Los_Angeles')
    const before = clock.now() - 19 * hour // 05:00Z the day before: the 27th in Los Angeles, the 28th in Tokyo
    await measure(who, before)
    await takeDays(ground.engine)
    await clock.advance(hour)
    await move(who, 'Asia/Tokyo')
    await clock.advance(hour)
    await measure(who, clock.now())
    await measure(who, before - 24 * hour)
    await takeDays(ground.engine)
    expect((await daysOf(who)).map(({ localDate, timeZone }) => [localDate, timeZone])).toEqual([
      ['2026-02-26', 'America/Los_Angeles'],
      ['2026-02-27', 'America/Los_Angeles'],
      ['2026-03-01', 'Asia/Tokyo'],
    ])
  })

  it('tell apart what a device measured from what a person typed', async () => {
    const who = await aPerson()
    const typed = { ...who, ...worn(tenant), subject: who.subject }
    const at = Date.UTC(2026, 4, 4, 10)
    await measure(who, at)
    await append(typed, [aReading('systolic', at, 131)], 'typed')
    await append(typed, [aReading('systolic', at + 24 * hour, 131)], 'typed')
    await takeDays(ground.engine)
    expect((await daysOf(who)).map(({ localDate, origin }) => `${localDate} ${origin}`).sort()).toEqual([
      '2026-05-04 automatic',
      '2026-05-04 typed',
      '2026-05-05 typed',
    ])
  })

  it('are not made by what could not be measured, cannot be, or is of a thing', async () => {
    const who = await aPerson()
    const fridge = worn(tenant, { subject: (await subjects.create(byTest(tenant), aFridge())).id })
    const at = Date.UTC(2026, 4, 6, 10)
    await append(who, [
      aReading('systolic', at, { absent: 'unsuccessful' }),
      aReading('systolic', at + 1, 400, { flags: ['implausible'] }),
    ])
    await measure(fridge, at)
    await takeDays(ground.engine)
    expect([await datesOf(who), await datesOf(fridge)]).toEqual([[], []])
    await append(who, [aReading('glucose', at + 2, { comparator: '>', limit: 600 })])
    await takeDays(ground.engine)
    expect(await datesOf(who)).toEqual(['2026-05-06'])
  })

  it('by a clock that was not set are days of receipt and marked, until a clock that can be believed says the same day', async () => {
    const who = await aPerson()
    const at = Date.UTC(2026, 4, 8, 10)
    await append(who, [aReading('systolic', at, 130, { flags: ['clock-unset'], deviceTime: 0 })])
    await takeDays(ground.engine)
    expect(await daysOf(who)).toMatchObject([{ localDate: '2026-05-08', clockSuspect: true }])
    await measure(who, at + hour)
    await takeDays(ground.engine)
    expect(await daysOf(who)).toMatchObject([{ localDate: '2026-05-08', firstMeasuredAt: at }])
    expect((await daysOf(who))[0]!.clockSuspect).toBeUndefined()
  })

  it('get an earlier first reading when one comes late, and are the same after any restart', async () => {
    const who = await aPerson()
    const at = Date.UTC(2026, 4, 12, 15)
    await measure(who, at)
    await takeDays(ground.engine)
    await measure(who, at - 3 * hour, at - 72 * hour)
    await takeDays(ground.engine)
    const days = await daysOf(who)
    expect(days.map(({ localDate, firstMeasuredAt }) => [localDate, firstMeasuredAt])).toEqual([
      ['2026-05-09', at - 72 * hour],
      ['2026-05-12', at - 3 * hour],
    ])
    await ground.engine.db.pool.query('update engine.cursor set position = $2 where name = $1', [daysCursor, '0'])
    await catchUp(ground.engine, { ...LAZY, flushAfterMs: 0 })
    await takeDays(ground.engine)
    expect(await daysOf(who)).toEqual(days)
  })

  it('cost nothing but for the first reading of a day', async () => {
    const who = await aPerson()
    const follower = new DaysFollower(ground.engine)
    const at = Date.UTC(2026, 4, 20, 8)
    const entries = Array.from({ length: 5_000 }, (_, i) => logged(who, [aReading('systolic', at + i * 1_000, 120)]))
    const taken: number[] = []
    for (const [position, entry] of entries.entries()) {
      if (!follower.wants(entry)) continue
      taken.push(position)
      await ground.engine.db.asEngine((tx) => follower.take(tx, [{ position, entry }]))
    }
    expect(taken).toEqual([0])
  })

  it('go with the readings when who wore the device is corrected, and wait until those have been moved', async () => {
    const [first, second] = [await aPerson(), await aPerson('America/Los_Angeles')]
    const at = Date.UTC(2026, 5, 2, 12)
    const day = 24 * hour
    await measure(first, at, at + day, at + 2 * day, at + 3 * day)
    await takeDays(ground.engine)
    expect(await datesOf(first)).toEqual(['2026-06-02', '2026-06-03', '2026-06-04', '2026-06-05'])
    // From the second day's evening on it was the other's: half of that day stays with the first.
    const since = at + day + 6 * hour
    await measure(first, since + hour)
    const to = at + 3 * day - hour
    const correction: AssignmentChanged = {
      ...{ kind: 'assignment-changed', tenant, device: first.device, since },
      assignments: [
        { id: first.assignment, subject: first.subject, from: 0, to: since },
        { id: second.assignment, subject: second.subject, from: since, to },
        { id: randomUUID(), subject: first.subject, from: to, to: null },
      ],
    }
    await ground.engine.log.append([correction])
    await expect(takeDays(ground.engine)).rejects.toMatchObject({ code: 'days-ahead' })
    await catchUp(ground.engine, { ...LAZY, flushAfterMs: 0 })
    await takeDays(ground.engine)
    expect(await datesOf(first)).toEqual(['2026-06-02', '2026-06-03', '2026-06-05'])
    expect((await daysOf(second)).map(({ localDate, timeZone }) => [localDate, timeZone])).toEqual([
      ['2026-06-03', 'America/Los_Angeles'],
      ['2026-06-04', 'America/Los_Angeles'],
    ])
  })

  it('are kept by a stage that follows the log, and heeds that somebody moved', async () => {
    const who = await aPerson('America/Los_Angeles')
    const stop = await measurementDaysStage.start(ground.engine)
    try {
      await measure(who, clock.now())
      await until(async () => (await datesOf(who)).length === 1)
      await clock.advance(hour)
      await move(who, 'Asia/Tokyo')
      await clock.advance(20 * hour)
      await measure(who, clock.now())
      await until(async () => (await datesOf(who)).length === 2)
      expect((await daysOf(who)).map(({ timeZone }) => timeZone)).toEqual(['America/Los_Angeles', 'Asia/Tokyo'])
    } finally {
      await stop()
    }
  })

  it('of before days were kept are derived from what is stored, where the log has let it go', async () => {
    const who = await aPerson()
    const at = Date.UTC(2026, 6, 1, 10)
    await measure(who, at, at + 24 * hour)
    await catchUp(ground.engine, { ...LAZY, flushAfterMs: 0 })
    const { pool } = ground.engine.db
    await pool.query('delete from tenant.measurement_day')
    await pool.query('delete from engine.cursor where name = $1', [daysCursor])
    await pool.query('delete from engine.reading_log')
    await pool.query('update engine.log_head set floor = position + 1')
    const stop = await measurementDaysStage.start(ground.engine)
    try {
      await until(async () => (await datesOf(who)).length === 2)
    } finally {
      await stop()
    }
    expect(await datesOf(who)).toEqual(['2026-07-01', '2026-07-02'])
  })
})
