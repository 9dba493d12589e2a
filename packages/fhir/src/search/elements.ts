/** What elements of a resource are worth to a search, whatever FHIR type they are of: they are told apart by their shape. */
import { isNode, type Node } from './path.ts'

/** A code, Coding, Identifier, ContactPoint, boolean or string as a token. */
export interface Token {
  readonly system?: string
  readonly code: string
  /** Of a ContactPoint: its use, which a search may name in place of the system; its value is compared without case. */
  readonly use?: string
  readonly isContact?: boolean
}

const contactSystems: ReadonlySet<unknown> = new Set(['phone', 'fax', 'email', 'pager', 'url', 'sms', 'other'])
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value])

/** @param implied system of a plain `code` */
export function tokensOf(value: unknown, implied?: string): readonly Token[] {
  if (typeof value === 'boolean') return [{ system: 'http://hl7.org/fhir/special-values', code: String(value) }]
  if (typeof value === 'string') return [token(implied, value)]
  if (!isNode(value)) return []
  if (Array.isArray(value.coding)) return value.coding.flatMap((coding) => tokensOf(coding))
  const code = text(value.code)
  if (code !== undefined) return [token(text(value.system), code)]
  const held = text(value.value)
  if (held === undefined) return []
  const use = text(value.use)
  return contactSystems.has(value.system)
    ? [{ ...token(text(value.system), held), isContact: true, ...(use === undefined ? {} : { use }) }]
    : [token(text(value.system), held)]
}

const token = (system: string | undefined, code: string): Token => (system === undefined ? { code } : { system, code })

/** What `:text` looks through: the words beside a code, or of an identifier's type. */
export function wordsOf(value: unknown): readonly string[] {
  if (!isNode(value)) return []
  const codings = list(value.coding).filter(isNode)
  const own = [value.text, value.display, ...codings.map(({ display }) => display)]
  const ofType = isNode(value.type) ? wordsOf(value.type) : []
  return [...own.filter((word) => typeof word === 'string'), ...ofType]
}

const parts = [
  'text',
  'family',
  'given',
  'prefix',
  'suffix',
  'line',
  'city',
  'district',
  'state',
  'postalCode',
  'country',
]

/** A string, or each part of a HumanName or Address. */
export function stringsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (!isNode(value)) return []
  return parts.flatMap((part) => list(value[part])).filter((part) => typeof part === 'string')
}

/** `Patient/1`, a URL, or a canonical, without `/_history/...`; undefined where there is an identifier only. */
export function referenceOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (!isNode(value)) return undefined
  if (typeof value.resourceType === 'string')
    return typeof value.id === 'string' ? `${value.resourceType}/${value.id}` : undefined
  return text(value.reference)?.replace(/\/_history\/[^/]+$/, '')
}

/** The identifier by which a reference names what it means. */
export const identifierOf = (value: unknown): Node | undefined =>
  isNode(value) && isNode(value.identifier) ? value.identifier : undefined
