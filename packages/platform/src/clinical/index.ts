/** Clinical: the record as FHIR R4. Owns clinical_resource, clinical_history, clinical_key. */
export type { Stored } from './stored.ts'
