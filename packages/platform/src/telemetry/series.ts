/** A series is (device, signal, assignment): whose readings, of what, by which device, while worn by whom. */
import { signal as signalOf } from '@careloop/contract'
import { sql } from 'kysely'
import { bigints, type Engine, type EngineTx, type TenantTx } from '../engine/index.ts'
import type { TelemetryTables } from './schema.ts'

/** What identifies a series. Without assignment and subject: readings that a correction took from everyone. */
export interface SeriesName {
  readonly tenant: string
  readonly device: string
  readonly signal: string
  readonly assignment: string | null
  readonly subject: string | null
}

export interface Series extends SeriesName {
  readonly id: number
  /** UCUM. */
  readonly unit: string
  /** How often a value is expected, ms; null = when it happens. What the device was seen to do counts where that is slower. */
  readonly intervalMs: number | null
  /** Somebody set the interval: nothing is learned. */
  readonly isIntervalSet: boolean
  /** End of the assignment, once it has one. */
  readonly wornUntilMs: number | null
}

type Row = {
  id: string
  device: string
  signal: string
  assignment: string | null
  subject: string | null
  unit: string
  expected_interval_ms: string | null
  learned_interval_ms: string | null
  worn_until_ms: string | null
}

const seriesOf = (tenant: string, row: Row): Series => ({
  tenant,
  id: Number(row.id),
  device: row.device,
  signal: row.signal,
  assignment: row.assignment,
  subject: row.subject,
  unit: row.unit,
  intervalMs: intervalOf(row),
  isIntervalSet: row.expected_interval_ms !== null,
  wornUntilMs: row.worn_until_ms === null ? null : Number(row.worn_until_ms),
})

function intervalOf(row: Row): number | null {
  if (row.expected_interval_ms !== null) return Number(row.expected_interval_ms)
  const usual = signalOf(row.signal)?.intervalMs ?? null
  return usual === null ? null : Math.max(usual, Number(row.learned_interval_ms ?? 0))
}

/** Silence longer than this is a gap, ms. */
export const graceMs = (intervalMs: number): number => Math.max(2 * intervalMs, 60_000)

/** Series of the names, made where they are new; in the order of the names. Safe to repeat. */
export async function ensureSeries(tx: TenantTx, names: readonly SeriesName[]): Promise<Series[]> {
  const { rows } = await tx.client.query<Row & { place: number }>(
    `with want as (
       select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[])
         with ordinality as w(device, signal, assignment, subject, unit, place)),
     made as (
       insert into tenant.series (tenant_id, device, signal, assignment, subject, unit)
       select $6::uuid, device, signal, assignment, subject, unit from want order by device, signal, assignment
       on conflict do nothing returning *)
     select w.place::int, s.id, s.device, s.signal, s.assignment, s.subject, s.unit, s.expected_interval_ms,
            s.learned_interval_ms, s.worn_until_ms
       from want w
       join (select * from made union all select * from tenant.series) s
         on s.device = w.device and s.signal = w.signal and s.assignment is not distinct from w.assignment`,
    [
      names.map((name) => name.device),
      names.map((name) => name.signal),
      names.map((name) => name.assignment),
      names.map((name) => name.subject),
      names.map((name) => signalOf(name.signal)?.unit ?? '1'),
      tx.tenant,
    ],
  )
  const found = new Map(rows.map((row) => [row.place, seriesOf(tx.tenant, row)]))
  // A row that another transaction committed meanwhile is in neither half of the union: the next look finds it.
  if (found.size < names.length) return ensureSeries(tx, names)
  return names.map((_, i) => found.get(i + 1)!)
}

/** Writes what was found out of a series: its set interval and the end of its assignment. */
export async function noteSeries(tx: TenantTx, series: Series): Promise<void> {
  await tx.client.query(
    `update tenant.series set worn_until_ms = $3, expected_interval_ms = coalesce($4, expected_interval_ms)
      where tenant_id = $1 and id = $2`,
    [tx.tenant, series.id, series.wornUntilMs, series.isIntervalSet ? series.intervalMs : null],
  )
}

/** Which series: those of a subject or several (of one signal or several), of a device or several, or by id. */
export interface SeriesChoice {
  readonly subject?: string
  readonly signal?: string | undefined
  readonly device?: string
  readonly devices?: readonly string[]
  readonly ids?: readonly number[]
  readonly subjects?: readonly string[]
  readonly signals?: readonly string[]
}

export async function findSeries(tx: TenantTx, choice: SeriesChoice): Promise<Series[]> {
  let query = tx.tables<TelemetryTables>().selectFrom('series').selectAll().where('tenant_id', '=', tx.tenant)
  if (choice.subject !== undefined) query = query.where('subject', '=', choice.subject)
  if (choice.device !== undefined) query = query.where('device', '=', choice.device)
  if (choice.signal !== undefined) query = query.where('signal', '=', choice.signal)
  if (choice.ids !== undefined) query = query.where('id', 'in', choice.ids.map(String))
  if (choice.subjects !== undefined) query = query.where(sql<boolean>`subject = any(${[...choice.subjects]}::uuid[])`)
  if (choice.devices !== undefined) query = query.where(sql<boolean>`device = any(${[...choice.devices]}::uuid[])`)
  if (choice.signals !== undefined) query = query.where(sql<boolean>`signal = any(${[...choice.signals]}::text[])`)
  const rows = await query.orderBy('id').execute()
  return rows.map((row) => seriesOf(tx.tenant, row))
}

/** measuredAt of the newest reading of each series, -Infinity where there is none; in the order of the ids. */
export async function newestOf(tx: EngineTx, ids: readonly number[]): Promise<number[]> {
  if (ids.length === 0) return []
  const { rows } = await tx.client.query<{ newest: string | null }>(
    `select greatest(
              (select max(last_ms) from engine.sample where series_id = s.id),
              (select to_ms from engine.chunk where series_id = s.id and tier = 0 order by from_ms desc, part desc limit 1))
              as newest
       from unnest($1::bigint[]) with ordinality as s(id, place) order by place`,
    [bigints(ids)],
  )
  return rows.map((row) => (row.newest === null ? Number.NEGATIVE_INFINITY : Number(row.newest)))
}

/** The key that a series' bodies are sealed under. */
export const keyOwner = (series: SeriesName): readonly ['subject' | 'quarantine', string] =>
  series.subject === null ? ['quarantine', series.tenant] : ['subject', series.subject]

/** Whose these series are; those on nobody are absent. */
export const subjectsOfSeries = (
  engine: Engine,
  tenant: string,
  series: readonly string[],
): Promise<ReadonlyMap<string, string>> =>
  engine.db.asTenant(tenant, async (tx) => {
    const { rows } = await tx.client.query<{ id: string; subject: string }>(
      'select id::text, subject from tenant.series where tenant_id = $1 and id = any($2::bigint[]) and subject is not null',
      [tenant, series],
    )
    return new Map(rows.map(({ id, subject }) => [id, subject]))
  })

/** Whose they are and what they measure, by id; series of nobody are absent. */
export async function signalsOfSeries(
  tx: TenantTx,
  series: readonly string[],
): Promise<ReadonlyMap<string, { readonly subject: string; readonly signal: string }>> {
  if (series.length === 0) return new Map()
  const { rows } = await tx.client.query<{ id: string; subject: string; signal: string }>(
    `select id::text, subject, signal from tenant.series
      where tenant_id = $1 and id = any($2::bigint[]) and subject is not null`,
    [tx.tenant, series],
  )
  return new Map(rows.map((row) => [row.id, row]))
}
