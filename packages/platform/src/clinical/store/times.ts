/** When a resource is of: the span by which lists of it are sorted, and what is searched by date is narrowed. Pure. */
import { clinicalSpan, type Resource } from '@careloop/fhir'

export interface Span {
  /** ms; null = open, or it has none. */
  readonly from: number | null
  /** ms, the first after it; null = open, or it has none. */
  readonly to: number | null
}

/** The same span that search decides by: what it is narrowed by can never be another. */
export function spanOf(resource: Resource): Span {
  const { from, to } = clinicalSpan(resource) ?? { from: Number.NaN, to: Number.NaN }
  return { from: Number.isFinite(from) ? from : null, to: Number.isFinite(to) ? to : null }
}
