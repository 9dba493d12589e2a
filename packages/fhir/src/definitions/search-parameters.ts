import { generated, type SearchRow } from './generated.ts'

/** A search parameter of FHIR R4 as its definition says it, with its FHIRPath. */
export interface SearchParameterRule {
  readonly code: string
  /** `number date string token reference composite quantity uri special`. */
  readonly type: string
  /** Types of resource that have it; `Resource` and `DomainResource` mean all. */
  readonly base: readonly string[]
  /** FHIRPath of all its bases, joined by `|`. */
  readonly expression: string
  readonly target?: readonly string[]
  /** Of a composite: its parts, each with its path from `expression`. */
  readonly parts?: SearchRow['parts'] & {}
}

const byType = new Map<string, readonly SearchParameterRule[]>()

/** The search parameters of a type of resource, those of every resource included. */
export function searchParametersOf(type: string): readonly SearchParameterRule[] {
  const known = byType.get(type)
  if (known !== undefined) return known
  const bases = [type, 'Resource', 'DomainResource']
  const found = generated('search-parameters').filter((row) => row.base.some((base) => bases.includes(base)))
  byType.set(type, found)
  return found
}

/** The parameters by which a resource of this type belongs to a patient; empty for types of no patient. */
export function patientParametersOf(type: string): readonly string[] {
  const compartment = generated('patient-compartment')
  return Object.hasOwn(compartment, type) ? compartment[type]! : []
}
