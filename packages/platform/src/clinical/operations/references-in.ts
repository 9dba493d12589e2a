import { parametersOf, type Resource, referencesOf } from '@careloop/fhir'

/** Every reference of a resource that a search parameter reads, each once. */
export function referencesIn(resource: Resource, base: string): string[] {
  const parameters = [...parametersOf(resource.resourceType).values()].filter(({ type }) => type === 'reference')
  return [...new Set(parameters.flatMap((parameter) => referencesOf(resource, parameter, base)))]
}
