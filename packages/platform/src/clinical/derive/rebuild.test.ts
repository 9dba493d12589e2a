/** The record made again from what is stored, and put right when somebody else wore the device. */
import type { AssignmentChanged } from '@careloop/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import { settledFacts } from '../../engine/testing/index.ts'
import { aReading, type Worn } from '../../telemetry/fixtures.ts'
import { spanStart } from '../../telemetry/index.ts'
import { type ReadingsWorld, readingsWorld } from './fixtures.ts'
import { rebuildObservations } from './rebuild.ts'

const MINUTE = 60_000
let clock: ManualClock
let world: ReadingsWorld

beforeAll(async () => {
  clock = makeManualClock(Date.UTC(2026, 2, 1, 8))
  world = await readingsWorld(clock)
})
afterAll(() => world?.stop())

async function pass(ms: number): Promise<void> {
  await clock.advance(ms)
  await world.append({ kind: 'tick', at: clock.now() })
}

/** Of everything a bit: a cuff, spot values, a stream with holes, what came late and out of order, what was typed. */
async function aDay(who: Worn): Promise<void> {
  const at = clock.now()
  const group = { groupId: `${at}.0`, deviceTime: at }
  await world.send(who, [aReading('systolic', at, 151, group), aReading('pulse-rate', at, 77, group)])
  await world.send(who, [aReading('diastolic', at, 88, group)])
  for (let i = 0; i < 40; i++) {
    const now = clock.now()
    await world.send(who, [aReading('heart-rate', now, 60 + (i % 7) / 3), aReading('spo2', now - (i % 5) * 300, 97)])
    if (i === 20) await world.tell()
    await clock.advance(i === 30 ? 4 * MINUTE : 1_000)
  }
  for (let i = 0; i < 8; i++) await world.send(who, [aReading('body-temperature', clock.now() + i, 36.5 + i / 10)])
  await world.send(who, [aReading('body-weight', clock.now(), 80)], { origin: 'typed', enteredBy: 'nora' })
  await pass(6 * MINUTE)
  await world.store()
  await world.tell()
  await world.send(who, [aReading('heart-rate', at + 500, 190), aReading('glucose', at - 3_600_000, 99)])
  await pass(2 * MINUTE)
  await world.store()
  await world.tell()
}

describe('the record made again', () => {
  it('is the same to the byte, from what telemetry keeps and the log, when every derived row was lost', async () => {
    const who = await world.person()
    await aDay(who)
    const before = await world.texts(who.subject)
    expect(before.length).toBeGreaterThan(20)
    expect(before.some((text) => text.includes('"versionId":"2"'))).toBe(true)
    const question = { tenant: world.tenant, subject: who.subject }
    const untouched = await rebuildObservations(world.engine, world.clinical, question)
    expect(untouched.written).toBe(0)
    expect(await world.texts(who.subject)).toEqual(before)
    await loseRows()
    expect(await world.texts(who.subject)).toEqual([])
    const { looked, written } = await rebuildObservations(world.engine, world.clinical, question)
    expect([looked, written]).toEqual([before.length, before.length])
    expect(await world.texts(who.subject)).toEqual(before)
  })

  it('is of those readings that were asked for, and of nobody else', async () => {
    const [who, other] = [await world.person(), await world.person()]
    const old = clock.now()
    for (const one of [who, other]) await world.send(one, [aReading('body-weight', old, 70)])
    await pass(3 * 60 * MINUTE)
    for (const one of [who, other]) await world.send(one, [aReading('body-weight', clock.now(), 71)])
    await world.store()
    await world.tell()
    await loseRows()
    const done: number[][] = []
    const question = { tenant: world.tenant, subject: who.subject, since: old + 2 * 60 * MINUTE }
    await rebuildObservations(world.engine, world.clinical, question, (...at) => done.push(at))
    expect(done).toEqual([[1, 1]])
    const weights = await world.record(who.subject)
    expect(weights.map(({ valueQuantity }) => valueQuantity)).toMatchObject([{ value: 71 }])
    expect(await world.record(other.subject)).toEqual([])
  })

  it('a corrected assignment: void without its value where it was, told of whoever wore the device, once', async () => {
    const [wrong, right] = [await world.person(), await world.person()]
    const at = clock.now()
    await aDay(wrong)
    const count = (await world.record(wrong.subject)).length
    const assignment = crypto.randomUUID()
    const correction: AssignmentChanged = {
      kind: 'assignment-changed',
      ...{ tenant: world.tenant, device: wrong.device, since: at - 2 * 3_600_000 },
      assignments: [{ id: assignment, subject: right.subject, from: at - 2 * 3_600_000, to: null }],
    }
    await world.append(correction)
    // Telemetry has not moved the readings: nothing can be put right yet.
    await world.tell()
    expect((await world.record(wrong.subject)).every(({ status }) => status === 'final')).toBe(true)
    await world.store()
    await expect(
      world.tell((step) => {
        if (step === 'correction: written') throw new Error('killed')
      }),
    ).rejects.toThrow('killed')
    await world.tell()
    const voided = await world.record(wrong.subject)
    expect(voided).toHaveLength(count)
    for (const resource of voided) {
      expect(resource.status).toBe('entered-in-error')
      expect(JSON.stringify(resource)).not.toMatch(/valueQuantity|component/)
    }
    const told = await world.record(right.subject)
    expect(told.length).toBe(count)
    expect(told.every(({ status }) => status === 'final')).toBe(true)
    expect(told.map(({ subject }) => subject)).toEqual(told.map(() => ({ reference: `Patient/${right.subject}` })))
    const corrected = (await world.record(right.subject, 'Provenance')).filter(({ activity }) =>
      JSON.stringify(activity).includes('UPDATE'),
    )
    expect(corrected).toHaveLength(1)
    expect(JSON.stringify(corrected)).not.toContain(wrong.subject)
    const before = await world.texts(right.subject)
    await rebuildObservations(world.engine, world.clinical, { tenant: world.tenant, subject: right.subject })
    expect(await world.texts(right.subject)).toEqual(before)
  })

  it('a device that is handed out makes nobody wait for telemetry', async () => {
    const [before, next, other] = [await world.person(), await world.person(), await world.person()]
    await world.send(before, [aReading('body-weight', clock.now(), 70)])
    await world.store()
    await world.tell()
    const since = clock.now() + 1
    const handed = { ...next, device: before.device }
    await world.append({
      kind: 'assignment-changed',
      ...{ tenant: world.tenant, device: before.device, since },
      assignments: [{ id: handed.assignment, subject: next.subject, from: since, to: null }],
    })
    await world.send(handed, [aReading('body-weight', since + 1, 91)])
    await world.send(other, [aReading('body-weight', since + 1, 80)])
    await world.tell()
    for (const [{ subject }, value] of [
      [before, 70],
      [next, 91],
      [other, 80],
    ] as const)
      expect((await world.record(subject)).map(({ valueQuantity }) => valueQuantity)).toMatchObject([{ value }])
  })

  it('windows of devices begin at seconds of their own, and those of an hour where one of five minutes does', () => {
    const now = clock.now()
    const starts = Array.from({ length: 600 }, () => spanStart(crypto.randomUUID(), now, 5 * MINUTE))
    const bySecond = Map.groupBy(starts, (start) => start)
    expect(bySecond.size).toBeGreaterThan(150)
    for (const [start, same] of bySecond) {
      expect([start % 1_000, start <= now, start + 5 * MINUTE > now]).toEqual([0, true, true])
      expect(same.length).toBeLessThan(15)
    }
    const device = crypto.randomUUID()
    const hour = spanStart(device, now, 60 * MINUTE)
    expect(spanStart(device, hour, 5 * MINUTE)).toBe(hour)
  })

  it('a value outside of the usual is a fact that names the resource and tells nothing else', async () => {
    const who = await world.person()
    await world.send(who, [aReading('body-temperature', clock.now(), 39.9)])
    await world.send(who, [aReading('body-temperature', clock.now() + 1, 36.6)])
    await world.tell()
    const [fever] = (await world.record(who.subject)).filter(({ interpretation }) =>
      JSON.stringify(interpretation).includes('"H"'),
    )
    const facts = (await settledFacts(world.engine)).filter(
      ({ type, body }) => type === 'ReadingOutOfRange' && (body as { subject: string }).subject === who.subject,
    )
    const resource = await world.clinical.ridOf(world.tenant, 'Observation', fever!.id!)
    expect(facts.map(({ body }) => body)).toEqual([{ resource, subject: who.subject }])
  })
})

async function loseRows(): Promise<void> {
  const { pool } = world.engine.db
  await pool.query('delete from tenant.clinical_key')
  await pool.query('delete from tenant.clinical_history')
  await pool.query('delete from tenant.clinical_resource')
}
