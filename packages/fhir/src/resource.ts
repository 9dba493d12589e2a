/** A FHIR R4 resource as code reads it: numbers are numbers. What must keep its spelling goes through `json.ts` as text. */
export interface Resource {
  readonly resourceType: string
  readonly id?: string
  readonly meta?: Meta
  readonly [element: string]: unknown
}

export interface Meta {
  readonly versionId?: string
  /** FHIR instant. */
  readonly lastUpdated?: string
  readonly profile?: readonly string[]
  readonly [element: string]: unknown
}

/** What may be the id of a resource: FHIR R4 `id`, assigned by whoever made it. */
export const idPattern = /^[A-Za-z0-9\-.]{1,64}$/
