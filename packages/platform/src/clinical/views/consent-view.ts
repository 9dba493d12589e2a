/** Consents as they are recorded: the FHIR record is the record, here under the patient's FHIR id. */
import type { Resource } from '@careloop/fhir'
import type { Engine } from '../../engine/index.ts'
import { consentIdsAfter, consentSources } from '../../subjects/index.ts'
import type { Derived } from '../clinical.ts'
import { type PatientIds, subjectReference, type View } from './view.ts'

export const consentView = (engine: Engine, clinical: PatientIds): View => ({
  name: 'consents',
  types: ['Consent'],
  facts: ['ConsentChanged'],
  idsOf: ({ body }) => [(body as { consent: string }).consent],
  page: (tenant, after, limit) => engine.db.asTenant(tenant, (tx) => consentIdsAfter(tx, after, limit)),
  open: async () => async (tx, ids) => {
    const keep: Derived[] = []
    for (const { subject, resource } of await consentSources(engine, tx, ids)) {
      const patient = await subjectReference(clinical, tx, { id: subject, kind: 'patient' })
      const { versionId: _version, lastUpdated, ...meta } = resource.meta
      const shown: Resource = { ...resource, meta, patient, performer: [patient] }
      keep.push({ resource: shown, subject, at: Date.parse(lastUpdated) })
    }
    return { keep }
  },
})
