/** Clinical: the record as FHIR R4. Owns clinical_resource, clinical_history, clinical_key. */
export type { Clinical, Derived, Expected, HistoryPage, HistoryQuestion, Written } from './clinical.ts'
export type { Stored } from './stored.ts'
