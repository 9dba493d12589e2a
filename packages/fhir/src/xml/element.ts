/** An element of an XML document, names without prefixes. */
export interface XmlElement {
  /** Local name. */
  readonly name: string
  /** Namespace URI, '' for none. */
  readonly space: string
  readonly attributes: readonly XmlAttribute[]
  /** Elements and runs of text, references resolved; comments and processing instructions are left out. */
  readonly children: readonly (XmlElement | string)[]
  /** Where it starts and ends in the text that was read: what must stay as it was spelled is cut out there. */
  readonly from: number
  readonly to: number
}

export interface XmlAttribute {
  readonly name: string
  readonly space: string
  /** White space normalised as XML 1.0 section 3.3.3 has it. */
  readonly value: string
}

export const fhirSpace = 'http://hl7.org/fhir'
export const xhtmlSpace = 'http://www.w3.org/1999/xhtml'
export const schemaInstanceSpace = 'http://www.w3.org/2001/XMLSchema-instance'
export const xmlSpace = 'http://www.w3.org/XML/1998/namespace'

/** True when all of it is what XML 1.0 calls characters: no controls but tab and line ends, no half of a surrogate pair. */
export function isXmlText(text: string): boolean {
  return !/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text)
}

/** Text for an XML text or attribute value; undefined when it holds a character that XML 1.0 cannot carry. */
export function escaped(text: string): string | undefined {
  if (!isXmlText(text)) return undefined
  return /[&<>"\n\r\t]/.test(text) ? text.replace(/[&<>"\n\r\t]/g, (unit) => escapes[unit] as string) : text
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
}
