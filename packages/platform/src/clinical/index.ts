/** Clinical: the record as FHIR R4. Owns clinical_resource, clinical_history, clinical_key. */
export type { Clinical, Derived, Expected, HistoryPage, HistoryQuestion, Written } from './clinical.ts'
export { clinicalErrors } from './errors.ts'
export { forgetClinical } from './forget-clinical.ts'
export { makeClinical, makeRoom } from './make-clinical.ts'
export type { ClinicalParts, TakeIn, Taken, Taking } from './parts.ts'
export { type Eyes, eyesFor, type Granted, grantFor, mayDo, thingOf } from './rights.ts'
export type { Stored } from './stored.ts'
