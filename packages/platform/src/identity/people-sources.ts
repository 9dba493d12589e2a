/** Staff, caregivers and the organisation itself with the times of their changes, for whoever shows them as FHIR. */
import type { Relationship, Role } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import { openPersonWord, type SealedPerson } from './persons.ts'

export interface OrganisationSource {
  readonly id: string
  readonly name: string
  /** ms */
  readonly createdAt: number
}

export async function organisationSource(engine: Engine, tenant: string): Promise<OrganisationSource | null> {
  const { rows } = await engine.db.pool.query<{ id: string; name: string; created_at: Date }>(
    'select id, name, created_at from engine.tenant where id = $1',
    [tenant],
  )
  return rows[0] === undefined ? null : { ...rows[0], createdAt: rows[0].created_at.getTime() }
}

export interface StaffSource {
  /** User id. */
  readonly id: string
  readonly displayName: string
  readonly roles: readonly Role[]
  readonly createdAt: number
  /** null = works here now */
  readonly endedAt: number | null
  readonly changedAt: number
}

/** Everybody who works or worked here, by id. */
export async function staffSources(engine: Engine, tenant: string): Promise<StaffSource[]> {
  const { rows } = await engine.db.pool.query<{
    user_id: string
    display_name: string
    roles: Role[]
    created_at: Date
    ended_at: Date | null
    changed_at: Date
  }>(
    `select user_id, display_name, roles, created_at, ended_at, changed_at from auth.member
      where tenant_id = $1 and not roles && array['patient', 'caregiver'] order by user_id`,
    [tenant],
  )
  return rows.map((row) => ({
    ...{ id: row.user_id, displayName: row.display_name, roles: row.roles, createdAt: row.created_at.getTime() },
    ...{ endedAt: row.ended_at?.getTime() ?? null, changedAt: row.changed_at.getTime() },
  }))
}

/** A caregiver who made their account. Name and relationship are PHI; null where their key is gone. */
export interface CaregiverSource {
  /** Of the account. */
  readonly id: string
  /** As consents name them. */
  readonly user: string
  readonly subject: string
  readonly name: string | null
  readonly relationship: Relationship | null
  readonly activatedAt: number
  readonly endedAt: number | null
}

export async function caregiverSources(
  engine: Engine,
  tenant: string,
  which: { readonly ids: readonly string[] } | { readonly users: readonly string[] },
): Promise<CaregiverSource[]> {
  const [column, values] = 'ids' in which ? ['id', which.ids] : ['user_id', which.users]
  const { rows } = await engine.db.pool.query<CaregiverRow>(
    `select * from auth.person_account
      where tenant_id = $1 and kind = 'caregiver' and user_id is not null and ${column} = any($2::uuid[]) order by id`,
    [tenant, values],
  )
  return Promise.all(rows.map((row) => caregiverOf(engine, row)))
}

export async function caregiverIdsAfter(
  engine: Engine,
  tenant: string,
  after: string | null,
  limit: number,
): Promise<string[]> {
  const { rows } = await engine.db.pool.query<{ id: string }>(
    `select id from auth.person_account where tenant_id = $1 and kind = 'caregiver' and user_id is not null
        and ($2::uuid is null or id > $2) order by id limit $3`,
    [tenant, after, limit],
  )
  return rows.map(({ id }) => id)
}

/** Whose account began or ended after that. ms */
export async function caregiverIdsChanged(engine: Engine, tenant: string, since: number): Promise<string[]> {
  const { rows } = await engine.db.pool.query<{ id: string }>(
    `select id from auth.person_account where tenant_id = $1 and kind = 'caregiver' and user_id is not null
        and (activated_at > $2 or ended_at > $2) order by id`,
    [tenant, new Date(since)],
  )
  return rows.map(({ id }) => id)
}

interface CaregiverRow extends SealedPerson {
  readonly user_id: string
  readonly activated_at: Date
  readonly ended_at: Date | null
}

async function caregiverOf(engine: Engine, row: CaregiverRow): Promise<CaregiverSource> {
  return {
    ...{ id: row.id, user: row.user_id, subject: row.subject_id },
    name: await openPersonWord(engine, row, 'name'),
    relationship: (await openPersonWord(engine, row, 'relationship')) as Relationship | null,
    ...{ activatedAt: row.activated_at.getTime(), endedAt: row.ended_at?.getTime() ?? null },
  }
}
