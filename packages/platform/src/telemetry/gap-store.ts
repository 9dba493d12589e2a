/** Writes gaps. Runs inside the transaction that stores the readings which made or filled them. */
import type { Engine, EngineTx, Ids, TenantTx } from '../engine/index.ts'
import { type GapChange, splitGap } from './gap-watch.ts'
import type { GapReason } from './schema.ts'
import type { Series } from './series.ts'

/** @param seriesOf of every series that the changes name */
export async function writeGaps(
  tx: EngineTx,
  ids: Pick<Ids, 'uuid'>,
  tenants: () => Promise<readonly string[]>,
  changes: readonly GapChange[],
  seriesOf: (id: number) => Series | undefined,
): Promise<void> {
  const byTenant = new Map<string, GapChange[]>()
  const add = (tenant: string, change: GapChange) => {
    const own = byTenant.get(tenant) ?? []
    byTenant.set(tenant, own)
    own.push(change)
  }
  for (const change of changes) {
    if (change.kind === 'deaf') for (const tenant of await tenants()) add(tenant, change)
    else {
      const series = seriesOf(change.series)
      if (series) add(series.tenant, change)
    }
  }
  for (const [tenant, own] of byTenant)
    await tx.asTenant(tenant, async (tenantTx) => {
      // Thousands of series learn their pace or are filled by what comes a little late: each kind in one statement.
      const learned = own.filter((change) => change.kind === 'learned')
      const filled = own.filter((change) => change.kind === 'filled')
      await learn(tenantTx, learned)
      for (const change of own)
        if (change.kind !== 'learned' && change.kind !== 'filled') await writeGap(tenantTx, ids, change, seriesOf)
      for (const change of await thatFill(tenantTx, filled))
        await fillGaps(tenantTx, ids, seriesOf(change.series)!, change.times, change.graceMs)
    })
}

type Learned = Extract<GapChange, { kind: 'learned' }>
type Filled = Extract<GapChange, { kind: 'filled' }>

async function learn(tx: TenantTx, learned: readonly Learned[]): Promise<void> {
  if (learned.length === 0) return
  // Of several of one series the newest counts.
  const newest = new Map(learned.map(({ series, intervalMs }) => [series, intervalMs]))
  await tx.client.query(
    `update tenant.series s set learned_interval_ms = l.interval_ms
       from unnest($2::bigint[], $3::float8[]) as l(id, interval_ms) where s.id = l.id and s.tenant_id = $1`,
    [tx.tenant, [...newest.keys()], [...newest.values()]],
  )
}

/** Most of what comes late falls into no gap. */
async function thatFill(tx: TenantTx, filled: readonly Filled[]): Promise<Filled[]> {
  if (filled.length === 0) return []
  const { rows } = await tx.client.query<{ place: number }>(
    `select f.place::int as place from unnest($2::bigint[], $3::float8[], $4::float8[]) with ordinality as f(series, first, last, place)
      where exists (select from tenant.gap g where g.tenant_id = $1 and g.series_id = f.series
                       and g.from_ms < f.last and (g.to_ms is null or g.to_ms > f.first))
      order by place`,
    [
      tx.tenant,
      filled.map(({ series }) => series),
      filled.map(({ times }) => Math.min(...times)),
      filled.map(({ times }) => Math.max(...times)),
    ],
  )
  return rows.map(({ place }) => filled[place - 1]!)
}

async function writeGap(
  tx: TenantTx,
  ids: Pick<Ids, 'uuid'>,
  change: Exclude<GapChange, Learned | Filled>,
  seriesOf: (id: number) => Series | undefined,
): Promise<void> {
  if (change.kind === 'deaf') return writeDeaf(tx, ids, change)
  const series = seriesOf(change.series)!
  if (change.kind === 'closed') return closeGap(tx, series, change.toMs, change.graceMs)
  const toMs = change.kind === 'found' ? Math.round(change.toMs) : null
  await insertGap(tx, ids, series, { fromMs: Math.round(change.fromMs), toMs, reason: change.reason })
}

/** What turns out no longer than the grace was a late upload, not a gap. */
async function closeGap(tx: TenantTx, series: Series, toMs: number, grace: number): Promise<void> {
  const { rows } = await tx.client.query<{ id: string; from_ms: string }>(
    `update tenant.gap set to_ms = greatest($2, from_ms + 1)
      where tenant_id = $3 and series_id = $1 and to_ms is null returning id, from_ms`,
    [series.id, Math.round(toMs), tx.tenant],
  )
  for (const { id, from_ms } of rows) {
    if (toMs - Number(from_ms) <= grace)
      await tx.client.query('delete from tenant.gap where tenant_id = $1 and id = $2', [tx.tenant, id])
    await tx.publish({ type: 'GapChanged', gap: id, series: String(series.id) })
  }
}

async function fillGaps(
  tx: TenantTx,
  ids: Pick<Ids, 'uuid'>,
  series: Series,
  times: readonly number[],
  grace: number,
): Promise<void> {
  const { rows } = await tx.client.query<{ id: string; from_ms: string; to_ms: string | null; reason: GapReason }>(
    `select id, from_ms, to_ms, reason from tenant.gap
      where tenant_id = $1 and series_id = $2 and from_ms < $4 and (to_ms is null or to_ms > $3)`,
    [tx.tenant, series.id, Math.min(...times), Math.max(...times)],
  )
  for (const row of rows) {
    const gap = { fromMs: Number(row.from_ms), toMs: row.to_ms === null ? null : Number(row.to_ms) }
    const left = splitGap(gap, times, grace)
    if (left.length === 1 && left[0] === gap) continue
    await tx.client.query('delete from tenant.gap where tenant_id = $1 and id = $2', [tx.tenant, row.id])
    await tx.publish({ type: 'GapChanged', gap: row.id, series: String(series.id) })
    for (const part of left) await insertGap(tx, ids, series, { ...part, reason: row.reason })
  }
}

export async function insertGap(
  tx: TenantTx,
  ids: Pick<Ids, 'uuid'>,
  series: Series | null,
  gap: { fromMs: number; toMs: number | null; reason: GapReason },
): Promise<void> {
  const id = ids.uuid()
  await tx.client.query(
    `insert into tenant.gap (id, tenant_id, series_id, device, subject, signal, from_ms, to_ms, reason)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
    [
      id,
      tx.tenant,
      series?.id ?? null,
      series?.device ?? null,
      series?.subject ?? null,
      series?.signal ?? null,
      gap.fromMs,
      gap.toMs,
      gap.reason,
    ],
  )
  await tx.publish({ type: 'GapChanged', gap: id, series: series ? String(series.id) : '' })
}

async function writeDeaf(
  tx: TenantTx,
  ids: Pick<Ids, 'uuid'>,
  change: Extract<GapChange, { kind: 'deaf' }>,
): Promise<void> {
  if (change.toMs !== null) {
    const { rows } = await tx.client.query<{ id: string }>(
      `update tenant.gap set to_ms = greatest($1, from_ms + 1)
        where tenant_id = $2 and series_id is null and to_ms is null returning id`,
      [change.toMs, tx.tenant],
    )
    for (const { id } of rows) await tx.publish({ type: 'GapChanged', gap: id, series: '' })
    if (rows.length > 0) return
  }
  await insertGap(tx, ids, null, { fromMs: change.fromMs, toMs: change.toMs, reason: 'deaf' })
}

/**
 * What a stage that starts must know: gaps that are open, of a tenant or one device, and the last times that Careloop was deaf
 * (`series` null).
 */
export async function knownGaps(
  engine: Pick<Engine, 'db'>,
  tenant: string,
  choice: { device?: string },
): Promise<{ series: number | null; fromMs: number; toMs: number | null }[]> {
  return engine.db.asTenant(tenant, async (tx) => {
    const { rows } = await tx.client.query<{ series_id: string | null; from_ms: string; to_ms: string | null }>(
      `(select series_id, from_ms, to_ms from tenant.gap
         where tenant_id = $1 and to_ms is null and ($2::uuid is null or device = $2))
       union all
       (select series_id, from_ms, to_ms from tenant.gap
         where tenant_id = $1 and series_id is null and to_ms is not null and $2::uuid is null
         order by from_ms desc limit 16)`,
      [tx.tenant, choice.device ?? null],
    )
    return rows.map((row) => ({
      series: row.series_id === null ? null : Number(row.series_id),
      fromMs: Number(row.from_ms),
      toMs: row.to_ms === null ? null : Number(row.to_ms),
    }))
  })
}
