/** A FHIR interaction as it is asked for: over HTTP, or as an entry of a Bundle. */
import type { FhirTree, FhirValue, Pair } from '@careloop/fhir'
import type { By } from '../../subjects/index.ts'
import type { Stored } from '../stored.ts'

export type FhirMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Conditions {
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
  readonly ifModifiedSince?: string | undefined
  /** Query of a conditional create. */
  readonly ifNoneExist?: string | undefined
}

export interface FhirRequest {
  readonly by: By
  readonly method: FhirMethod
  /** Below the base: `Observation/1/_history/2`. */
  readonly path: readonly string[]
  readonly query: readonly Pair[]
  readonly conditions: Conditions
  readonly tree?: FhirTree
  readonly patch?: FhirValue
  /** `https://host/fhir/R4`, without a slash at the end. */
  readonly base: string
  readonly isStrict: boolean
}

export interface FhirAnswer {
  readonly status: number
  /** What it is of, for ETag, Last-Modified and Location. */
  readonly stored?: Stored
  /** Where it stands, with its version. */
  readonly location?: string
  /** The resource; absent: nothing to show (204, 304). */
  readonly body?: { readonly text: string } | { readonly tree: FhirTree }
  /** It answers a write: the client may ask for less of it (`Prefer: return`). */
  readonly isWrite?: true
}

export const etagOf = ({ version }: Pick<Stored, 'version'>): string => `W/"${version}"`

export const locationOf = (base: string, { type, id, version }: Stored): string =>
  `${base}/${type}/${id}/_history/${version}`
