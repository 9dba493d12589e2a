/** Sites and care teams for whoever shows them as FHIR. */
import type { TenantTx } from '../../engine/index.ts'

export interface SiteSource {
  readonly id: string
  readonly name: string
  readonly timeZone: string
  /** ms */
  readonly createdAt: number
}

/** All of an organisation: they are few. */
export async function siteSources(tx: TenantTx): Promise<SiteSource[]> {
  const { rows } = await tx.client.query<{ id: string; name: string; time_zone: string; created_at: string }>(
    'select id, name, time_zone, created_at from tenant.site where tenant_id = $1 order by created_at, id',
    [tx.tenant],
  )
  return rows.map(({ id, name, time_zone, created_at }) => ({
    ...{ id, name, timeZone: time_zone, createdAt: Number(created_at) },
  }))
}

export interface CareTeamSource {
  readonly id: string
  readonly name: string
  /** Ids of users. */
  readonly members: readonly string[]
  /** ms; when it was made, if its members were never changed. */
  readonly changedAt: number
}

/** @param ids absent = all: they are few */
export async function careTeamSources(tx: TenantTx, ids?: readonly string[]): Promise<CareTeamSource[]> {
  const { rows } = await tx.client.query<{ id: string; name: string; members: string[]; changed_at: string }>(
    `select t.id, t.name, greatest(t.created_at, t.changed_at) as changed_at,
            coalesce(array_agg(m.user_id order by m.user_id) filter (where m.user_id is not null), '{}') as members
       from tenant.care_team t
       left join tenant.care_team_member m on m.tenant_id = t.tenant_id and m.team_id = t.id
      where t.tenant_id = $1 and ($2::uuid[] is null or t.id = any($2::uuid[]))
      group by t.tenant_id, t.id order by t.id`,
    [tx.tenant, ids ?? null],
  )
  return rows.map(({ id, name, members, changed_at }) => ({ id, name, members, changedAt: Number(changed_at) }))
}

/** Patients of a team that were not erased. */
export async function patientsOfTeam(tx: TenantTx, team: string): Promise<string[]> {
  const { rows } = await tx.client.query<{ id: string }>(
    `select id from tenant.subject where tenant_id = $1 and team_id = $2 and kind = 'patient' and erased_at is null order by id`,
    [tx.tenant, team],
  )
  return rows.map(({ id }) => id)
}
