import { isResourceType } from '../definitions/index.ts'
import { type FhirObject, type FhirTree, type FhirValue, isExact, isList, isObject } from '../json/tree.ts'
import { Unreadable } from '../json/unreadable.ts'
import { escaped, fhirSpace } from './element.ts'
import { type Placed, placesOf } from './order.ts'
import { xhtmlOf } from './xhtml.ts'

export const fhirXmlType = 'application/fhir+xml'

/**
 * The resource in FHIR XML, elements in the order of the schemas, whatever their order in JSON; numbers as they are spelled, the
 * narrative as it is. `Unreadable` for what FHIR XML cannot say: an element that FHIR does not have, or a control character.
 */
export function writeXml(tree: FhirTree): string {
  const out = ['<?xml version="1.0" encoding="UTF-8"?>']
  resource(out, tree, tree.resourceType, ` xmlns="${fhirSpace}"`)
  return out.join('')
}

function resource(out: string[], value: FhirValue, path: string, space: string): void {
  if (!isObject(value) || typeof value.resourceType !== 'string' || !isResourceType(value.resourceType))
    throw unsaid(path)
  const type = value.resourceType
  out.push(`<${type}${space}>`)
  children(out, type, value, path)
  out.push(`</${type}>`)
}

function children(out: string[], content: string, object: FhirObject, path: string): void {
  const places = placesOf(content)
  for (const name in object) {
    if (!places.has(name.startsWith('_') ? name.slice(1) : name) && name !== 'resourceType') throw unsaid(path)
  }
  for (const [name, placed] of places) {
    const value = object[name]
    const side = object[`_${name}`]
    if (placed.how === 'attribute' || (value === undefined && side === undefined)) continue
    const values = isList(value) ? value : value === undefined ? [] : [value]
    const sides = isList(side) ? side : side === undefined ? [] : [side]
    for (let at = 0; at < Math.max(values.length, sides.length); at++) {
      one(
        out,
        placed,
        values[at] ?? undefined,
        sides[at] ?? undefined,
        isList(value) ? `${path}.${name}[${at}]` : `${path}.${name}`,
      )
    }
  }
}

function one(
  out: string[],
  placed: Placed,
  value: FhirValue | undefined,
  side: FhirValue | undefined,
  path: string,
): void {
  const { spelling, type } = placed
  if (placed.how === 'primitive') {
    primitive(out, spelling, value, side, path)
    return
  }
  if (value === undefined || side !== undefined) throw unsaid(path)
  if (placed.how === 'xhtml') {
    out.push(xhtmlOf(value, path))
  } else if (placed.how === 'resource') {
    out.push(`<${spelling}>`)
    resource(out, value, path, '')
    out.push(`</${spelling}>`)
  } else {
    if (!isObject(value) || type.content === undefined) throw unsaid(path)
    out.push(`<${spelling}${attributes(type.content, value, path)}>`)
    children(out, type.content, value, path)
    out.push(`</${spelling}>`)
  }
}

function attributes(content: string, object: FhirObject, path: string): string {
  const written = [...placesOf(content)].map(([name, { how }]) => {
    const value = object[name]
    if (how !== 'attribute' || value === undefined) return ''
    return ` ${name}="${text(value, `${path}.${name}`)}"`
  })
  return written.join('')
}

function primitive(
  out: string[],
  name: string,
  value: FhirValue | undefined,
  side: FhirValue | undefined,
  path: string,
): void {
  const shown = value === undefined ? '' : ` value="${text(value, path)}"`
  if (side === undefined) {
    if (value === undefined) throw unsaid(path)
    out.push(`<${name}${shown}/>`)
    return
  }
  if (!isObject(side)) throw unsaid(path)
  const inside: string[] = []
  children(inside, 'Element', side, path)
  out.push(
    `<${name}${attributes('Element', side, path)}${shown}`,
    ...(inside.length > 0 ? ['>', ...inside, `</${name}>`] : ['/>']),
  )
}

function text(value: FhirValue, path: string): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (isExact(value)) return value.rawJSON
  const written = typeof value === 'string' ? escaped(value) : undefined
  if (written === undefined) throw unsaid(path)
  return written
}

function unsaid(path: string): Unreadable {
  return new Unreadable('structure', 'xml-element', 'FHIR XML has no way to say what stands here: ask for JSON.', path)
}
