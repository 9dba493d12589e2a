/** The clinical room for tests of this and later rooms. Names and numbers here are canaries: found nowhere outside a sealed body. */
import type { FhirTree } from '@careloop/fhir'
import type { Engine, TenantTx } from '../engine/index.ts'
import { aPatient, byTest, testSubjects } from '../subjects/fixtures.ts'
import type { Subjects } from '../subjects/index.ts'
import type { Clinical } from './clinical.ts'
import { makeClinical, makeRoom } from './make-clinical.ts'
import type { ClinicalParts } from './parts.ts'

/** @param over parts that the test is about */
export function testClinical(
  engine: Engine,
  over: Partial<ClinicalParts> = {},
): { clinical: Clinical; subjects: Subjects } {
  const subjects = testSubjects(engine)
  const parts: ClinicalParts = {
    ...{ consents: subjects.consents, takeIn: async () => null },
    ...over,
  }
  return { clinical: makeClinical(makeRoom(engine, parts)), subjects }
}

/** A patient in the subjects room. @returns the subject's id, which is the Patient's FHIR id too */
export const patientFor = async (subjects: Subjects, tenant: string): Promise<string> =>
  (await subjects.create(byTest(tenant), aPatient())).id

/** A pulse oximetry of the patient; `98.50` keeps its spelling. */
export const anObservation = (patient: string, over: Readonly<Record<string, unknown>> = {}): FhirTree =>
  ({
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '59408-5', display: 'Oxygensaturationcanary' }] },
    subject: { reference: `Patient/${patient}` },
    effectiveDateTime: '2026-02-01T08:30:00+01:00',
    valueQuantity: {
      value: (JSON as never as { rawJSON(text: string): number }).rawJSON('98.50'),
      system: 'http://unitsofmeasure.org',
      code: '%',
      unit: '%',
    },
    ...over,
  }) as FhirTree

/** Rows that lie in the tables of the room, for tests that count what is left. */
export async function countRows(tx: TenantTx): Promise<{ resources: number; versions: number; keys: number }> {
  const { rows } = await tx.client.query<{ resources: string; versions: string; keys: string }>(
    `select (select count(*) from tenant.clinical_resource) as resources,
            (select count(*) from tenant.clinical_history) as versions, (select count(*) from tenant.clinical_key) as keys`,
  )
  const { resources, versions, keys } = rows[0]!
  return { resources: Number(resources), versions: Number(versions), keys: Number(keys) }
}
