/** A resource as the store gives it. */
export interface Stored {
  readonly type: string
  /** As whoever made it chose it: any legal FHIR id. PHI may hide in it: never in logs. */
  readonly id: string
  /** Ours, opaque: what audit entries, facts and plain columns carry in place of `type/id`. */
  readonly rid: string
  /** `meta.versionId`, from 1. */
  readonly version: number
  /** `meta.lastUpdated`, ms. */
  readonly updatedAt: number
  /** Our subject in whose compartment it lies; null = of no subject. */
  readonly subject: string | null
  readonly isDeleted: boolean
  /** It is a view of another room's rows: clients change it by that room only. */
  readonly isDerived: boolean
  /** Codes of the vocabulary that it tells of, for consent; absent: none is known. */
  readonly signals?: readonly string[]
  /** Code of the program that it was inferred by, for consent. */
  readonly program?: string
  /** FHIR JSON as it is served: with id and meta, decimals spelled as they came. Empty when deleted. */
  readonly text: string
}
