/** A resource as the store gives it. */
export interface Stored {
  readonly type: string
  /** As whoever made it chose it: any legal FHIR id. PHI may hide in it: never in logs. */
  readonly id: string
  /** `meta.versionId`, from 1. */
  readonly version: number
  /** `meta.lastUpdated`, ms. */
  readonly updatedAt: number
  /** Our subject in whose compartment it lies; null = of no subject. */
  readonly subject: string | null
  readonly isDeleted: boolean
  /** FHIR JSON as it is served: with id and meta, decimals spelled as they came. Empty when deleted. */
  readonly text: string
}
