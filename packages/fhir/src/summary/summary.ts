import { type ElementRule, elementsOf, usesOf } from '../definitions/index.ts'
import { type FhirObject, type FhirTree, type FhirValue, isList, isObject } from '../json/tree.ts'

/** What `_summary` asks for. `count` shows no resource and is the search's to answer. */
export type SummaryMode = 'true' | 'text' | 'data' | 'false'

const subsetted: FhirObject = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }

/**
 * The resource with the elements asked for (`_elements`), and always id, meta, what is mandatory and what modifies meaning; it
 * is marked as a part (meta.tag SUBSETTED), so that nobody writes it back as the whole. A name is that of an element of the root
 * (`value` for any `value[x]`, or `valueQuantity`), also as `Observation.value`; names that the type does not have ask for nothing.
 */
export function withElements(tree: FhirTree, names: readonly string[]): FhirTree {
  const type = tree.resourceType
  const asked = new Set(names.map((name) => (name.startsWith(`${type}.`) ? name.slice(type.length + 1) : name)))
  const uses = usesOf(type)
  return part(tree, (name) => {
    const use = uses.get(name)
    if (use === undefined) return false
    const { element, spelling } = use
    return asked.has(element.name) || asked.has(spelling) || element.min > 0 || element.isModifier
  })
}

/** The resource as `_summary` asks for it (FHIR R4, 3.1.1.5.9); all but `false` are marked as a part. */
export function summarised(tree: FhirTree, mode: SummaryMode): FhirTree {
  if (mode === 'false') return tree
  if (mode === 'data') return part(tree, (name) => name !== 'text')
  if (mode === 'text') {
    const mandatory = new Set(elementsOf(tree.resourceType).flatMap(({ min, name }) => (min > 0 ? [name] : [])))
    const uses = usesOf(tree.resourceType)
    return part(tree, (name) => name === 'text' || mandatory.has(uses.get(name)?.element.name ?? ''))
  }
  return marked(summaryOf(tree, tree.resourceType) as FhirTree)
}

function part(tree: FhirTree, isShown: (name: string) => boolean): FhirTree {
  const always = new Set(['resourceType', 'id', 'meta'])
  const shown = Object.entries(tree).filter(([member]) => {
    const name = member.startsWith('_') ? member.slice(1) : member
    return always.has(name) || isShown(name)
  })
  return marked(Object.fromEntries(shown) as FhirObject as FhirTree)
}

function marked(tree: FhirTree): FhirTree {
  const { resourceType, id, meta: before, ...rest } = tree
  const meta = isObject(before) ? before : {}
  const tags = isList(meta.tag) ? meta.tag : []
  const isMarked = tags.some((tag) => isObject(tag) && tag.system === subsetted.system && tag.code === subsetted.code)
  const after = isMarked ? meta : { ...meta, tag: [...tags, subsetted] }
  return { resourceType, ...(id === undefined ? {} : { id }), meta: after, ...rest }
}

/** What the definitions mark as summary, and what is mandatory, at every depth; the companion of a primitive goes with it. */
function summaryOf(value: FhirValue, content: string): FhirValue {
  if (isList(value)) return value.map((item) => summaryOf(item, content))
  if (!isObject(value)) return value
  const type = typeof value.resourceType === 'string' ? value.resourceType : content
  const uses = usesOf(type)
  const kept = Object.entries(value).flatMap(([member, inside]) => {
    if (member === 'resourceType') return [[member, inside] as const]
    const use = uses.get(member.startsWith('_') ? member.slice(1) : member)
    if (use === undefined || !isInSummary(use.element)) return []
    // The value of an extension is no summary: of one that modifies meaning it is shown all the same.
    const below = member.startsWith('_') || use.type.code === 'Extension' ? undefined : use.type.content
    return [[member, below === undefined ? inside : summaryOf(inside, below)] as const]
  })
  return Object.fromEntries(kept)
}

/** What modifies meaning is shown although R4 does not mark every such element: the rest would be read as something else. */
function isInSummary(element: ElementRule): boolean {
  return element.isSummary || element.min > 0 || element.isModifier
}
