/** Subjects, sites, care teams and enrolments as rows say them, for whoever shows them as FHIR: read in the caller's transaction. */
import type { SubjectKind } from '@careloop/contract'
import type { Selectable } from 'kysely'
import type { Engine, TenantTx } from '../../engine/index.ts'
import type { EnrolmentTable, SubjectTable } from '../schema.ts'
import { toMs, toMsOrNull } from '../schema.ts'
import { openText } from '../sealed-resource.ts'
import { isErased } from '../subject-store.ts'

/** A subject and the FHIR resource that is kept of it. PHI. */
export interface SubjectSource {
  readonly id: string
  readonly kind: SubjectKind
  readonly timeZone: string
  readonly site: string | null
  readonly team: string | null
  /** ms */
  readonly updatedAt: number
  /** It was written by FHIR, and is given back as it was sent. */
  readonly byFhir: boolean
  /** FHIR JSON, decimals spelled as they came. */
  readonly text: string
}

/**
 * Subjects of these ids that exist, are not erased and open. Their rows are held until the transaction ends, so that what is made of
 * them does not overwrite what somebody is just changing. @throws 55P03 when somebody is: try again
 */
export async function subjectSources(engine: Engine, tx: TenantTx, ids: readonly string[]): Promise<SubjectSource[]> {
  const { rows } = await tx.client.query<Selectable<SubjectTable>>(
    `select * from tenant.subject where tenant_id = $1 and id = any($2::uuid[]) and erased_at is null
      order by id for share nowait`,
    [tx.tenant, ids],
  )
  const sources: SubjectSource[] = []
  for (const row of rows) {
    const text = await textOf(engine, tx.tenant, row)
    if (text === null) continue
    const { id, kind, time_zone: timeZone, site_id: site, team_id: team, by_fhir: byFhir } = row
    sources.push({ id, kind, timeZone, site, team, updatedAt: toMs(row.updated_at), byFhir, text })
  }
  return sources
}

/** Null of who was erased meanwhile, and of what is damaged: the pages tell of that. */
async function textOf(engine: Engine, tenant: string, row: Selectable<SubjectTable>): Promise<string | null> {
  try {
    return openText(await engine.keys.key(row.key_id), tenant, row.id, row.body)
  } catch (err) {
    if (!isErased(err))
      engine.watch.log.error({ err, subject: row.id }, 'a subject cannot be opened: FHIR shows it no more')
    return null
  }
}

/** Ids of subjects that were not erased, in order, after one. */
export const subjectIdsAfter = async (tx: TenantTx, after: string | null, limit: number): Promise<string[]> =>
  idsOf(tx, 'tenant.subject', after, limit, 'and erased_at is null')

export const enrolmentIdsAfter = (tx: TenantTx, after: string | null, limit: number): Promise<string[]> =>
  idsOf(tx, 'tenant.enrolment', after, limit)

export const consentIdsAfter = (tx: TenantTx, after: string | null, limit: number): Promise<string[]> =>
  idsOf(tx, 'tenant.consent', after, limit)

async function idsOf(tx: TenantTx, table: string, after: string | null, limit: number, and = ''): Promise<string[]> {
  const { rows } = await tx.client.query<{ id: string }>(
    `select id from ${table} where tenant_id = $1 and ($2::uuid is null or id > $2) ${and} order by id limit $3`,
    [tx.tenant, after, limit],
  )
  return rows.map(({ id }) => id)
}

export interface EnrolmentSource {
  readonly id: string
  readonly subject: string
  readonly kind: SubjectKind
  readonly team: string | null
  readonly program: string
  readonly owner: string
  readonly backup: string | null
  readonly from: number
  readonly to: number | null
  readonly createdAt: number
  /** ms; when it was made, if it was never changed. */
  readonly changedAt: number
}

/** Those of subjects that were erased are absent. */
export async function enrolmentSources(tx: TenantTx, ids: readonly string[]): Promise<EnrolmentSource[]> {
  const { rows } = await tx.client.query<Selectable<EnrolmentTable> & { kind: SubjectKind; team_id: string | null }>(
    `select e.*, s.kind, s.team_id from tenant.enrolment e
       join tenant.subject s on s.tenant_id = $1 and s.id = e.subject_id and s.erased_at is null
      where e.tenant_id = $1 and e.id = any($2::uuid[]) order by e.id`,
    [tx.tenant, ids],
  )
  return rows.map((row) => ({
    ...{ id: row.id, subject: row.subject_id, kind: row.kind, team: row.team_id, program: row.program },
    ...{ owner: row.owner_id, backup: row.backup_id, from: toMs(row.from_at), to: toMsOrNull(row.to_at) },
    ...{ createdAt: toMs(row.created_at), changedAt: Math.max(toMs(row.created_at), toMs(row.changed_at)) },
  }))
}

/** Enrolments that ended by the clock in (after, until]: no fact tells of that. */
export async function enrolmentsEnded(tx: TenantTx, after: number, until: number): Promise<string[]> {
  const { rows } = await tx.client.query<{ id: string }>(
    'select id from tenant.enrolment where tenant_id = $1 and to_at > $2 and to_at <= $3 order by id',
    [tx.tenant, after, until],
  )
  return rows.map(({ id }) => id)
}
