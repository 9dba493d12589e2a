import type { FhirValue } from '../json/tree.ts'
import { defaultBounds, Unreadable } from '../json/unreadable.ts'
import { escaped, type XmlElement, xhtmlSpace, xmlSpace } from './element.ts'
import { htmlCharacter } from './entities.ts'
import { readXml } from './reader.ts'

/**
 * A narrative of the JSON form as part of an XML document: as it is spelled where that is well-formed in the namespace of XHTML,
 * and written anew where it leans on HTML (named characters, no namespace). What is not one element `div` is refused: pasted as
 * it came, it could close what stands around it.
 */
export function xhtmlOf(value: FhirValue, path: string): string {
  if (typeof value !== 'string') throw refused(path)
  const bare = /&(?!(amp|lt|gt|quot|apos);)[A-Za-z]/.test(value)
  const div = read(value.trim(), path)
  if (div.name !== 'div' || (div.space !== xhtmlSpace && div.space !== '')) throw refused(path)
  return !bare && isPlain(div, xhtmlSpace) ? value.trim() : written(div, path)
}

/** The narrative of an XML document as the JSON form has it: cut out as it is spelled, or written anew when it needs what stands around it. */
export function narrativeOf(text: string, div: XmlElement, path: string): string {
  if (div.name !== 'div' || div.space !== xhtmlSpace) throw refused(path)
  const cut = text.slice(div.from, div.to).replace(/\r\n?/g, '\n')
  // Read on its own, it must say the same: no prefix and no namespace from outside.
  return /^<div\s[^>]*\bxmlns\s*=/.test(cut) && isPlain(div, xhtmlSpace) && !/<\/?\w[\w.-]*:|\sxmlns:/.test(cut)
    ? cut
    : written(div, path)
}

function read(text: string, path: string): XmlElement {
  try {
    return readXml(text, defaultBounds, htmlCharacter)
  } catch (error) {
    if (error instanceof Unreadable) throw refused(path)
    throw error
  }
}

function isPlain(element: XmlElement, space: string): boolean {
  return (
    element.space === space && element.children.every((child) => typeof child === 'string' || isPlain(child, space))
  )
}

function written(element: XmlElement, path: string, isRoot = true): string {
  if (element.space !== xhtmlSpace && element.space !== '') throw refused(path)
  const attributes = element.attributes.map(({ name, space, value }) => {
    if (space !== '' && space !== xmlSpace) throw refused(path)
    return ` ${space === xmlSpace ? `xml:${name}` : name}="${safe(value, path)}"`
  })
  const open = `<${element.name}${isRoot ? ` xmlns="${xhtmlSpace}"` : ''}${attributes.join('')}`
  if (element.children.length === 0) return `${open}/>`
  const inside = element.children.map((child) =>
    typeof child === 'string'
      ? safe(child, path).replaceAll('&#10;', '\n').replaceAll('&#9;', '\t')
      : written(child, path, false),
  )
  return `${open}>${inside.join('')}</${element.name}>`
}

function safe(text: string, path: string): string {
  const value = escaped(text)
  if (value === undefined) throw refused(path)
  return value
}

function refused(path: string): Unreadable {
  return new Unreadable(
    'structure',
    'xhtml',
    'A narrative is one well-formed element div in the namespace of XHTML.',
    path,
  )
}
