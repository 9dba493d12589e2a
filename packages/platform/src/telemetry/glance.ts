/**
 * Many subjects at a glance: per device and signal the newest reading and what the last hours came to, step by step. A wall board
 * asks for hundreds at once, so everything is read in a handful of statements and each stored part is opened once.
 */
import type { EpochMs } from '@careloop/contract'
import type { EngineTx } from '../engine/index.ts'
import { type Columns, type KeptReading, readingAt } from './codec/columns.ts'
import type { Buckets } from './codec/rollup.ts'
import { judge, type LatestValue } from './latest.ts'
import { readGaps } from './read-gaps.ts'
import { planBuckets } from './read-series.ts'
import { listParts, newestParts, PartReader, type StoredPart } from './read-store.ts'
import { findSeries, type Series } from './series.ts'
import type { StorePorts } from './store-ports.ts'

export interface GlanceQuestion {
  readonly tenant: string
  readonly subjects: readonly string[]
  /** With a trace. */
  readonly signals: readonly string[]
  /** Newest value only (battery). */
  readonly besides?: readonly string[]
  readonly now: EpochMs
  /** Start of the first step, a multiple of `stepMs`. */
  readonly from: EpochMs
  readonly stepMs: number
  readonly steps: number
  /** Whether a value is one that should not be: the answer says since when it has been so without a break. */
  readonly isOut?: (subject: string, signal: string, value: number) => boolean
}

/** Of readings with a number in [at, at + stepMs); null when there was none. */
export interface TraceStep {
  readonly at: EpochMs
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
}

export interface Glanced extends LatestValue {
  readonly subject: string
  readonly trace: readonly TraceStep[]
  /** Since when every reading was out, up to the newest; at the earliest the beginning of the trace. */
  readonly outSince: EpochMs | null
}

/** One of each (subject, device, signal) of which anything was ever stored. */
export async function glance(
  ports: StorePorts,
  question: GlanceQuestion,
  alongside?: (tx: EngineTx) => Promise<void>,
): Promise<Glanced[]> {
  const { tenant, subjects, signals, besides = [], now, from } = question
  return ports.db.asEngine(async (tx) => {
    await tx.client.query('set transaction isolation level repeatable read')
    await alongside?.(tx)
    const { series, gaps } = await tx.asTenant(tenant, async (tenantTx) => {
      const series = await findSeries(tenantTx, { subjects, signals: [...signals, ...besides] })
      return { series, gaps: await readGaps(tenantTx, { series: series.map((one) => one.id), from: now, to: now }) }
    })
    const drawn = new Set(signals)
    const traced = series.filter((one) => drawn.has(one.signal)).map((one) => one.id)
    const parts = await listParts(tx, traced, from, now)
    const plan = planBuckets(parts, from, now, question.stepMs)
    const newest = await newestParts(
      tx,
      series.map((one) => one.id),
    )
    const found = await open(new PartReader(ports, tx, series), series, plan, newest)
    const byName = Map.groupBy(found.values(), ({ series: one }) => `${one.subject} ${one.device} ${one.signal}`)
    return [...byName.values()].flatMap((some) => {
      const last = some
        .filter((one) => one.last !== null)
        .sort((a, b) => a.last!.measuredAt - b.last!.measuredAt)
        .at(-1)
      if (last === undefined) return []
      const { subject } = last.series
      return { ...judge(last.series, last.last!, gaps, now), subject: subject!, ...traceOf(some, question) }
    })
  })
}

/** What was opened of one series. */
interface Opened {
  readonly series: Series
  last: KeptReading | null
  readonly spans: { readonly fromMs: number; readonly what: Columns | Buckets }[]
}

async function open(
  reader: PartReader,
  series: readonly Series[],
  plan: { readonly raw: readonly StoredPart[]; readonly rolledUp: readonly StoredPart[] },
  newest: readonly StoredPart[],
): Promise<ReadonlyMap<number, Opened>> {
  const found = new Map(series.map((one): [number, Opened] => [one.id, { series: one, last: null, spans: [] }]))
  const nameOf = (part: StoredPart) => `${part.series} ${part.kind} ${part.fromMs} ${part.position} ${part.part}`
  const isDrawn = new Set(plan.raw.map(nameOf))
  const wanted = new Map([...plan.raw, ...newest].map((part) => [nameOf(part), part]))
  for await (const { part, columns } of reader.readings([...wanted.values()])) {
    const one = found.get(part.series)!
    const last = readingAt(columns, columns.n - 1)
    if (one.last === null || last.measuredAt >= one.last.measuredAt) one.last = last
    if (isDrawn.has(nameOf(part))) one.spans.push({ fromMs: part.fromMs, what: columns })
  }
  for await (const { part, buckets } of reader.buckets(plan.rolledUp))
    found.get(part.series)!.spans.push({ fromMs: part.fromMs, what: buckets })
  return found
}

interface Step {
  n: number
  sum: number
  min: number
  max: number
}

/** Everything of one device and signal, in order of time; a device that was taken off and put on again has several series. */
function traceOf(some: readonly Opened[], question: GlanceQuestion): Pick<Glanced, 'trace' | 'outSince'> {
  const { from, stepMs, steps, now, isOut } = question
  const filled: Step[] = Array.from({ length: steps }, () => ({ n: 0, sum: 0, min: Infinity, max: -Infinity }))
  const { subject, signal } = some[0]!.series
  let outSince: EpochMs | null = null
  const add = (at: number, values: Step) => {
    const step = filled[Math.floor((at - from) / stepMs)]
    if (at > now || step === undefined) return
    step.n += values.n
    step.sum += values.sum
    step.min = Math.min(step.min, values.min)
    step.max = Math.max(step.max, values.max)
    if (isOut?.(subject!, signal, values.min) && isOut(subject!, signal, values.max)) outSince ??= at
    else outSince = null
  }
  const spans = some.flatMap((one) => one.spans).sort((a, b) => a.fromMs - b.fromMs)
  for (const { what } of spans) {
    if ('start' in what) eachBucket(what, add)
    else eachReading(what, add)
  }
  const trace = filled.map(({ n, sum, min, max }, i) => {
    const at = from + i * stepMs
    return n === 0 ? { at, min: null, max: null, mean: null } : { at, min, max, mean: sum / n }
  })
  return { trace, outSince }
}

function eachReading(columns: Columns, add: (at: number, values: Step) => void): void {
  for (let i = 0; i < columns.n; i++) {
    if (columns.special?.[i] !== undefined) continue
    const value = columns.value[i]!
    add(columns.measuredAt[i]!, { n: 1, sum: value, min: value, max: value })
  }
}

function eachBucket(buckets: Buckets, add: (at: number, values: Step) => void): void {
  for (let i = 0; i < buckets.size; i++) {
    if (buckets.n[i] === 0) continue
    add(buckets.start[i]!, { n: buckets.n[i]!, sum: buckets.sum[i]!, min: buckets.min[i]!, max: buckets.max[i]! })
  }
}
