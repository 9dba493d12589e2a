import { scan } from './scan.ts'
import { type FhirObject, type FhirTree, type FhirValue, isObject, numberOf, rawJson } from './tree.ts'
import { namedTwice } from './twice.ts'
import { type Bounds, defaultBounds, Unreadable } from './unreadable.ts'

/**
 * Reads a resource in JSON and loses nothing: decimals keep their spelling (FHIR: precision is part of the value). Refuses, each
 * with a path or a place: what is no JSON, no resource, nested or long beyond the bounds, and members named twice, of which
 * parsers would keep one in silence. Most texts have no odd number and go through the native parser without a reviver.
 */
export function parseFhir(text: string, bounds: Bounds = defaultBounds): FhirTree {
  const value = parseJson(text, bounds)
  if (!isObject(value)) throw notResource('A resource is a JSON object.')
  if (typeof value.resourceType !== 'string' || !/^[A-Z][A-Za-z]{0,63}$/.test(value.resourceType)) {
    throw notResource('The member resourceType must name a FHIR type.')
  }
  return value as FhirTree
}

/** Any JSON, as lossless and as careful: the operations of a patch, for one. */
export function parseJson(text: string, bounds: Bounds = defaultBounds): FhirValue {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  const { members, hasOdd } = scan(source, bounds)
  const value = parsed(source, hasOdd)
  if (members !== countMembers(value)) {
    const root = isObject(value) && typeof value.resourceType === 'string' ? value.resourceType : '$this'
    const path = namedTwice(source, root)
    throw new Unreadable('structure', 'duplicate', 'A member is named twice in one object: send it once.', path)
  }
  return value
}

/** The JSON of a tree, without white space, every number spelled as it came. */
export function writeFhir(tree: FhirTree): string {
  return JSON.stringify(tree)
}

/** What a write sets, whatever the sender wrote there. */
export interface Stamp {
  readonly id: string
  readonly versionId: string
  /** FHIR instant. */
  readonly lastUpdated: string
}

/** The tree under this id and version: resourceType, id and meta come first, other members of meta stay, nothing is respelled. */
export function withMeta(of: string | FhirTree, stamp: Stamp): FhirTree {
  const tree = typeof of === 'string' ? parseFhir(of) : of
  const { resourceType, id: _id, meta: before, ...rest } = tree
  const { versionId: _version, lastUpdated: _at, ...kept } = isObject(before) ? before : ({} as FhirObject)
  const meta: FhirObject = { versionId: stamp.versionId, lastUpdated: stamp.lastUpdated, ...kept }
  return { resourceType, id: stamp.id, meta, ...rest }
}

function parsed(source: string, hasOdd: boolean): FhirValue {
  try {
    if (!hasOdd) return JSON.parse(source) as FhirValue
    return rawJson.parse(source, (_name, value, context) =>
      typeof value === 'number' && context.source !== undefined ? numberOf(context.source) : value,
    ) as FhirValue
  } catch (error) {
    // V8's message quotes the text, which may be PHI: only the place is told.
    const place = error instanceof SyntaxError ? /at position (\d+)/.exec(error.message)?.[1] : undefined
    throw new Unreadable('structure', 'json', `The text is not JSON${place ? ` (at character ${place})` : ''}.`)
  }
}

function countMembers(value: FhirValue): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countMembers(item)
    return count
  }
  if (rawJson.isRawJSON(value)) return 0
  for (const name in value) {
    count++
    const member = (value as FhirObject)[name] as FhirValue
    if (typeof member === 'object') count += countMembers(member)
  }
  return count
}

function notResource(words: string): Unreadable {
  return new Unreadable('structure', 'resource', words)
}
