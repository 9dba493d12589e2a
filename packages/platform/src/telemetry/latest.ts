/** What is known now of a subject: per signal the newest reading with its age, and whether it may be taken as current. */
import type { EpochMs } from '@careloop/contract'
import type { EngineTx } from '../engine/index.ts'
import { type KeptReading, readingAt } from './codec/columns.ts'
import type { ShowsSignal } from './looking.ts'
import { type Gap, readGaps } from './read-gaps.ts'
import { newestParts, PartReader } from './read-store.ts'
import { findSeries, graceMs, type Series } from './series.ts'
import type { StorePorts } from './store-ports.ts'

/**
 * - `fresh`: within twice the expected interval (at least 60 s), of a stream (a value each 3 s or oftener) within 8 s, so that a page
 *   shows within 10 s that it stopped; of signals measured now and then, within a day.
 * - `stale`: older.
 * - `no-data`: a gap is open, the device gave no number or one that cannot be, or nothing was ever measured: there is no
 *   current value.
 * What a device measured by a clock that was not set or ran ahead is never `fresh`: nobody knows its age.
 */
export type Freshness = 'fresh' | 'stale' | 'no-data'

export interface LatestValue {
  readonly signal: string
  readonly unit: string
  readonly state: Freshness
  /** The value to show as current; null unless fresh. The last one is never repeated as current. */
  readonly current: KeptReading | null
  /** The newest reading, whatever its age. */
  readonly last: KeptReading
  readonly ageMs: number
  /** False: the device's clock was not set or ran ahead, so `ageMs` may be anything. */
  readonly isTimeKnown: boolean
  /** Age from which on the value is stale, ms: a page that cannot read any more judges by it. */
  readonly freshForMs: number
  readonly series: number
  readonly device: string
  /** The open gap, if there is one. */
  readonly gap: Gap | null
}

const SPOT_FRESH_MS = 86_400_000
const STREAM_MS = 3_000
const STREAM_FRESH_MS = 8_000

/** Age up to which a value may be shown as current. A gap is told later: a pause of some seconds is no missing data. */
function freshFor({ intervalMs }: Series): number {
  if (intervalMs === null) return SPOT_FRESH_MS
  return intervalMs <= STREAM_MS ? STREAM_FRESH_MS : graceMs(intervalMs)
}

/** Newest first by signal name; signals of which nothing was ever stored are not there. */
export async function latest(
  ports: StorePorts,
  question: { tenant: string; subject: string; now: EpochMs },
  alongside?: (tx: EngineTx) => Promise<ShowsSignal | undefined>,
): Promise<LatestValue[]> {
  const { tenant, subject, now } = question
  return ports.db.asEngine(async (tx) => {
    await tx.client.query('set transaction isolation level repeatable read')
    const shows = (await alongside?.(tx)) ?? (() => true)
    const { series, gaps } = await tx.asTenant(tenant, async (tenantTx) => {
      const series = (await findSeries(tenantTx, { subject })).filter((one) => shows(one.signal))
      return { series, gaps: await readGaps(tenantTx, { series: series.map((one) => one.id), from: now, to: now }) }
    })
    const reader = new PartReader(ports, tx, series)
    const byId = new Map(series.map((one) => [one.id, one]))
    const newest = new Map<string, { series: Series; reading: KeptReading }>()
    const parts = await newestParts(
      tx,
      series.map((one) => one.id),
    )
    for await (const { part, columns } of reader.readings(parts)) {
      const one = byId.get(part.series)!
      const reading = readingAt(columns, columns.n - 1)
      const known = newest.get(one.signal)
      if (!known || reading.measuredAt >= known.reading.measuredAt) newest.set(one.signal, { series: one, reading })
    }
    return [...newest.values()]
      .map(({ series, reading }) => judge(series, reading, gaps, now))
      .sort((a, b) => (a.signal < b.signal ? -1 : 1))
  })
}

/** What a newest reading is worth now. */
export function judge(series: Series, last: KeptReading, gaps: readonly Gap[], now: EpochMs): LatestValue {
  const ageMs = now - last.measuredAt
  const gap = gaps.find((one) => one.series === series.id && one.to === null) ?? null
  const isAbsent = typeof last.value === 'object' && 'absent' in last.value
  const freshForMs = freshFor(series)
  const isTimeKnown = !last.flags?.some((flag) => flag === 'clock-unset' || flag === 'clock-in-future')
  const isImplausible = last.flags?.includes('implausible') ?? false
  const isFresh = isTimeKnown && ageMs <= freshForMs
  const state: Freshness = gap !== null || isAbsent || isImplausible ? 'no-data' : isFresh ? 'fresh' : 'stale'
  const { signal, unit, device } = series
  const current = state === 'fresh' ? last : null
  return { signal, unit, state, current, last, ageMs, isTimeKnown, freshForMs, series: series.id, device, gap }
}
