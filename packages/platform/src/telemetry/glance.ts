/**
 * Many subjects at a glance: per device and signal the newest reading and what the last hours came to, step by step. A wall board
 * asks for hundreds of them again and again, so everything is read in a handful of statements, and a stored part is opened once.
 */
import type { EpochMs } from '@careloop/contract'
import type { KeptReading } from './codec/columns.ts'
import { judge, type LatestValue } from './latest.ts'
import { type AllowedBand, outSinceOf, type PartSummary, summaryOfBuckets, summaryOfReadings } from './part-summary.ts'
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
  /** Where values may be; null = anywhere. The answer says since when they have been outside without a break. */
  readonly bandOf?: (subject: string, signal: string) => AllowedBand | null
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
  /** Since when every reading was outside its band, up to the newest; at the earliest the beginning of the trace. */
  readonly outSince: EpochMs | null
}

/** One of each (subject, device, signal) of which anything was ever stored. */
export type Glance = (question: GlanceQuestion) => Promise<Glanced[]>

/** Summaries that are kept, of about 1 kB: 200 units with 24 h in 100 parts each. */
const summariesKept = 20_000

/** @returns a glance that remembers what the parts it opened came to: numbers in memory, as the names of subjects are */
export function makeGlance(ports: StorePorts): Glance {
  const kept = new Map<string, PartSummary>()
  return async (question) => {
    const { tenant, subjects, signals, besides = [], now, from, stepMs } = question
    return ports.db.asEngine(async (tx) => {
      await tx.client.query('set transaction isolation level repeatable read')
      const { series, gaps } = await tx.asTenant(tenant, async (tenantTx) => {
        const series = await findSeries(tenantTx, { subjects, signals: [...signals, ...besides] })
        return { series, gaps: await readGaps(tenantTx, { series: series.map((one) => one.id), from: now, to: now }) }
      })
      const drawn = new Set(signals)
      const traced = series.filter((one) => drawn.has(one.signal)).map((one) => one.id)
      const plan = planBuckets(await listParts(tx, traced, from, now), from, now, stepMs)
      const ids = series.map((one) => one.id)
      const parts: Parts = { ...plan, newest: await newestParts(tx, ids) }
      const summaries = await summariesOf(new PartReader(ports, tx, series), series, parts, kept, question)
      const bySeries = Map.groupBy([...plan.raw, ...plan.rolledUp], (part) => part.series)
      const newestOf = Map.groupBy(parts.newest, (part) => part.series)
      const byName = Map.groupBy(series, (one) => `${one.subject} ${one.device} ${one.signal}`)
      return [...byName.values()].flatMap((some) => {
        const drawnParts = some.flatMap((one) => bySeries.get(one.id) ?? [])
        const last = newestReading(
          some.flatMap((one) => newestOf.get(one.id) ?? []),
          summaries,
        )
        if (last === null) return []
        const of = some.find((one) => one.id === last.series)!
        const judged = judge(of, last.reading, gaps, now)
        return [{ ...judged, subject: of.subject!, ...drawnFrom(drawnParts, summaries, question) }]
      })
    })
  }
}

interface Parts {
  readonly raw: readonly StoredPart[]
  readonly rolledUp: readonly StoredPart[]
  readonly newest: readonly StoredPart[]
}

const nameOf = (part: StoredPart) =>
  `${part.series} ${part.kind} ${part.fromMs} ${part.toMs} ${part.position} ${part.part} ${part.n}`

/** By part: what was kept, and what has to be opened now. */
async function summariesOf(
  reader: PartReader,
  series: readonly Series[],
  { raw, rolledUp, newest }: Parts,
  kept: Map<string, PartSummary>,
  { stepMs, bandOf }: GlanceQuestion,
): Promise<ReadonlyMap<string, PartSummary>> {
  const bands = new Map(series.map((one) => [one.id, bandOf?.(one.subject!, one.signal) ?? null]))
  const keyOf = (part: StoredPart): string => {
    const band = bands.get(part.series)!
    return `${nameOf(part)} ${stepMs} ${band?.low} ${band?.high}`
  }
  const found = new Map<string, PartSummary>()
  const missing = (parts: readonly StoredPart[]): StoredPart[] => {
    const unknown = new Map<string, StoredPart>()
    for (const part of parts) {
      const key = keyOf(part)
      const known = kept.get(key)
      if (known === undefined) unknown.set(key, part)
      else found.set(nameOf(part), known)
    }
    return [...unknown.values()]
  }
  const keep = (part: StoredPart, summary: PartSummary) => {
    if (kept.size >= summariesKept) kept.delete(kept.keys().next().value!)
    kept.set(keyOf(part), summary)
    found.set(nameOf(part), summary)
  }
  for await (const { part, columns } of reader.readings(missing([...raw, ...newest])))
    keep(part, summaryOfReadings(columns, stepMs, bands.get(part.series)!))
  for await (const { part, buckets } of reader.buckets(missing(rolledUp)))
    keep(part, summaryOfBuckets(buckets, stepMs, bands.get(part.series)!))
  return found
}

function newestReading(parts: readonly StoredPart[], summaries: ReadonlyMap<string, PartSummary>) {
  let newest: { readonly series: number; readonly reading: KeptReading } | null = null
  for (const part of parts) {
    const reading = summaries.get(nameOf(part))!.last
    if (reading === null || (newest !== null && reading.measuredAt < newest.reading.measuredAt)) continue
    newest = { series: part.series, reading }
  }
  return newest
}

/** In order of time: a device that was taken off a subject and put on again has several series there. */
function drawnFrom(
  parts: readonly StoredPart[],
  summaries: ReadonlyMap<string, PartSummary>,
  question: GlanceQuestion,
): Pick<Glanced, 'trace' | 'outSince'> {
  const sums = [...parts].sort((a, b) => a.fromMs - b.fromMs).map((part) => summaries.get(nameOf(part))!)
  const since = outSinceOf(sums)
  return { trace: traceOf(sums, question), outSince: since === null ? null : Math.max(since, question.from) }
}

function traceOf(sums: readonly PartSummary[], { from, stepMs, steps }: GlanceQuestion): TraceStep[] {
  const filled = Array.from({ length: steps }, () => ({ n: 0, sum: 0, min: Infinity, max: -Infinity }))
  for (const { steps: own } of sums)
    for (const { at, n, sum, min, max } of own) {
      const step = filled[(at - from) / stepMs]
      if (step === undefined) continue
      step.n += n
      step.sum += sum
      step.min = Math.min(step.min, min)
      step.max = Math.max(step.max, max)
    }
  return filled.map(({ n, sum, min, max }, i) => {
    const at = from + i * stepMs
    return n === 0 ? { at, min: null, max: null, mean: null } : { at, min, max, mean: sum / n }
  })
}
