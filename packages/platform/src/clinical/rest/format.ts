/** In what a resource comes and goes: JSON or XML, chosen by `_format`, else by Accept. */
import { type FhirTree, fhirXmlType, type Pair, parseFhir, parseXml, writeFhir, writeXml } from '@careloop/fhir'
import { clinicalFailure } from '../errors.ts'

export type Format = 'json' | 'xml'

export const fhirJsonType = 'application/fhir+json'
export const jsonTypes = [fhirJsonType, 'application/json', 'text/json']
export const xmlTypes = [fhirXmlType, 'application/xml', 'text/xml']

const formats: Readonly<Record<string, Format>> = {
  ...Object.fromEntries([...jsonTypes, 'json'].map((name) => [name, 'json' as const])),
  ...Object.fromEntries([...xmlTypes, 'xml'].map((name) => [name, 'xml' as const])),
  ...{ '*/*': 'json', 'application/*': 'json', 'text/html': 'json', 'text/*': 'json' },
}

/** @throws Failure `format-unacceptable` */
export function formatOf(query: readonly Pair[], accept: string | undefined): Format {
  const asked = query.find(([name]) => name === '_format')?.[1]
  // A plus sign that was not escaped arrives as a blank.
  if (asked !== undefined) return known(mediaOf(asked.replaceAll(' ', '+')))
  if (accept === undefined || accept.trim() === '') return 'json'
  const ranges = accept
    .split(',')
    .map(rangeOf)
    .sort((a, b) => b.weight - a.weight)
  for (const { media, weight } of ranges) if (weight > 0 && Object.hasOwn(formats, media)) return formats[media]!
  throw unacceptable()
}

const mediaOf = (text: string): string => text.split(';', 1)[0]!.trim().toLowerCase()

function rangeOf(text: string): { media: string; weight: number } {
  const weight = /;\s*q=([0-9.]+)/i.exec(text)?.[1]
  const version = /fhirVersion=([\d.]+)/i.exec(text)?.[1]
  // Another version of FHIR is another format.
  if (version !== undefined && !version.startsWith('4.0')) return { media: '', weight: 0 }
  return { media: mediaOf(text), weight: weight === undefined ? 1 : Number(weight) }
}

function known(media: string): Format {
  if (Object.hasOwn(formats, media)) return formats[media]!
  throw unacceptable()
}

const unacceptable = () =>
  clinicalFailure('format-unacceptable', 'Ask for application/fhir+json or application/fhir+xml of FHIR 4.0.')

export const typeOf = (format: Format): string => `${format === 'xml' ? fhirXmlType : fhirJsonType}; charset=utf-8`

export function writtenIn(format: Format, body: { text: string } | { tree: FhirTree }, isPretty: boolean): string {
  if (format === 'json' && !isPretty) return 'text' in body ? body.text : writeFhir(body.tree)
  const tree = 'text' in body ? parseFhir(body.text) : body.tree
  return format === 'xml' ? writeXml(tree) : JSON.stringify(tree, null, 2)
}

/** @throws Unreadable; Failure `resource-unreadable` for what is no UTF-8 */
export function readIn(mediaType: string, bytes: Buffer): FhirTree {
  const text = textOf(bytes)
  return xmlTypes.includes(mediaType) ? parseXml(text) : parseFhir(text)
}

export function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw clinicalFailure('resource-unreadable', 'The body is not text in UTF-8.')
  }
}
