/**
 * What a reading costs to keep, and how long a month takes to read. Bytes are PostgreSQL's own figure of whole tables (rows,
 * TOAST, primary key, free space) after VACUUM FULL, of as many copies of a set as make page edges small. Readings come in
 * as they would live: an open segment per series and 2 s (or reading, where they are rarer), sealed at 1,000 readings or
 * 15 minutes. What is stored is read back and compared with the source before it is counted.
 *
 * npm run bench:storage [-- --json] [-- --only=<part of a set's name>]
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { masterKeysInMemory } from '../packages/platform/src/engine/keys/master-key.ts'
import { migrate } from '../packages/platform/src/engine/migrate/index.ts'
import { openEngine } from '../packages/platform/src/engine/open-engine.ts'
import type { Engine } from '../packages/platform/src/engine/ports.ts'
import { startPostgres } from '../packages/platform/src/engine/postgres/index.ts'
import { makeWatch } from '../packages/platform/src/engine/watch/watch.ts'
import { empty, slice } from '../packages/platform/src/telemetry/codec/columns.ts'
import { worn } from '../packages/platform/src/telemetry/fixtures.ts'
import { readSeries } from '../packages/platform/src/telemetry/read-series.ts'
import { sealSeries } from '../packages/platform/src/telemetry/sealer.ts'
import { insertSegments, type Segment, sealSegments } from '../packages/platform/src/telemetry/segments.ts'
import { ensureSeries, type Series } from '../packages/platform/src/telemetry/series.ts'
import { type Dataset, ownMonth, ownSets, realSets } from './storage-datasets.ts'

/** Readings that a figure is made of, at least: fewer, and page edges would count. */
const ENOUGH = 60_000
const MOST_COPIES = 300
const LIVE_BATCH_MS = 2_000
const SEAL_READINGS = 1_000
const SEAL_AFTER_MS = 900_000

interface Figures {
  readonly readings: number
  readonly openBytesPerReading: number
  readonly sealedBytesPerReading: number
  /** Part of it. */
  readonly rollupBytesPerReading: number
  readonly openReadings: number
}

const made = new WeakMap<Dataset, ReturnType<typeof empty>>()
const only = process.argv.find((arg) => arg.startsWith('--only='))?.slice('--only='.length)
const dataDir = mkdtempSync(join(tmpdir(), 'careloop-bench-'))
const postgres = await startPostgres({ dataDir: join(dataDir, 'postgres') })
await migrate(postgres.url)
const watch = makeWatch({ level: 'warn' })
const { engine, close } = openEngine({
  url: postgres.url,
  masters: masterKeysInMemory(randomBytes(32)),
  dataDir,
  watch,
})
try {
  await main(engine)
} finally {
  await close()
  await postgres.stop()
  rmSync(dataDir, { recursive: true, force: true })
}

async function main(engine: Engine): Promise<void> {
  const settings = await durableSettings(engine)
  const tenant = engine.ids.uuid()
  await engine.db.pool.query('insert into engine.tenant (id, name) values ($1, $2)', [tenant, 'bench'])
  const sets = [...realSets(), ...ownSets()].filter((set) => only === undefined || set.name.includes(only))
  const figures: Record<string, Figures & { dense: boolean; kind: string }> = {}
  for (const set of sets) {
    const result = await weigh(engine, tenant, set)
    figures[set.name] = { ...result, dense: set.isDense, kind: set.kind }
    printRow(set, result)
  }
  const keyBytes = await weighKeys(engine)
  const month = await readMonth(engine, tenant)
  console.log(`key of a subject: ${keyBytes.toFixed(0)} bytes, once, whatever is kept under it`)
  console.log(
    `a month of one signal at one a minute (${month.readings} readings): ${month.points} points in ${month.monthReadMs.toFixed(1)} ms (median of 15), every reading in ${month.monthRawMs.toFixed(1)} ms`,
  )
  const dense = sets.filter((set) => set.isDense && set.kind !== 'derived').map((set) => set.name)
  const worst = Math.max(0, ...dense.map((name) => figures[name]!.sealedBytesPerReading))
  console.log(
    `bar: dense signals <= 5 sealed bytes a reading: ${worst.toFixed(2)} at most; month <= 100 ms: ${month.monthReadMs.toFixed(1)}`,
  )
  if (process.argv.includes('--json')) {
    const machine = {
      cpu: cpus()[0]?.model ?? '',
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      node: process.version,
    }
    const metrics = { settings, worstDenseSealedBytesPerReading: worst, keyBytes, ...month, sets: figures }
    console.log(JSON.stringify({ bench: 'storage', machine, metrics }))
  }
  assert.ok(worst <= 5, 'a dense signal takes more than 5 sealed bytes a reading')
  assert.ok(month.monthReadMs <= 100, 'a month takes longer than 100 ms to read')
}

async function durableSettings(engine: Engine): Promise<Record<string, string>> {
  const settings: Record<string, string> = {}
  for (const name of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    const { rows } = await engine.db.pool.query<{ value: string }>('select current_setting($1) as value', [name])
    settings[name] = rows[0]!.value
    assert.equal(settings[name], 'on', name)
  }
  console.log(
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
  )
  console.log(
    `${'set'.padEnd(38)}${'readings'.padStart(10)}${'open B'.padStart(9)}${'sealed B'.padStart(10)}${'of it rollup'.padStart(14)}`,
  )
  return settings
}

function printRow(set: Dataset, figures: Figures): void {
  const number = (value: number, width: number) => value.toFixed(2).padStart(width)
  console.log(
    set.name.padEnd(38) +
      String(figures.readings).padStart(10) +
      number(figures.openBytesPerReading, 9) +
      number(figures.sealedBytesPerReading, 10) +
      number(figures.rollupBytesPerReading, 14),
  )
}

// ---------------------------------------------------------------- weighing

async function weigh(engine: Engine, tenant: string, set: Dataset): Promise<Figures> {
  await engine.db.pool.query('truncate engine.sample, engine.chunk')
  const n = set.times.length
  const copies = Math.min(MOST_COPIES, Math.ceil(ENOUGH / n))
  const series = await makeSeries(engine, tenant, set.signal, copies)
  const openBytes = await weighOpen(engine, series, set)
  await engine.db.pool.query('truncate engine.sample')
  await keepLive(engine, series, set)
  await assertSame(engine, series[copies - 1]!, set)
  const sealed = await sizeOf(engine, 'chunk')
  await engine.db.pool.query('delete from engine.chunk where tier > 0')
  const raw = await sizeOf(engine, 'chunk')
  const readings = n * copies
  return {
    readings,
    openReadings: openBytes.readings,
    openBytesPerReading: openBytes.bytes / openBytes.readings,
    sealedBytesPerReading: sealed / readings,
    rollupBytesPerReading: (sealed - raw) / readings,
  }
}

async function makeSeries(engine: Engine, tenant: string, signal: string, copies: number): Promise<Series[]> {
  const names = Array.from({ length: copies }, () => ({ ...worn(tenant), signal }))
  return engine.db.asTenant(tenant, (tx) => ensureSeries(tx, names))
}

/** Segments as the stage would write them live, of the set's first part: open rows never hold more. */
async function weighOpen(engine: Engine, series: readonly Series[], set: Dataset) {
  const readings = Math.min(set.times.length, 20_000)
  let position = 1
  for (let start = 0; start < readings; ) {
    let end = start + 1
    while (end < readings && set.times[end]! - set.times[start]! < LIVE_BATCH_MS) end++
    await insertOpen(engine, series, set, start, end, position++)
    start = end
  }
  return { bytes: await sizeOf(engine, 'sample'), readings: readings * series.length }
}

async function insertOpen(
  engine: Engine,
  series: readonly Series[],
  set: Dataset,
  start: number,
  end: number,
  position: number,
) {
  const columns = slice(columnsOf(set), start, end)
  const segments: Segment[] = []
  for (const one of series) {
    const key = await engine.keys.keyFor('subject', one.subject!)
    segments.push(...sealSegments(key, columns, { series: one.id, position, part: 0, storedMs: set.times[end - 1]! }))
  }
  await engine.db.asEngine((tx) => insertSegments(tx, 0, segments))
}

/** Fills and seals as time would: 1,000 readings or 15 minutes at a time. */
async function keepLive(engine: Engine, series: readonly Series[], set: Dataset): Promise<void> {
  let position = 1
  for (let start = 0; start < set.times.length; ) {
    let end = start + 1
    while (end < set.times.length && end - start < SEAL_READINGS && set.times[end]! - set.times[start]! < SEAL_AFTER_MS)
      end++
    await insertOpen(engine, series, set, start, end, position++)
    await sealSeries(engine, series, async () => {})
    start = end
  }
}

function columnsOf(set: Dataset) {
  const known = made.get(set)
  if (known) return known
  const columns = { ...empty(set.times.length), measuredAt: set.times, value: set.values }
  made.set(set, columns)
  return columns
}

async function assertSame(engine: Engine, series: Series, set: Dataset): Promise<void> {
  const question = { tenant: series.tenant, subject: series.subject!, from: 0, to: 4e12, maxPoints: 100_000 }
  if (set.times.length > question.maxPoints) return assertCounted(engine, series, set)
  const { series: found } = await readSeries(engine, question)
  const readings = found[0]!.readings
  assert.equal(readings.length, set.times.length)
  for (const [i, reading] of readings.entries()) {
    assert.equal(reading.measuredAt, set.times[i])
    assert.ok(Object.is(reading.value, set.values[i]))
  }
}

/** Too many to ask for one by one: their number, least and greatest. */
async function assertCounted(engine: Engine, series: Series, set: Dataset): Promise<void> {
  const { series: found } = await readSeries(engine, {
    ...{ tenant: series.tenant, subject: series.subject!, from: 0, to: 4e12, maxPoints: 500 },
  })
  const { buckets } = found[0]!
  const extreme = (pick: (a: number, b: number) => number, from: Iterable<number>) =>
    [...from].reduce((a, b) => pick(a, b))
  assert.equal(
    buckets.reduce((sum, bucket) => sum + bucket.n, 0),
    set.times.length,
  )
  assert.equal(
    extreme(
      Math.max,
      buckets.map((bucket) => bucket.max!),
    ),
    extreme(Math.max, set.values),
  )
  assert.equal(
    extreme(
      Math.min,
      buckets.map((bucket) => bucket.min!),
    ),
    extreme(Math.min, set.values),
  )
}

async function sizeOf(engine: Engine, table: 'sample' | 'chunk' | 'data_key'): Promise<number> {
  await engine.db.pool.query(`vacuum full engine.${table}`)
  const { rows } = await engine.db.pool.query<{ bytes: string }>(
    `select pg_total_relation_size('engine.${table}') as bytes`,
  )
  return Number(rows[0]!.bytes)
}

async function weighKeys(engine: Engine): Promise<number> {
  const { rows } = await engine.db.pool.query<{ n: string }>('select count(*) as n from engine.data_key')
  return (await sizeOf(engine, 'data_key')) / Number(rows[0]!.n)
}

// ---------------------------------------------------------------- a month

async function readMonth(engine: Engine, tenant: string) {
  await engine.db.pool.query('truncate engine.sample, engine.chunk')
  const set = ownMonth()
  const series = await makeSeries(engine, tenant, set.signal, 1)
  await keepLive(engine, series, set)
  const time = async (maxPoints: number) => {
    const question = {
      tenant,
      subject: series[0]!.subject!,
      signal: set.signal,
      from: set.times[0]!,
      to: set.times.at(-1)!,
      maxPoints,
    }
    const begun = performance.now()
    const answer = await readSeries(engine, question)
    const ms = performance.now() - begun
    return { ms, points: answer.series[0]!.buckets.length + answer.series[0]!.readings.length }
  }
  const median = async (maxPoints: number) => {
    const runs: { ms: number; points: number }[] = []
    for (let i = 0; i < 15; i++) runs.push(await time(maxPoints))
    return runs.sort((a, b) => a.ms - b.ms)[7]!
  }
  const plotted = await median(1_500)
  const raw = await median(100_000)
  assert.equal(raw.points, set.times.length)
  return { readings: set.times.length, points: plotted.points, monthReadMs: plotted.ms, monthRawMs: raw.ms }
}
