import { randomUUID } from 'node:crypto'
import type { AssignmentChanged } from '@careloop/contract'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settledFacts, type TestEngine, testEngine } from '../engine/testing/index.ts'
import { eraseReadings } from './erase-readings.ts'
import { aReading, catchUp, EAGER, LAZY, logged, until, type Worn, worn } from './fixtures.ts'
import { spanStart } from './phase.ts'
import { readSeries, type SeriesQuestion } from './read-series.ts'
import type { StorePorts } from './store-ports.ts'
import { telemetryStage } from './telemetry-stage.ts'

const T0 = Date.UTC(2026, 2, 28, 22)
let ground: TestEngine
let tenant: string
let ports: StorePorts

beforeAll(async () => {
  ground = await testEngine()
  tenant = await ground.tenant()
  ports = ground.engine
})
afterAll(() => ground?.stop())

const ask = (by: Worn, more: Partial<SeriesQuestion> = {}): SeriesQuestion => ({
  ...{ tenant: by.tenant, subject: by.subject, from: 0, to: T0 * 2, maxPoints: 100_000 },
  ...more,
})

const all = async (by: Worn, more: Partial<SeriesQuestion> = {}) => {
  const answer = await readSeries(ports, ask(by, more))
  return answer.series.flatMap((part) => part.readings.map((one) => ({ signal: part.signal, ...one })))
}

const count = async (table: 'sample' | 'chunk', by: Worn) => {
  const { rows } = await ground.engine.db.pool.query<{ n: string }>(
    `select count(*) as n from engine.${table} where series_id in (select id from tenant.series where device = $1)`,
    [by.device],
  )
  return Number(rows[0]!.n)
}

const everySecond = (n: number, start = T0, value = (i: number) => 60 + (i % 40)) =>
  Array.from({ length: n }, (_, i) => aReading('heart-rate', start + i * 1_000, value(i)))

const append = async (by: Worn, readings: ReturnType<typeof everySecond>, size = 200) => {
  for (let start = 0; start < readings.length; start += size)
    await ground.engine.log.append([logged(by, readings.slice(start, start + size))])
}

/** Without storedAt, which depends on when the test runs. */
const plain = (readings: readonly object[]) =>
  readings.map(({ ...one }) => ({ ...one, storedAt: undefined, signal: undefined }))

describe('telemetry', () => {
  it('gives back every reading with all that was said of it, open or sealed', async () => {
    const by = worn(tenant)
    const readings = [
      aReading('systolic', T0, 131, { groupId: randomUUID(), deviceTime: T0 - 3_600_000 }),
      aReading('systolic', T0 + 60_000, { absent: 'unsuccessful' }, { flags: ['clock-unset'] }),
      aReading('systolic', T0 + 60_000, { comparator: '>', limit: 300 }, { ordinal: 1 }),
      aReading('systolic', T0 + 120_000, 17.332 * 7.5, { original: { value: 17.332, unit: 'kPa' } }),
    ]
    await ground.engine.log.append([logged(by, readings, { origin: 'typed', enteredBy: 'staff-7' })])
    await catchUp(ground.engine, LAZY)
    const open = await all(by)
    expect(plain(open)).toEqual(plain(readings.map((one) => ({ ...one, origin: 'typed', enteredBy: 'staff-7' }))))
    expect(await count('chunk', by)).toBe(0)
    await catchUp(ground.engine, EAGER)
    expect(await count('sample', by)).toBe(0)
    expect(await count('chunk', by)).toBe(1)
    expect(await all(by)).toEqual(open)
  })

  it('keeps when a late reading came, so that a replay in order of arrival equals what the rules saw', async () => {
    const by = worn(tenant)
    const now = ground.engine.clock.now()
    const first = aReading('spo2', now - 4_000, 96)
    await ground.engine.log.append([logged(by, [first, aReading('spo2', now, 97), aReading('spo2', now - 3_000, 95)])])
    await ground.engine.log.append([
      logged(by, [aReading('spo2', now - 7_200_000, 91), aReading('body-weight', now, 80)]),
    ])
    await catchUp(ground.engine, EAGER)
    const [late, firstOfAll, disordered, onTime] = (await all(by)).filter(({ value }) => value !== 80)
    // What begins a span of 5 min of the device keeps it too; seldom, `now` itself begins one.
    if (spanStart(by.device, now, 300_000) <= now - 4_000) expect(onTime).not.toHaveProperty('storedAt')
    expect(firstOfAll!.storedAt! - now).toBeGreaterThanOrEqual(0)
    const seldom = (await all(by)).find(({ value }) => value === 80)
    expect(seldom!.storedAt! - now).toBeGreaterThanOrEqual(0)
    expect(disordered!.storedAt! - now).toBeGreaterThanOrEqual(0)
    expect(late!.storedAt! - now).toBeGreaterThanOrEqual(0)
    expect(late!.value).toBe(91)
  })

  it('puts late readings of any age where they belong, whatever the order they come in', async () => {
    const order = fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 60 })), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(order, fc.boolean(), async (runs, sealsBetween) => {
        const by = worn(tenant)
        const expected: [number, number][] = []
        for (const [place, n] of runs) {
          const readings = everySecond(n, T0 + place * 997, (i) => place + i / 10)
          expected.push(...readings.map((one): [number, number] => [one.measuredAt, one.value as number]))
          await append(by, readings)
          if (sealsBetween) await catchUp(ground.engine, EAGER)
        }
        await catchUp(ground.engine, EAGER)
        const got = (await all(by)).map((one): [number, number] => [one.measuredAt, one.value as number])
        const sort = (pairs: [number, number][]) => pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1])
        // An exact repeat is one reading, however it came.
        const once = [...new Map(expected.map((pair) => [pair.join('/'), pair])).values()]
        expect(sort(got)).toEqual(sort(once))
      }),
      { numRuns: 6 },
    )
  })

  it('stores each reading once when it is stopped at any step of writing and sealing', async () => {
    const by = worn(tenant)
    const readings = everySecond(700)
    const steps = new Set<string>()
    const fault = (step: string) => {
      if (steps.has(step)) return
      steps.add(step)
      throw new Error(`stopped at ${step}`)
    }
    let after = 0
    for (let start = 0; start < readings.length; start += 100) {
      await append(by, readings.slice(start, start + 100))
      after = steps.size
      await catchUp(ground.engine, { ...EAGER, fault })
    }
    expect(after).toBe(steps.size) // the last rounds met no new step: all were tried
    expect([...steps].sort()).toEqual([
      'batch: begun',
      'batch: committed',
      'batch: cursor moved',
      'batch: segments inserted',
      'seal: begun',
      'seal: chunks inserted',
      'seal: committed',
      'seal: planned',
      'seal: segments deleted',
    ])
    expect((await all(by)).map((one) => one.measuredAt)).toEqual(readings.map((one) => one.measuredAt))
  })

  it('stores each reading once when two processes contend for the log', async () => {
    const other = ground.another()
    const by = worn(tenant)
    const options = { ...EAGER, leaseMs: 1_000 }
    const stops = await Promise.all([
      telemetryStage(options).start(ground.engine),
      telemetryStage(options).start(other.engine),
    ])
    const readings = everySecond(2_000)
    await append(by, readings, 50)
    await until(async () => Number(await ground.engine.db.cursor('telemetry:0')) === (await ground.engine.log.head(0)))
    await Promise.all(stops.map((stop) => stop()))
    expect((await all(by)).map((one) => one.measuredAt)).toEqual(readings.map((one) => one.measuredAt))
  })

  it('refuses the writes of a holder whose lease another has taken', async () => {
    const by = worn(tenant)
    await append(by, everySecond(10))
    let taken = false
    const fault = (step: string) => {
      if (step === 'batch: begun') taken = true
    }
    const lease = await ground.engine.leases.acquire('telemetry:0', 60_000)
    const stop = await telemetryStage({ ...LAZY, fault }).start(ground.engine)
    await new Promise((go) => setTimeout(go, 100))
    expect(taken).toBe(false)
    await lease!.release()
    await until(async () => taken)
    await stop()
    expect(await all(by)).toHaveLength(10)
  })

  it('shows each excursion in at most as many points as asked, from rollups as from readings', async () => {
    const by = worn(tenant)
    const readings = everySecond(9_000, T0, (i) => (i === 4_321 ? 188.5 : i === 7_777 ? 31.5 : 60 + (i % 40) / 2))
    readings[5_000] = { ...readings[5_000]!, value: { comparator: '<', limit: 20 } }
    await append(by, readings, 3_000)
    await catchUp(ground.engine, EAGER)
    const { rows } = await ground.engine.db.pool.query(
      'select tier from engine.chunk where series_id in (select id from tenant.series where device = $1) and tier = 1',
      [by.device],
    )
    expect(rows.length).toBeGreaterThan(0)
    for (const maxPoints of [1, 7, 50, 160, 2_000]) {
      const { series, widthMs } = await readSeries(ports, ask(by, { from: T0 + 500, maxPoints }))
      const { buckets } = series[0]!
      expect(buckets.length).toBeLessThanOrEqual(maxPoints)
      expect(widthMs).toBeGreaterThan(1_000)
      expect(Math.max(...buckets.map((one) => one.max ?? 0))).toBe(188.5)
      expect(Math.min(...buckets.map((one) => one.min ?? 999))).toBe(31.5)
      expect(buckets.reduce((sum, one) => sum + one.n, 0)).toBe(8_998)
      expect(buckets.reduce((sum, one) => sum + one.below, 0)).toBe(1)
    }
    expect((await readSeries(ports, ask(by, { maxPoints: 9_000 }))).series[0]!.readings).toHaveLength(9_000)
  })

  it('moves readings to whoever wore the device, under their key, when an assignment is corrected, once', async () => {
    const first = worn(tenant)
    const second = worn(tenant, { device: first.device })
    const readings = everySecond(3_000)
    await append(first, readings.slice(0, 2_500))
    await catchUp(ground.engine, EAGER)
    await append(first, readings.slice(2_500))
    const at = T0 + 1_200_500
    const correction: AssignmentChanged = {
      kind: 'assignment-changed',
      tenant,
      device: first.device,
      since: at,
      assignments: [
        { id: first.assignment, subject: first.subject, from: T0 - 1, to: at },
        { id: second.assignment, subject: second.subject, from: at, to: at + 600_000 },
      ],
    }
    await ground.engine.log.append([correction])
    await catchUp(ground.engine, LAZY)
    const times = async (by: Worn) => (await all(by)).map((one) => one.measuredAt)
    const expectSplit = async () => {
      expect(await times(first)).toEqual(readings.filter((one) => one.measuredAt < at).map((one) => one.measuredAt))
      expect(await times(second)).toEqual(
        readings.filter((one) => one.measuredAt >= at && one.measuredAt < at + 600_000).map((one) => one.measuredAt),
      )
    }
    await expectSplit()
    await catchUp(ground.engine, EAGER)
    await ground.engine.log.append([correction])
    await catchUp(ground.engine, EAGER)
    await expectSplit()
    // What nobody wore waits, and comes back when the history says so.
    await ground.engine.log.append([
      { ...correction, assignments: [{ id: second.assignment, subject: second.subject, from: at, to: null }] },
    ])
    await catchUp(ground.engine, EAGER)
    expect(await times(second)).toEqual(readings.filter((one) => one.measuredAt >= at).map((one) => one.measuredAt))
    const moved = (await settledFacts(ground.engine)).filter((fact) => fact.type === 'SeriesMoved')
    expect(moved).toHaveLength(3)
  })

  it('moves each reading once when it is stopped while moving', async () => {
    const first = worn(tenant)
    const second = worn(tenant, { device: first.device })
    const readings = everySecond(300)
    await append(first, readings)
    await catchUp(ground.engine, EAGER)
    const assignments = [{ id: second.assignment, subject: second.subject, from: T0 - 1, to: null }]
    await ground.engine.log.append([
      { kind: 'assignment-changed', tenant, device: first.device, since: T0 - 1, assignments },
    ])
    const steps = new Set<string>()
    const fault = (step: string) => {
      if (steps.has(step)) return
      steps.add(step)
      throw new Error(`stopped at ${step}`)
    }
    await catchUp(ground.engine, { ...EAGER, fault })
    expect(steps).toContain('move: taken out')
    expect(steps).toContain('move: put in')
    expect(await all(first)).toEqual([])
    expect((await all(second)).map((one) => one.measuredAt)).toEqual(readings.map((one) => one.measuredAt))
  })

  it('does not miss a person whose assignment had ended before the first reading came', async () => {
    const by = worn(tenant)
    const span = { id: by.assignment, subject: by.subject, from: T0, to: T0 + 60_000 }
    const options = { ...LAZY, whoWears: async () => span, deviceIntervalMs: async () => 5_000 }
    await append(by, everySecond(5))
    await ground.engine.log.append([{ kind: 'tick', at: ground.engine.clock.now() }])
    await catchUp(ground.engine, options)
    const { rows } = await ground.engine.db.pool.query(
      'select worn_until_ms, expected_interval_ms from tenant.series where device = $1',
      [by.device],
    )
    expect(rows).toEqual([{ worn_until_ms: String(span.to), expected_interval_ms: '5000' }])
    expect((await readSeries(ports, ask(by))).gaps.filter((gap) => gap.series !== null)).toEqual([])
  })

  it('lets go what still comes for a person who was erased, and goes on for others', async () => {
    const erased = worn(tenant)
    const other = worn(tenant)
    const key = await ground.engine.keys.keyFor('subject', erased.subject)
    await append(erased, everySecond(20))
    await catchUp(ground.engine, LAZY)
    await ground.engine.db.asEngine((tx) => ground.engine.keys.destroy(tx, key.id))
    await append(erased, everySecond(5, T0 + 60_000))
    await append(other, everySecond(5))
    await catchUp(ground.engine, { ...LAZY, sealReadings: 1 })
    expect(await all(other)).toHaveLength(5)
    await expect(all(erased)).rejects.toMatchObject({ code: 'key-destroyed' })
    const { rows } = await ground.engine.db.asEngine((tx) => eraseReadings(tx, tenant, erased.subject))
    expect(rows).toBe(1)
    expect(await all(erased)).toEqual([])
    expect(await all(other)).toHaveLength(5)
  })

  it('shows one tenant nothing of another', async () => {
    const by = worn(tenant)
    const stranger = await ground.tenant()
    await append(by, everySecond(5))
    await catchUp(ground.engine, LAZY)
    expect((await readSeries(ports, ask({ ...by, tenant: stranger }))).series).toEqual([])
    await ground.engine.db
      .asTenant(stranger, async (tx) => {
        expect((await tx.client.query('select * from tenant.series')).rows).toEqual([])
        await expect(tx.client.query('select * from engine.chunk')).rejects.toThrow(/permission denied/)
      })
      .catch((error: Error) => expect(error.message).toMatch(/aborted/))
  })

  it('refuses questions without sense, with a pointer', async () => {
    const by = worn(tenant)
    await expect(readSeries(ports, ask(by, { from: 5, to: 4 }))).rejects.toMatchObject({
      code: 'range-invalid',
      pointer: '/query/to',
    })
    await expect(readSeries(ports, ask(by, { maxPoints: 0 }))).rejects.toMatchObject({ pointer: '/query/maxPoints' })
  })
})
