/** What the trail says when it is counted: who came to one record, how many records each person saw a day, whom an access touched. */
import type { EpochMs } from '@careloop/contract'
import type { TenantTx } from '../engine/index.ts'

/** One who came to a record. */
export interface TrailLooker {
  readonly actor: string
  readonly times: number
  readonly firstAt: EpochMs
  readonly lastAt: EpochMs
  readonly actions: readonly string[]
  readonly purposes: readonly string[]
  readonly denied: boolean
}

const ACTOR = `case when principal_kind = principal_id then principal_kind else principal_kind || ':' || principal_id end`
const MS = (time: string) => `floor(extract(epoch from ${time}) * 1000)::float8`
/** Somebody saw of a record: a refusal showed nothing, a change shows what is changed. */
const SHOWN = `outcome = 'success' and action in ('read', 'search', 'export', 'print', 'update', 'correct')`

/** Everybody who came to this record, also who was refused; who came last stands first. */
export async function trailLookers(
  tx: TenantTx,
  { subject, from, to }: { readonly subject: string; readonly from: EpochMs; readonly to: EpochMs },
): Promise<TrailLooker[]> {
  const { rows } = await tx.client.query<TrailLooker>(
    `select ${ACTOR} as actor, sum(times)::int as times, ${MS('min(at)')} as "firstAt", ${MS('max(at)')} as "lastAt",
            array_agg(distinct action) as actions, array_agg(distinct purpose) as purposes,
            bool_or(outcome = 'denied') as denied
       from tenant.audit_entry where tenant_id = $1 and subject_id = $2 and at >= $3 and at < $4
      group by 1 order by max(id) desc`,
    [tx.tenant, subject, new Date(from), new Date(to)],
  )
  return rows
}

/** How many people's records one member of staff saw on one day (UTC). */
export interface DailyReach {
  readonly user: string
  /** `YYYY-MM-DD` */
  readonly day: string
  readonly subjects: number
}

export async function dailyReach(tx: TenantTx, from: EpochMs, to: EpochMs): Promise<DailyReach[]> {
  const { rows } = await tx.client.query<DailyReach>(
    `select principal_id as "user", to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day, count(distinct subject_id)::int as subjects
       from tenant.audit_entry
      where tenant_id = $1 and at >= $2 and at < $3 and principal_kind = 'staff' and subject_id is not null and ${SHOWN}
      group by 1, 2`,
    [tx.tenant, new Date(from), new Date(to)],
  )
  return rows
}

/** Each pair of a member of staff and a record that they saw. */
export async function pairsSeen(
  tx: TenantTx,
  from: EpochMs,
  to: EpochMs,
): Promise<{ readonly user: string; readonly subject: string }[]> {
  const { rows } = await tx.client.query<{ user: string; subject: string }>(
    `select distinct principal_id as "user", subject_id as subject from tenant.audit_entry
      where tenant_id = $1 and at >= $2 and at < $3 and principal_kind = 'staff' and subject_id is not null and ${SHOWN}`,
    [tx.tenant, new Date(from), new Date(to)],
  )
  return rows
}

export interface TouchedRecord {
  readonly subject: string
  readonly firstAt: EpochMs
  readonly lastAt: EpochMs
  readonly times: number
}

/**
 * Records that were shown to these actors in this time; without actors to anybody, without subjects whosever they were.
 * Refusals do not count: they showed nothing.
 */
export async function recordsTouched(
  tx: TenantTx,
  scope: {
    readonly actors: readonly string[]
    readonly subjects: readonly string[]
    readonly from: EpochMs
    readonly to: EpochMs
  },
): Promise<TouchedRecord[]> {
  const { rows } = await tx.client.query<TouchedRecord>(
    `select subject_id as subject, ${MS('min(at)')} as "firstAt", ${MS('max(at)')} as "lastAt", sum(times)::int as times
       from tenant.audit_entry
      where tenant_id = $1 and at >= $2 and at < $3 and subject_id is not null and ${SHOWN}
        and (cardinality($4::text[]) = 0 or ${ACTOR} = any($4)) and (cardinality($5::uuid[]) = 0 or subject_id = any($5))
      group by 1 order by 1`,
    [tx.tenant, new Date(scope.from), new Date(scope.to), scope.actors, scope.subjects],
  )
  return rows
}

/** How often an actor asked the trail after a record that is not there, by the database's clock. @param withinMs back from now */
export async function failedSearches(tx: TenantTx, actor: string, withinMs: number): Promise<number> {
  const [kind = '', id = kind] = actor.split(':', 2)
  const { rows } = await tx.client.query<{ times: number }>(
    `select coalesce(sum(times), 0)::int as times from tenant.audit_entry
      where tenant_id = $1 and principal_kind = $2 and principal_id = $3 and action = 'search' and resource = 'audit'
        and outcome = 'failed' and at > clock_timestamp() - make_interval(secs => $4)`,
    [tx.tenant, kind, id, withinMs / 1000],
  )
  return rows[0]!.times
}
