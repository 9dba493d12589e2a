/** The person who signed in as FHIR names them: staff a Practitioner, a patient themselves, who cares for one a RelatedPerson. */
import type { Engine } from '../../engine/index.ts'

/** FHIR id of a patient: another than ours for people whom an EHR made. */
export type PatientIdOf = (tenant: string, subject: string) => Promise<string>

/** @returns `Practitioner/<id>` and the like, relative to the base URL */
export async function fhirUserOf(engine: Engine, patientIdOf: PatientIdOf, tenant: string, user: string) {
  const { rows } = await engine.db.pool.query<{ id: string; kind: string; subject_id: string }>(
    'select id, kind, subject_id from auth.person_account where tenant_id = $1 and user_id = $2',
    [tenant, user],
  )
  const account = rows[0]
  if (account === undefined) return `Practitioner/${user}`
  if (account.kind === 'caregiver') return `RelatedPerson/${account.id}`
  return `Patient/${await patientIdOf(tenant, account.subject_id)}`
}
