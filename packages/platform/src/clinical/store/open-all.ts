/** Rows opened for later rooms and for searches, which ask for rights and audit themselves. */
import type { TenantTx } from '../../engine/index.ts'
import type { Stored } from '../stored.ts'
import type { Ground } from './ground.ts'
import { openRow, type PlacedVersion, placeColumns, placeJoin, rowsByRid, versionColumns } from './rows.ts'

/** Those that are gone are absent. */
export async function openAll(
  { engine }: Pick<Ground, 'engine'>,
  tx: TenantTx,
  rids: readonly string[],
): Promise<ReadonlyMap<string, Stored>> {
  const found = new Map<string, Stored>()
  for (const row of await rowsByRid(tx, rids))
    if (row !== undefined && row.deleted_at === null) found.set(row.rid, await openRow(engine, tx.tenant, row))
  return found
}

/** FHIR id of the Patient, Location or Device that is this subject: as an EHR chose it, else the subject's own. */
export async function patientIdOf({ engine }: Pick<Ground, 'engine'>, tx: TenantTx, subject: string): Promise<string> {
  const { rows } = await tx.client.query<PlacedVersion>(
    `select ${versionColumns}, ${placeColumns} from tenant.clinical_resource r ${placeJoin}
      where r.tenant_id = $1 and r.subject_id = $2 and r.deleted_at is null
        and r.type = case s.kind when 'patient' then 'Patient' when 'location' then 'Location' else 'Device' end
      order by r.seq limit 1`,
    [tx.tenant, subject],
  )
  return rows[0] === undefined ? subject : (await openRow(engine, tx.tenant, rows[0])).id
}
