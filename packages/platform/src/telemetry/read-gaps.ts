/** Gaps as people see them. */
import type { EpochMs } from '@careloop/contract'
import type { TenantTx } from '../engine/index.ts'
import type { GapReason } from './schema.ts'

export interface Gap {
  readonly id: string
  /** null = Careloop itself did not hear, for all series. */
  readonly series: number | null
  readonly device: string | null
  readonly signal: string | null
  /** measuredAt of the last reading before it. */
  readonly from: EpochMs
  /** measuredAt of the first reading after it; null = still open. */
  readonly to: EpochMs | null
  readonly reason: GapReason
}

type GapRow = {
  id: string
  series_id: string | null
  device: string | null
  signal: string | null
  from_ms: string
  to_ms: string | null
  reason: GapReason
}

/** Gaps of the series, and times when Careloop was deaf, that reach into [from, to]; oldest first. */
export async function readGaps(
  tx: TenantTx,
  { series, from, to }: { series: readonly number[]; from: EpochMs; to: EpochMs },
): Promise<Gap[]> {
  const { rows } = await tx.client.query<GapRow>(
    `select id, series_id, device, signal, from_ms, to_ms, reason
       from unnest($4::bigint[]) as s(id_wanted)
       join tenant.gap on tenant_id = $1 and series_id = s.id_wanted
      where from_ms <= $3 and (to_ms is null or to_ms >= $2)
     union all
     select id, series_id, device, signal, from_ms, to_ms, reason from tenant.gap
      where tenant_id = $1 and series_id is null and from_ms <= $3 and (to_ms is null or to_ms >= $2)
     order by from_ms`,
    [tx.tenant, Math.floor(from), Math.ceil(to), series.map(String)],
  )
  return rows.map((row) => ({
    id: row.id,
    series: row.series_id === null ? null : Number(row.series_id),
    device: row.device,
    signal: row.signal,
    from: Number(row.from_ms),
    to: row.to_ms === null ? null : Number(row.to_ms),
    reason: row.reason,
  }))
}
