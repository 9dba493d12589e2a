/** Consents as FHIR records, by their own ids, for whoever shows them as FHIR. */
import type { Engine, TenantTx } from '../../engine/index.ts'
import { consentsOf } from '../consent/consent-rows.ts'
import type { FhirConsent } from '../consent/fhir-consent.ts'

export interface ConsentSource {
  readonly id: string
  readonly subject: string
  /** Its newest version. PHI. */
  readonly resource: FhirConsent
}

/** Those of subjects that were erased are absent. */
export async function consentSources(engine: Engine, tx: TenantTx, ids: readonly string[]): Promise<ConsentSource[]> {
  const { rows } = await tx.client.query<{ subject_id: string }>(
    'select distinct subject_id from tenant.consent where tenant_id = $1 and id = any($2::uuid[]) order by subject_id',
    [tx.tenant, ids],
  )
  const wanted = new Set(ids)
  const found: ConsentSource[] = []
  for (const { subject_id: subject } of rows)
    for (const { row, resource } of await consentsOf(engine, tx, subject))
      if (wanted.has(row.id)) found.push({ id: row.id, subject, resource })
  return found
}
