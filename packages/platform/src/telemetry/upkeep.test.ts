import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { aReading, catchUp, EAGER, logged, type Worn, worn } from './fixtures.ts'
import { readSeries } from './read-series.ts'
import { DAY } from './resolution.ts'
import { retireChunks } from './retention.ts'
import { makeWindows } from './windows.ts'

const T0 = Math.floor(Date.UTC(2026, 0, 1) / (32 * DAY)) * 32 * DAY + 10 * DAY
let ground: TestEngine
let tenant: string

beforeAll(async () => {
  ground = await testEngine()
  tenant = await ground.tenant()
})
afterAll(() => ground?.stop())

/** Not too regular: what compresses to nothing gets no rollup. */
const noise = (i: number) => (Math.imul(i + 1, 2_654_435_761) >>> 20) % 50

const perMinute = (n: number, start: number) =>
  Array.from({ length: n }, (_, i) => aReading('temperature-ambient', start + i * 60_000, 20 + noise(i) / 10))

const keep = async (by: Worn, readings: ReturnType<typeof perMinute>) => {
  for (let start = 0; start < readings.length; start += 10_000)
    await ground.engine.log.append([logged(by, readings.slice(start, start + 10_000))])
  await catchUp(ground.engine, EAGER)
}

const summary = async (by: Worn, maxPoints: number) => {
  const answer = await readSeries(ground.engine, { tenant, subject: by.subject, from: 0, to: T0 * 2, maxPoints })
  const { buckets } = answer.series[0]!
  return {
    points: buckets.length,
    n: buckets.reduce((sum, one) => sum + one.n, 0),
    min: Math.min(...buckets.map((one) => one.min ?? 999)),
    max: Math.max(...buckets.map((one) => one.max ?? -999)),
    sum: Math.round(buckets.reduce((sum, one) => sum + (one.mean ?? 0) * one.n, 0)),
  }
}

const tiers = async (by: Worn) => {
  const { rows } = await ground.engine.db.pool.query<{ tier: number; n: string }>(
    `select tier, count(*) as n from engine.chunk
      where series_id in (select id from tenant.series where device = $1) group by tier order by tier`,
    [by.device],
  )
  return Object.fromEntries(rows.map((row) => [row.tier, Number(row.n)]))
}

describe('telemetry upkeep', () => {
  it('answers long questions from windows as from readings, also after late data came into one', async () => {
    const by = worn(tenant)
    const readings = perMinute(50 * 1_440, T0)
    readings[30_000] = { ...readings[30_000]!, value: 99 }
    await keep(by, readings)
    const before = await summary(by, 300)
    expect(before).toMatchObject({ n: readings.length, max: 99, min: 20 })
    expect(await makeWindows(ground.engine, tenant)).toBe(1)
    expect((await tiers(by))[2]).toBe(1)
    expect(await summary(by, 300)).toEqual(before)
    await keep(by, [aReading('temperature-ambient', T0 + 5_000, -40)])
    expect((await tiers(by))[2]).toBeUndefined()
    expect(await summary(by, 300)).toMatchObject({ n: readings.length + 1, min: -40, max: 99 })
    expect(await makeWindows(ground.engine, tenant)).toBe(1)
    expect(await summary(by, 300)).toMatchObject({ n: readings.length + 1, min: -40, max: 99 })
    expect(await makeWindows(ground.engine, tenant)).toBe(0)
  })

  it('lets old readings go by whole chunks, keeps what they came to, and records that', async () => {
    const dense = worn(tenant)
    const spot = worn(tenant)
    const old = ground.engine.clock.now() - 800 * DAY
    await keep(dense, perMinute(9_000, old))
    await keep(spot, [aReading('systolic', old, 131)])
    const before = await summary(dense, 40)
    expect(await retireChunks(ground.engine, tenant, { rawDays: null })).toBe(0)
    expect(await retireChunks(ground.engine, tenant, {})).toBeGreaterThan(0)
    expect((await tiers(dense))[0]).toBeUndefined()
    expect(await summary(dense, 40)).toEqual(before)
    expect(await summary(dense, 100_000)).toMatchObject({ n: 9_000 })
    expect(await tiers(spot)).toEqual({ 0: 1 }) // small, and all there is
    const { rows } = await ground.engine.db.pool.query(
      `select action, resource from tenant.audit_entry where tenant_id = $1 and principal_id = 'telemetry-upkeep'`,
      [tenant],
    )
    expect(rows).toEqual([{ action: 'delete', resource: 'series' }])
    await keep(dense, [aReading('temperature-ambient', old, 21)]) // two years late, into a span that is gone
    expect(await summary(dense, 40)).toMatchObject({ n: 9_001 })
    expect(await retireChunks(ground.engine, tenant, { bySignal: { systolic: 365 } })).toBe(1)
    expect(await tiers(spot)).toEqual({})
  })

  it('finds what it reads by index, as careloop_app and as engine', async () => {
    await ground.engine.db.asTenant(tenant, async (tx) => {
      await tx.client.query('set local enable_seqscan = off')
      const plan = async (sql: string) =>
        (await tx.client.query<{ 'QUERY PLAN': string }>(`explain ${sql}`)).rows
          .map((row) => row['QUERY PLAN'])
          .join('\n')
      const id = `'${tenant}'::uuid`
      expect(
        await plan(`select * from tenant.series where tenant_id = ${id} and subject = ${id} and signal = 'spo2'`),
      ).toMatch(/Index Scan using series_subject.*\n.*Index Cond: .*subject.*signal/)
      expect(await plan(`select * from tenant.gap where tenant_id = ${id} and series_id = 7 and from_ms <= 5`)).toMatch(
        /gap_series(.|\n)*Index Cond: .*series_id.*from_ms/,
      )
    })
    await ground.engine.db.asEngine(async (tx) => {
      await tx.client.query('set local enable_seqscan = off')
      const { rows } = await tx.client.query<{ 'QUERY PLAN': string }>(
        'explain select * from engine.chunk where series_id = 7 and tier in (0, 1) and from_ms >= 3 and from_ms <= 9',
      )
      expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/chunk_pkey(.|\n)*Index Cond: .*from_ms/)
    })
  })
})
