/** Rows as they are read: by rid, for one or many, with what decides who sees them. */
import type { SubjectKind } from '@careloop/contract'
import type { Engine, RowReader, TenantTx } from '../../engine/index.ts'
import { type Sight, sees } from '../../subjects/index.ts'
import type { ResourceRow, VersionRow } from '../schema.ts'
import type { Stored } from '../stored.ts'
import { openBody } from './body.ts'

/** Whose a row is; null = of no subject. */
export interface Whose {
  readonly kind: SubjectKind | null
  readonly team_id: string | null
}

export type PlacedRow = ResourceRow & Whose
export type PlacedVersion = VersionRow & Whose

export const versionColumns =
  'r.rid, r.version, r.type, r.subject_id, r.updated_at, r.key_id, r.body, r.is_derived, r.deleted_at'
export const placeColumns = 's.kind, s.team_id'
export const placeJoin = 'left join tenant.subject s on s.tenant_id = r.tenant_id and s.id = r.subject_id'

/** What is served of each rid; `undefined` where there is none. */
export const rowsByRid: RowReader<string, PlacedVersion | undefined> = async (tx, rids) => {
  const { rows } = await tx.client.query<PlacedVersion>({
    name: 'careloop-clinical-rows',
    text: `select ${versionColumns}, ${placeColumns} from tenant.clinical_resource r ${placeJoin}
      where r.tenant_id = $1 and r.rid = any($2::uuid[])`,
    values: [tx.tenant, [...new Set(rids)]],
  })
  const byRid = new Map(rows.map((row) => [row.rid, row]))
  return rids.map((rid) => byRid.get(rid))
}

/** The version that stands, or an older one. */
export async function versionOf(tx: TenantTx, rid: string, version: number): Promise<PlacedVersion | undefined> {
  const select = (table: string) => `select ${versionColumns}, ${placeColumns} from tenant.${table} r ${placeJoin}
    where r.tenant_id = $1 and r.rid = $2 and r.version = $3`
  const { rows } = await tx.client.query<PlacedVersion>({
    name: 'careloop-clinical-version',
    text: `${select('clinical_resource')} union all ${select('clinical_history')}`,
    values: [tx.tenant, rid, version],
  })
  return rows[0]
}

/** Locked until the transaction ends, in one order whoever asks: two bundles never wait for each other. */
export async function rowsToChange(tx: TenantTx, rids: readonly string[]): Promise<Map<string, PlacedRow>> {
  if (rids.length === 0) return new Map()
  const { rows } = await tx.client.query<PlacedRow>({
    name: 'careloop-clinical-rows-to-change',
    text: `select ${versionColumns}, r.seq, r.at, r.at_from, r.at_to, r.keys, ${placeColumns}
      from tenant.clinical_resource r ${placeJoin}
      where r.tenant_id = $1 and r.rid = any($2::uuid[]) order by r.rid for update of r`,
    values: [tx.tenant, [...new Set(rids)]],
  })
  return new Map(rows.map((row) => [row.rid, row]))
}

/** What belongs to no subject is there for whoever has the right. */
export const seesRow = (sight: Sight | undefined, row: Pick<VersionRow, 'subject_id'> & Whose): boolean =>
  row.subject_id === null ||
  (row.kind !== null && sees(sight, { id: row.subject_id, kind: row.kind, team: row.team_id }))

/** @throws Failure `key-destroyed`, `seal-broken` */
export async function openRow(engine: Pick<Engine, 'keys'>, tenant: string, row: VersionRow): Promise<Stored> {
  const { rid, version } = row
  const body = openBody(await engine.keys.key(row.key_id), { tenant, rid, version }, row.body)
  return {
    ...{ type: row.type, rid, version, updatedAt: Number(row.updated_at), subject: row.subject_id },
    ...{ isDeleted: row.deleted_at !== null, isDerived: row.is_derived },
    ...body,
  }
}
