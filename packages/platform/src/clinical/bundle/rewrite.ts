/** References inside a Bundle, put to where their targets stand. Pure; trees are never changed in place. */
import { type FhirObject, type FhirTree, type FhirValue, isExact, isObject } from '@careloop/fhir'

/** `urn:uuid:...` or `Type/id` of an entry, or `Type?condition`, to `Type/id`; absent = it stays. */
export type Addresses = ReadonlyMap<string, string>

/** Elements that hold an address: references, and what FHIR types as uri, url, uuid or oid and points to a resource. */
const addressed: ReadonlySet<string> = new Set([
  ...['reference', 'url', 'uri', 'valueUri', 'valueUrl', 'valueUuid', 'valueOid', 'valueCanonical', 'source', 'link'],
  ...['instantiatesUri', 'whatUri', 'policy', 'onBehalfOfUri', 'derivedFromUri'],
])

export function rewritten(tree: FhirTree, addresses: Addresses): FhirTree {
  return addresses.size === 0 ? tree : (ofObject(tree, addresses) as FhirTree)
}

function ofValue(value: FhirValue, name: string, addresses: Addresses): FhirValue {
  if (typeof value === 'string') return ofText(value, name, addresses)
  if (typeof value !== 'object' || value === null || isExact(value)) return value
  if (!isObject(value)) {
    const list = value as readonly FhirValue[]
    const next = list.map((each) => ofValue(each, name, addresses))
    return next.some((each, at) => each !== list[at]) ? next : value
  }
  return ofObject(value, addresses)
}

function ofObject(object: FhirObject, addresses: Addresses): FhirObject {
  let copy: Record<string, FhirValue> | undefined
  for (const name of Object.keys(object)) {
    const before = object[name]!
    const after = ofValue(before, name, addresses)
    if (after === before) continue
    copy ??= { ...object }
    copy[name] = after
  }
  return copy ?? object
}

function ofText(text: string, name: string, addresses: Addresses): string {
  if (addressed.has(name)) return ofAddress(text, addresses)
  // Links of the narrative, to entries by their urn.
  if (name !== 'div' || !text.includes('urn:')) return text
  return text.replace(/\b(href|src)="(urn:[^"]+)"/g, (all, attribute, url) => {
    const there = addresses.get(url)
    return there === undefined ? all : `${attribute}="${there}"`
  })
}

/** A fragment of the target (`urn:uuid:...#med`) goes along. */
function ofAddress(text: string, addresses: Addresses): string {
  const at = text.indexOf('#')
  if (at <= 0) return addresses.get(text) ?? text
  const there = addresses.get(text.slice(0, at))
  return there === undefined ? text : there + text.slice(at)
}

/** Conditional references (`Patient?identifier=...`), each once. */
export function conditionsIn(tree: FhirTree): ReadonlySet<string> {
  const found = new Set<string>()
  const look = (value: FhirValue): void => {
    if (typeof value !== 'object' || value === null || isExact(value)) return
    if (!isObject(value)) {
      for (const each of value as readonly FhirValue[]) look(each)
      return
    }
    const { reference } = value
    if (typeof reference === 'string' && /^[A-Z][A-Za-z]{1,63}\?./.test(reference)) found.add(reference)
    for (const name in value) look(value[name]!)
  }
  look(tree)
  return found
}
