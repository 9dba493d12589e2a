/**
 * Readings of a subject over a span: every reading when they are few, else at most `maxPoints` buckets in which the least and
 * the greatest value are kept, so that a plot shows each excursion. Open and sealed parts are one.
 */
import type { EpochMs } from '@careloop/contract'
import type { EngineTx } from '../engine/index.ts'
import { type Columns, joined, type KeptReading, toReadings } from './codec/columns.ts'
import { type Buckets, mergeBuckets, rollUp } from './codec/rollup.ts'
import { fail } from './errors.ts'
import type { ShowsSignal } from './looking.ts'
import { type Gap, readGaps } from './read-gaps.ts'
import { listParts, PartReader, type StoredPart, within } from './read-store.ts'
import { widthFor } from './resolution.ts'
import { findSeries, type Series } from './series.ts'
import type { StorePorts } from './store-ports.ts'

export interface SeriesQuestion {
  readonly tenant: string
  readonly subject: string
  /** All signals when absent. */
  readonly signal?: string | undefined
  /** Both ends included. */
  readonly from: EpochMs
  readonly to: EpochMs
  /** Of all series together, 1 to 100,000. */
  readonly maxPoints: number
}

/** A bucket of readings: [start, start + widthMs). */
export interface BucketPoint {
  readonly start: EpochMs
  /** Readings with a number; min, max and mean are of these, null when there is none. */
  readonly n: number
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
  /** Readings without a value, and beyond a limit (LOW, HIGH): show them, they are in no min or max. */
  readonly absent: number
  readonly below: number
  readonly above: number
}

export interface SeriesPart {
  readonly id: number
  readonly device: string
  readonly signal: string
  readonly assignment: string | null
  readonly unit: string
  /** In order of measuredAt; storedAt says that it came late, early or out of order. Empty when `buckets` is not. */
  readonly readings: readonly KeptReading[]
  readonly buckets: readonly BucketPoint[]
}

export interface SeriesAnswer {
  /** null = every reading is given. */
  readonly widthMs: number | null
  readonly series: readonly SeriesPart[]
  /** Where readings are missing, and why. `series` null = Careloop itself did not hear. */
  readonly gaps: readonly Gap[]
}

/** @param alongside runs in the same transaction, with the question allowed: the audit entry. It says which signals are shown */
export async function readSeries(
  ports: StorePorts,
  question: SeriesQuestion,
  alongside?: (tx: EngineTx) => Promise<ShowsSignal | undefined>,
): Promise<SeriesAnswer> {
  check(question)
  const { tenant, subject, signal, from, to } = question
  return ports.db.asEngine(async (tx) => {
    // One moment for all that follows: a seal between two statements would show readings twice or not at all.
    await tx.client.query('set transaction isolation level repeatable read')
    const shows = (await alongside?.(tx)) ?? (() => true)
    const { series, gaps } = await tx.asTenant(tenant, async (tenantTx) => {
      const series = (await findSeries(tenantTx, { subject, signal })).filter((one) => shows(one.signal))
      return { series, gaps: await readGaps(tenantTx, { series: series.map((one) => one.id), from, to }) }
    })
    const reader = new PartReader(ports, tx, series)
    const ids = series.map((one) => one.id)
    const parts = await listParts(tx, ids, from, to)
    const certain = parts.filter((part) => isReadings(part) && part.fromMs >= from && part.toMs <= to)
    const orphans = orphanRollups(parts)
    const few = orphans.length === 0 && certain.reduce((sum, part) => sum + part.n, 0) <= question.maxPoints
    const whole = few ? await readRaw(reader, series, parts, question) : null
    if (whole && [...whole.values()].reduce((sum, columns) => sum + columns.n, 0) <= question.maxPoints)
      return { widthMs: null, gaps, series: series.map((one) => partOf(one, whole.get(one.id), undefined)) }
    const coarsest = Math.max(1, ...orphans.map((part) => part.resolutionMs))
    const widthMs = widthFor(spansOf(series, parts, from, to), question.maxPoints, coarsest)
    const buckets = await readBuckets(reader, parts, question, widthMs)
    return { widthMs, gaps, series: series.map((one) => partOf(one, undefined, buckets.get(one.id))) }
  })
}

function check({ from, to, maxPoints }: SeriesQuestion): void {
  if (!Number.isFinite(from)) throw fail('range-invalid', 'Say from when, as an instant.', { pointer: '/query/from' })
  if (!Number.isFinite(to) || to < from)
    throw fail('range-invalid', 'Say until when, as an instant not before the beginning.', { pointer: '/query/to' })
  if (!(maxPoints >= 1 && maxPoints <= 100_000))
    throw fail('range-invalid', 'Ask for 1 to 100000 points.', { pointer: '/query/maxPoints' })
}

const isReadings = (part: StoredPart): boolean => part.kind === 'open' || part.kind === 'raw'

async function readRaw(
  reader: PartReader,
  series: readonly Series[],
  parts: readonly StoredPart[],
  { from, to }: SeriesQuestion,
): Promise<Map<number, Columns>> {
  const found = new Map<number, Columns[]>(series.map((one) => [one.id, []]))
  for await (const { part, columns } of reader.readings(parts.filter(isReadings)))
    found.get(part.series)!.push(within(columns, from, to))
  return new Map([...found].filter(([, some]) => some.length > 0).map(([id, some]) => [id, joined(some)]))
}

/** What each series' data spans inside the question. */
function spansOf(
  series: readonly Series[],
  parts: readonly StoredPart[],
  from: number,
  to: number,
): [number, number][] {
  return series.flatMap((one): [number, number][] => {
    const own = parts.filter((part) => part.series === one.id)
    if (own.length === 0) return []
    const first = Math.min(...own.map((part) => part.fromMs))
    const last = Math.max(...own.map((part) => part.toMs))
    return [[Math.max(from, first), Math.min(to, last)]]
  })
}

async function readBuckets(
  reader: PartReader,
  parts: readonly StoredPart[],
  { from, to }: SeriesQuestion,
  widthMs: number,
): Promise<Map<number, Buckets>> {
  const plan = planBuckets(parts, from, to, widthMs)
  const found = new Map<number, { fromMs: number; buckets: Buckets }[]>()
  const add = (part: StoredPart, buckets: Buckets) => {
    const own = found.get(part.series) ?? []
    found.set(part.series, own)
    own.push({ fromMs: part.fromMs, buckets })
  }
  for await (const { part, buckets } of reader.buckets(plan.rolledUp)) add(part, buckets)
  for await (const { part, columns } of reader.readings(plan.raw)) {
    const asked = outside(within(columns, from, to), part.kind === 'open' ? [] : (plan.windows.get(part.series) ?? []))
    add(part, rollUp(asked, widthMs))
  }
  return new Map(
    [...found].map(([id, own]) => {
      own.sort((a, b) => a.fromMs - b.fromMs)
      return [
        id,
        mergeBuckets(
          own.map((one) => one.buckets),
          widthMs,
        ),
      ]
    }),
  )
}

/**
 * Which rows answer: windows where they lie inside the question, rollups of chunks that lie inside it, else readings. Never
 * two for one reading. Open segments count always: they are in no rollup.
 */
export function planBuckets(parts: readonly StoredPart[], from: number, to: number, widthMs: number) {
  const usable = (part: StoredPart) => part.resolutionMs > 0 && widthMs % part.resolutionMs === 0
  const windows = Map.groupBy(
    parts.filter((part) => part.kind === 'window' && usable(part)),
    (part) => part.series,
  )
  const inWindow = (part: StoredPart) =>
    windows.get(part.series)?.some((window) => part.fromMs >= window.fromMs && part.toMs < window.toMs) ?? false
  const touchesWindow = (part: StoredPart) =>
    windows.get(part.series)?.some((window) => part.fromMs < window.toMs && part.toMs >= window.fromMs) ?? false
  const nameOf = (part: StoredPart) => `${part.series} ${part.fromMs} ${part.part}`
  const rollups = new Map(
    parts
      .filter((part) => part.kind === 'rollup' && usable(part) && part.fromMs >= from && part.toMs <= to)
      .map((part) => [nameOf(part), part]),
  )
  const rolledUp = [...windows.values()].flat()
  // Where retention has let the readings go, the rollup is what is left, also where it reaches beyond the question.
  for (const part of orphanRollups(parts)) if (usable(part) && !inWindow(part)) rolledUp.push(part)
  const raw: StoredPart[] = []
  for (const part of parts) {
    if (part.kind === 'open') raw.push(part)
    if (part.kind !== 'raw' || inWindow(part)) continue
    const rollup = touchesWindow(part) ? undefined : rollups.get(nameOf(part))
    if (rollup) rolledUp.push(rollup)
    else raw.push(part)
  }
  return { rolledUp, raw, windows }
}

/** Rollups without their raw chunk. */
export function orphanRollups(parts: readonly StoredPart[]): StoredPart[] {
  const nameOf = (part: StoredPart) => `${part.series} ${part.fromMs} ${part.part}`
  const raw = new Set(parts.filter((part) => part.kind === 'raw').map(nameOf))
  return parts.filter((part) => part.kind === 'rollup' && !raw.has(nameOf(part)))
}

/** Readings that no window has counted. */
function outside(columns: Columns, windows: readonly StoredPart[]): Columns {
  let left = [columns]
  for (const window of windows)
    left = left.flatMap((some) => [
      within(some, Number.NEGATIVE_INFINITY, window.fromMs - 0.001),
      within(some, window.toMs, Number.POSITIVE_INFINITY),
    ])
  return joined(left)
}

function partOf(series: Series, columns: Columns | undefined, buckets: Buckets | undefined): SeriesPart {
  const { id, device, signal, assignment, unit } = series
  return {
    ...{ id, device, signal, assignment, unit },
    readings: columns ? toReadings(columns) : [],
    buckets: buckets ? pointsOf(buckets) : [],
  }
}

function pointsOf(buckets: Buckets): BucketPoint[] {
  return Array.from({ length: buckets.size }, (_, i) => {
    const n = buckets.n[i]!
    return {
      start: buckets.start[i]!,
      n,
      min: n === 0 ? null : buckets.min[i]!,
      max: n === 0 ? null : buckets.max[i]!,
      mean: n === 0 ? null : buckets.sum[i]! / n,
      absent: buckets.absent[i]!,
      below: buckets.below[i]!,
      above: buckets.above[i]!,
    }
  })
}
