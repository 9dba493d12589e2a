/** The zone in which a subject lived at an instant: dates are derived by it, and a later move changes nothing of them. */
import type { EpochMs, SubjectKind } from '@careloop/contract'
import type { TenantTx } from '../engine/index.ts'

export interface ZoneSpan {
  /** [since, until) */
  readonly since: EpochMs
  readonly until: EpochMs
  readonly timeZone: string
}

/** Where a subject lived, oldest first, without holes from the beginning of time to its end. */
export interface Lived {
  readonly kind: SubjectKind
  readonly zones: readonly ZoneSpan[]
}

/** Of these subjects; those of no row here are absent. */
export async function livedOf(tx: TenantTx, subjects: readonly string[]): Promise<ReadonlyMap<string, Lived>> {
  const { rows } = await tx.client.query<{ id: string; kind: SubjectKind; time_zone: string; moves: Move[] | null }>(
    `select s.id, s.kind, s.time_zone,
            (select json_agg(json_build_array(z.since, z.time_zone) order by z.since) from tenant.subject_zone z
              where z.tenant_id = s.tenant_id and z.subject_id = s.id) as moves
       from unnest($2::uuid[]) as wanted(id) join tenant.subject s on s.tenant_id = $1 and s.id = wanted.id`,
    [tx.tenant, [...new Set(subjects)]],
  )
  return new Map(rows.map((row) => [row.id, { kind: row.kind, zones: spansOf(row.moves ?? [[0, row.time_zone]]) }]))
}

/** The zone of a subject at an instant; null when there is no such subject. */
export async function zoneAt(tx: TenantTx, subject: string, at: EpochMs): Promise<string | null> {
  const lived = (await livedOf(tx, [subject])).get(subject)
  return lived === undefined ? null : spanAt(lived, at).timeZone
}

export const spanAt = ({ zones }: Lived, at: EpochMs): ZoneSpan =>
  zones.find((span) => at < span.until) ?? zones.at(-1)!

type Move = readonly [since: number, timeZone: string]

const spansOf = (moves: readonly Move[]): ZoneSpan[] =>
  moves.map(([since, timeZone], i) => ({
    since: i === 0 ? Number.NEGATIVE_INFINITY : since,
    until: moves[i + 1]?.[0] ?? Number.POSITIVE_INFINITY,
    timeZone,
  }))
