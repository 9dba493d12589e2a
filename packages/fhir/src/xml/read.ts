import { isResourceType } from '../definitions/index.ts'
import { type FhirTree, type FhirValue, numberOf } from '../json/tree.ts'
import { type Bounds, defaultBounds, Unreadable } from '../json/unreadable.ts'
import { fhirSpace, schemaInstanceSpace, type XmlElement } from './element.ts'
import { type Placed, placesOf } from './order.ts'
import { readXml } from './reader.ts'
import { narrativeOf } from './xhtml.ts'

/** The text that is read, for what must be cut out of it. */
type Source = string

type Members = Record<string, FhirValue>

const numeric = new Set(['decimal', 'integer', 'positiveInt', 'unsignedInt'])

/**
 * A resource in FHIR XML as the tree that its JSON form gives: numbers keep their spelling, the narrative is text. Refuses, with
 * the path: elements in another namespace, out of the order of the schemas, unknown or standing too often; attributes and text
 * that FHIR does not have; anything that is not well-formed or declares a document type. The rest is for the validator.
 */
export function parseXml(text: string, bounds: Bounds = defaultBounds): FhirTree {
  const root = readXml(text, bounds)
  return resource(text, root, root.name)
}

function resource(text: Source, element: XmlElement, path: string): FhirTree {
  inFhir(element, path)
  if (!isResourceType(element.name))
    throw refused('xml-resource', 'An element with the name of a resource type is expected.', path)
  const extra = element.attributes.find(({ space }) => space !== schemaInstanceSpace)
  if (extra) throw refused('xml-attribute', 'A resource has no attributes.', path)
  return { resourceType: element.name, ...members(text, element, element.name, path) }
}

function members(text: Source, parent: XmlElement, content: string, path: string): Members {
  const places = placesOf(content)
  const found: Members = {}
  const counts = new Map<string, number>()
  let last = 0
  for (const child of parent.children) {
    if (typeof child === 'string') {
      if (child.trim() === '') continue
      throw refused('xml-text', 'FHIR XML has text in the attribute value only.', path)
    }
    const placed = places.get(child.name)
    if (placed === undefined || placed.how === 'attribute')
      throw refused('xml-element', 'FHIR has no such element here.', `${path}.${shown(child.name)}`)
    const count = counts.get(child.name) ?? 0
    counts.set(child.name, count + 1)
    const isListed = placed.element.max > 1
    const here = `${path}.${child.name}${isListed ? `[${count}]` : ''}`
    if (placed.place < last) throw refused('xml-order', 'Elements stand in the order of the definition.', here)
    if (!isListed && count > 0) throw refused('xml-repeat', 'This element stands once.', here)
    last = placed.place
    if (placed.how === 'primitive') primitive(text, found, placed, child, count, here)
    else put(found, placed, compound(text, placed, child, here))
  }
  return found
}

function put(found: Members, placed: Placed, value: FhirValue): void {
  if (placed.element.max === 1) found[placed.spelling] = value
  else listOf(found, placed.spelling).push(value)
}

function listOf(found: Members, name: string): FhirValue[] {
  const list = (found[name] ?? []) as FhirValue[]
  found[name] = list
  return list
}

function compound(text: Source, placed: Placed, child: XmlElement, path: string): FhirValue {
  if (placed.how === 'xhtml') return narrativeOf(text, child, path)
  inFhir(child, path)
  if (placed.how === 'resource') {
    const inside = child.children.filter((each) => typeof each !== 'string' || each.trim() !== '')
    const [only] = inside
    if (inside.length !== 1 || only === undefined || typeof only === 'string' || child.attributes.length > 0) {
      throw refused('xml-resource', 'One resource stands here.', path)
    }
    return resource(text, only, path)
  }
  const content = placed.type.content ?? placed.type.code
  return { ...attributesOf(child, content, path), ...members(text, child, content, path) }
}

function attributesOf(child: XmlElement, content: string, path: string): Members {
  const places = placesOf(content)
  const found: Members = {}
  for (const { name, space, value } of child.attributes) {
    if (space !== '' || places.get(name)?.how !== 'attribute')
      throw refused('xml-attribute', 'FHIR has no such attribute here.', path)
    found[name] = value
  }
  return found
}

/** `<given value="A" id="1"><extension .../></given>` to the element and its companion with the underscore. */
function primitive(text: Source, found: Members, placed: Placed, child: XmlElement, at: number, path: string): void {
  inFhir(child, path)
  const spelled = child.attributes.find(({ name, space }) => name === 'value' && space === '')?.value
  const rest = { ...child, attributes: child.attributes.filter(({ name, space }) => name !== 'value' || space !== '') }
  const side: Members = { ...attributesOf(rest, 'Element', path), ...members(text, child, 'Element', path) }
  const hasSide = Object.keys(side).length > 0
  if (spelled === undefined && !hasSide) throw refused('xml-empty', 'An element has a value or an extension.', path)
  const value = spelled === undefined ? undefined : primitiveValue(placed.type.code, spelled, path)
  const name = placed.spelling
  if (placed.element.max === 1) {
    if (value !== undefined) found[name] = value
    if (hasSide) found[`_${name}`] = side
    return
  }
  // Two lists side by side, with null where one of the two has nothing (FHIR R4, 2.6.2.3); a list of nulls only is left out.
  if (value !== undefined || found[name] !== undefined) fill(listOf(found, name), at).push(value ?? null)
  if (hasSide || found[`_${name}`] !== undefined) fill(listOf(found, `_${name}`), at).push(hasSide ? side : null)
}

function fill(list: FhirValue[], length: number): FhirValue[] {
  while (list.length < length) list.push(null)
  return list
}

function primitiveValue(type: string, spelled: string, path: string): FhirValue {
  if (type === 'boolean') {
    if (spelled !== 'true' && spelled !== 'false') throw refused('xml-value', 'A boolean is true or false.', path)
    return spelled === 'true'
  }
  if (!numeric.has(type)) return spelled
  if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(spelled))
    throw refused('xml-value', 'This is not a number of FHIR.', path)
  return numberOf(spelled)
}

function inFhir(element: XmlElement, path: string): void {
  if (element.space !== fhirSpace) throw refused('xml-namespace', `Elements stand in the namespace ${fhirSpace}.`, path)
}

function refused(rule: string, words: string, path: string): Unreadable {
  return new Unreadable('structure', rule, words, path)
}

function shown(name: string): string {
  return /^[a-z][A-Za-z0-9]{0,63}$/.test(name) ? name : '?'
}
