/**
 * The days of one device derived anew, from what telemetry stores: after a corrected assignment, and for what was stored before
 * days were kept. Where retention has let the readings go, the rollups that remain say on which days there were any.
 */
import type { EpochMs, Origin } from '@careloop/contract'
import type { EngineTx } from '../engine/index.ts'
import { type Columns, flagCodes, originCodes } from './codec/columns.ts'
import { DayRows } from './day-rows.ts'
import { type Calendar, isClockSuspect } from './measurement-day.ts'
import { orphanRollups } from './read-series.ts'
import { listParts, PartReader, type StoredPart } from './read-store.ts'
import { findSeries, type Series } from './series.ts'
import type { StorePorts } from './store-ports.ts'
import { livedOf, spanAt } from './zones.ts'

export interface Deriving {
  readonly tenant: string
  readonly device: string
  /** Days that end at or before it stay as they are. */
  readonly since: EpochMs
}

/** No day is longer, ms. */
const LONGEST_DAY = 36 * 3_600_000
const END_OF_TIME = 8_640_000_000_000_000

export async function deriveDays(ports: StorePorts, tx: EngineTx, calendar: Calendar, what: Deriving): Promise<void> {
  const { tenant, device, since } = what
  const { series, lived } = await tx.asTenant(tenant, async (tenantTx) => {
    const series = (await findSeries(tenantTx, { device })).filter((one) => one.subject !== null)
    const lived = await livedOf(
      tenantTx,
      series.map((one) => one.subject!),
    )
    return { series: series.filter((one) => lived.get(one.subject!)?.kind === 'patient'), lived }
  })
  const rows = new DayRows()
  const note = (one: Series, at: EpochMs, origin: Origin, clockSuspect: boolean) => {
    const { timeZone } = spanAt(lived.get(one.subject!)!, at)
    const day = calendar.dayOf(at, timeZone)
    if (day.to <= since) return
    rows.add({
      subject: one.subject!,
      device,
      origin,
      localDate: day.date,
      timeZone,
      firstMeasuredAt: at,
      clockSuspect,
    })
  }
  await readAll(ports, series, Math.max(since, LONGEST_DAY) - LONGEST_DAY, note)
  await tx.asTenant(tenant, async (tenantTx) => {
    const { rows: known } = await tenantTx.client.query<DayRow>(
      `select subject_id, origin, local_date, time_zone, first_measured_at from tenant.measurement_day
        where tenant_id = $1 and device_id = $2 and first_measured_at >= $3`,
      [tenant, device, Math.floor(Math.max(since, LONGEST_DAY) - LONGEST_DAY)],
    )
    const touched = known.filter((row) => calendar.dayOf(Number(row.first_measured_at), row.time_zone).to > since)
    await tenantTx.client.query(
      `delete from tenant.measurement_day d using unnest($3::uuid[], $4::text[], $5::text[]) as t(subject, origin, date)
        where d.tenant_id = $1 and d.device_id = $2 and d.subject_id = t.subject and d.origin = t.origin and d.local_date = t.date`,
      [
        ...[tenant, device],
        ...[
          touched.map((row) => row.subject_id),
          touched.map((row) => row.origin),
          touched.map((row) => row.local_date),
        ],
      ],
    )
    await rows.write(tenantTx)
  })
}

type DayRow = { subject_id: string; origin: string; local_date: string; time_zone: string; first_measured_at: string }
type Note = (series: Series, at: EpochMs, origin: Origin, clockSuspect: boolean) => void

async function readAll(ports: StorePorts, series: readonly Series[], from: EpochMs, note: Note): Promise<void> {
  if (series.length === 0) return
  const able = await withKeys(ports, series)
  const byId = new Map(able.map((one) => [one.id, one]))
  await ports.db.asEngine(async (tx) => {
    // One moment for all that is read: a seal between two statements would show readings twice or not at all.
    await tx.client.query('set transaction isolation level repeatable read')
    const parts = await listParts(tx, [...byId.keys()], from, END_OF_TIME)
    const reader = new PartReader(ports, tx, able)
    for await (const { part, columns } of reader.readings(parts.filter(isReadings)))
      eachMeasured(columns, from, (at, origin, suspect) => note(byId.get(part.series)!, at, origin, suspect))
    // A rollup keeps no origin: what a person typed has a device of its own, so a device that is worn measured by itself.
    for await (const { part, buckets } of reader.buckets(orphanRollups(parts)))
      for (let i = 0; i < buckets.size; i++)
        if (buckets.n[i]! + buckets.below[i]! + buckets.above[i]! > 0)
          note(byId.get(part.series)!, Math.max(buckets.start[i]!, part.fromMs), 'automatic', false)
  })
}

const isReadings = (part: StoredPart): boolean => part.kind === 'open' || part.kind === 'raw'

/** Of whoever was erased nothing can be read, and nothing is kept. */
async function withKeys(ports: StorePorts, series: readonly Series[]): Promise<Series[]> {
  const able: Series[] = []
  for (const one of series)
    try {
      await ports.keys.keyFor('subject', one.subject!)
      able.push(one)
    } catch (error) {
      if ((error as { code?: string }).code !== 'key-destroyed') throw error
    }
  return able
}

const implausible = 1 << flagCodes.indexOf('implausible')

function eachMeasured(
  columns: Columns,
  from: EpochMs,
  fn: (at: EpochMs, origin: Origin, clockSuspect: boolean) => void,
): void {
  for (let i = 0; i < columns.n; i++) {
    const at = columns.measuredAt[i]!
    const flags = columns.flags?.[i] ?? 0
    if (at < from || flags & implausible || columns.special?.[i]?.startsWith('absent')) continue
    const named = flags === 0 ? undefined : flagCodes.filter((_, bit) => flags & (1 << bit))
    fn(at, originCodes[columns.origin?.[i] ?? 0]!, isClockSuspect(named))
  }
}
