import type { DeviceReported, DoorChanged, Ticked } from '@careloop/contract'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeManualClock } from '../engine/clock/manual-clock.ts'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { aReading, catchUp, LAZY, logged, type Worn, worn } from './fixtures.ts'
import { splitGap } from './gap-watch.ts'
import { latest } from './latest.ts'
import { readSeries } from './read-series.ts'

const MIN = 60_000
const T0 = Date.UTC(2026, 0, 5, 8)
const clock = makeManualClock(T0)
/** The stage runs on real time; what is stored is stored at scripted times. */
let ground: TestEngine
let tenant: string
let writer: ReturnType<TestEngine['another']>

beforeAll(async () => {
  ground = await testEngine()
  writer = ground.another({ clock })
  tenant = await ground.tenant()
})
afterAll(() => ground?.stop())

const at = async (minute: number, ...entries: Parameters<typeof writer.engine.log.append>[0]) => {
  clock.step(T0 + minute * MIN)
  await writer.engine.log.append(entries)
}
const heard = (by: Worn, minute: number, measured = minute, signal = 'temperature-ambient') =>
  at(minute, logged(by, [aReading(signal, T0 + measured * MIN, 4.5)]))
const tick = (minute: number): Promise<void> => at(minute, { kind: 'tick', at: T0 + minute * MIN } satisfies Ticked)
const door = (minute: number, kind: DoorChanged['kind'], heardUntil?: number) =>
  at(minute, { kind, process: 'p1', ...(heardUntil === undefined ? {} : { heardUntil: T0 + heardUntil * MIN }) })

const gapsOf = async (by: Worn, from = 0, to = 1e6) => {
  await catchUp(ground.engine, LAZY) // a stage of its own each time: what it must know, it finds
  const answer = await readSeries(ground.engine, {
    ...{ tenant: by.tenant, subject: by.subject, maxPoints: 10_000 },
    ...{ from: T0 + from * MIN, to: T0 + to * MIN },
  })
  const minute = (ms: number | null) => (ms === null ? null : (ms - T0) / MIN)
  return answer.gaps.map((gap) => [
    gap.series === null ? 'all' : gap.signal,
    minute(gap.from),
    minute(gap.to),
    gap.reason,
  ])
}

const setInterval = async (by: Worn, ms: number) => {
  await catchUp(ground.engine, LAZY)
  await ground.engine.db.pool.query('update tenant.series set expected_interval_ms = $2 where device = $1', [
    by.device,
    ms,
  ])
}

describe('telemetry gaps', () => {
  it('opens a gap when a signal falls silent, closes it when data returns, and says no-data meanwhile', async () => {
    const by = worn(tenant)
    await heard(by, 0)
    await setInterval(by, MIN)
    for (let minute = 1; minute <= 5; minute++) await heard(by, minute)
    await tick(6.9)
    expect(await gapsOf(by)).toEqual([])
    await tick(8)
    expect(await gapsOf(by)).toEqual([['temperature-ambient', 5, null, 'no-data']])
    const now = T0 + 8 * MIN
    const [value] = await latest(ground.engine, { tenant, subject: by.subject, now })
    expect(value).toMatchObject({ state: 'no-data', current: null, ageMs: 3 * MIN, last: { value: 4.5 } })
    await heard(by, 20)
    expect(await gapsOf(by)).toEqual([['temperature-ambient', 5, 20, 'no-data']])
    const [fresh] = await latest(ground.engine, { tenant, subject: by.subject, now: T0 + 21 * MIN })
    expect(fresh).toMatchObject({ state: 'fresh', current: { measuredAt: T0 + 20 * MIN } })
    const [stale] = await latest(ground.engine, { tenant, subject: by.subject, now: T0 + 23 * MIN })
    expect(stale).toMatchObject({ state: 'stale', current: null })
  })

  it('shrinks and splits a gap when late readings fill it, until nothing is left', async () => {
    const by = worn(tenant)
    await heard(by, 100)
    await setInterval(by, MIN)
    await heard(by, 130, 130)
    expect(await gapsOf(by)).toEqual([['temperature-ambient', 100, 130, 'no-data']])
    await at(
      140,
      logged(
        by,
        [110, 111, 112].map((minute) => aReading('temperature-ambient', T0 + minute * MIN, 5)),
      ),
    )
    expect(await gapsOf(by, 99, 131)).toEqual([
      ['temperature-ambient', 100, 110, 'no-data'],
      ['temperature-ambient', 112, 130, 'no-data'],
    ])
    const rest = [...Array(30).keys()].map((i) => 100 + i + 0.5)
    await at(
      141,
      logged(
        by,
        rest.map((minute) => aReading('temperature-ambient', T0 + minute * MIN, 5)),
      ),
    )
    expect(await gapsOf(by, 99, 131)).toEqual([])
  })

  it('says offline when the device had gone, and deaf when it was us, once for everyone', async () => {
    const by = worn(tenant)
    const report = (minute: number, what: DeviceReported['what']) =>
      at(minute, { kind: 'device-reported', tenant, device: by.device, receivedAt: T0, what, attributes: {} })
    await door(199, 'door-up')
    await report(199, 'connected')
    await heard(by, 200)
    await setInterval(by, MIN)
    await heard(by, 201)
    await report(201.1, 'last-will')
    await tick(204)
    await report(209, 'connected')
    await heard(by, 210)
    expect(await gapsOf(by, 198, 212)).toEqual([['temperature-ambient', 201, 210, 'offline']])
    await heard(by, 211)
    await door(211.5, 'door-down')
    await tick(225)
    expect(await gapsOf(by, 211, 226)).toEqual([['all', 211.5, null, 'deaf']])
    await door(240, 'door-up')
    await tick(241.5)
    expect(await gapsOf(by, 211, 242)).toEqual([['all', 211.5, 240, 'deaf']]) // the grace runs anew
    await heard(by, 241.9)
    expect(await gapsOf(by, 211, 242)).toEqual([
      ['temperature-ambient', 211, 241.9, 'deaf'],
      ['all', 211.5, 240, 'deaf'],
    ])
    await heard(by, 242)
    await door(300, 'door-up', 242.5) // after a crash
    expect(await gapsOf(by, 242.2, 301)).toEqual([['all', 242.5, 300, 'deaf']])
  })

  it.each([
    ['implausible', 'no-data', true],
    ['clock-unset', 'stale', false],
    ['clock-in-future', 'stale', false],
  ] as const)('never gives what is flagged %s as current', async (flag, state, isTimeKnown) => {
    const by = worn(tenant)
    await at(800, logged(by, [aReading('temperature-ambient', T0 + 800 * MIN, 4.5, { flags: [flag] })]))
    await catchUp(ground.engine, LAZY)
    const [value] = await latest(ground.engine, { tenant, subject: by.subject, now: T0 + 800 * MIN + 1 })
    expect(value).toMatchObject({ state, current: null, isTimeKnown, last: { value: 4.5, flags: [flag] } })
  })

  it('never sees a gap in what is measured now and then, nor after the device was taken off', async () => {
    const by = worn(tenant)
    await heard(by, 400, 400, 'systolic')
    await heard(by, 400)
    await setInterval(by, MIN)
    await ground.engine.db.pool.query(
      `update tenant.series set expected_interval_ms = null where device = $1 and signal = 'systolic'`,
      [by.device],
    )
    await heard(by, 401)
    const span = { id: by.assignment, subject: by.subject, from: T0, to: T0 + 402 * MIN }
    await at(402, { kind: 'assignment-changed', tenant, device: by.device, since: T0 + 402 * MIN, assignments: [span] })
    await tick(500)
    expect(await gapsOf(by, 399, 501)).toEqual([])
  })

  it('sees no gap in what another record system tells, which comes when it comes', async () => {
    const [told, measured] = [worn(tenant), worn(tenant)]
    const reading = aReading('spo2', T0 + 600 * MIN, 97)
    await at(600, logged(told, [reading], { origin: 'ehr' }), logged(measured, [reading]))
    await tick(700)
    expect(await gapsOf(measured, 599, 701)).toEqual([['spo2', 600, null, 'no-data']])
    expect(await gapsOf(told, 599, 701)).toEqual([])
  })

  it('leaves of a gap exactly what no reading comes near', () => {
    const times = fc.array(fc.integer({ min: 0, max: 1_000 }), { maxLength: 20 })
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 100 }), (late, grace) => {
        const parts = splitGap({ fromMs: 0, toMs: 1_000 }, late, grace)
        const edges = [0, ...late, 1_000].sort((a, b) => a - b)
        for (let i = 1; i < edges.length; i++) {
          const hole = { fromMs: edges[i - 1]!, toMs: edges[i]! }
          const isGap = hole.toMs - hole.fromMs > grace || (hole.fromMs === 0 && hole.toMs === 1_000)
          const found = parts.some((part) => part.fromMs === hole.fromMs && part.toMs === hole.toMs)
          if (hole.toMs > hole.fromMs) expect(found).toBe(isGap)
        }
      }),
    )
  })
})
