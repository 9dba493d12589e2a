import { type ElementUse, elementsOf, isResourceType, typeOf, usesOf } from '../definitions/index.ts'

export interface Placed extends ElementUse {
  /** Where it stands among its siblings; the types of a choice share one place. */
  readonly place: number
  readonly how: 'attribute' | 'primitive' | 'complex' | 'resource' | 'xhtml'
}

const known = new Map<string, ReadonlyMap<string, Placed>>()

/** The elements of a type or part by their spelling, in the order of FHIR's schemas, and how XML writes each. */
export function placesOf(content: string): ReadonlyMap<string, Placed> {
  const found = known.get(content)
  if (found !== undefined) return found
  const places = new Map(elementsOf(content).map((element, place) => [element, place]))
  const isResource = typeOf(content)?.kind === 'resource'
  const placed = new Map(
    [...usesOf(content)].map(([spelling, use]) => [
      spelling,
      { ...use, place: places.get(use.element) ?? 0, how: howOf(content, use, isResource) },
    ]),
  )
  if (placed.size > 0) known.set(content, placed)
  return placed
}

/** `id` of all but resources and `url` of an extension are attributes (FHIR R4, 2.6.1.2); what holds a resource nests it. */
function howOf(content: string, use: ElementUse, isResource: boolean): Placed['how'] {
  if (use.spelling === 'id' && !isResource) return 'attribute'
  if (use.spelling === 'url' && content === 'Extension') return 'attribute'
  if (use.type.code === 'xhtml') return 'xhtml'
  if (use.type.code === 'Resource' || isResourceType(use.type.code)) return 'resource'
  return use.type.content === undefined ? 'primitive' : 'complex'
}
