import { matches, type Pair, parseSearch, type Resource } from '@careloop/fhir'

/**
 * Whether a resource fulfils search parameters of its type, as scopes and filters name them. What is not understood, or would need
 * another resource to be looked up, is not fulfilled: a filter that cannot be decided lets nothing through.
 */
export function fulfils(resource: Resource, params: readonly Pair[], now = 0): boolean {
  try {
    return matches(resource, parseSearch(resource.resourceType, params, { now, isStrict: true }).clauses)
  } catch {
    return false
  }
}
