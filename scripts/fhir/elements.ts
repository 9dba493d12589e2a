/** Trims StructureDefinitions to what a validator and a writer of XML ask: names, order, cardinality, types, bindings, rules. */
import type { Definition } from './package.ts'

interface SourceElement {
  readonly path: string
  readonly min: number
  readonly max: string
  readonly type?: readonly SourceType[]
  readonly contentReference?: string
  readonly isSummary?: boolean
  readonly isModifier?: boolean
  readonly binding?: { strength: string; valueSet?: string }
  readonly constraint?: readonly SourceConstraint[]
}

interface SourceType {
  readonly code: string
  readonly profile?: readonly string[]
  readonly targetProfile?: readonly string[]
  readonly extension?: readonly { url: string; valueUrl?: string; valueString?: string }[]
}

interface SourceConstraint {
  readonly key: string
  readonly severity: string
  readonly human: string
  readonly expression?: string
}

/**
 * `[path, min, max (0 = any number), types, flags?, required value set?, keys of constraints?]`.
 * Flags: s summary, m modifier, q quantity without comparator (SimpleQuantity).
 */
type ElementRow = readonly [string, number, number, string, string?, string?, string?]

interface TypeRow {
  readonly kind: string
  readonly base: string
  readonly rules?: readonly string[]
  readonly elements: readonly ElementRow[]
}

interface Rule {
  readonly severity: string
  readonly human: string
  readonly expression: string
}

export interface Trimmed {
  readonly types: Readonly<Record<string, TypeRow>>
  readonly rules: Readonly<Record<string, Rule>>
}

/** Held by every element: a validator knows them without being told each time. */
const EVERYWHERE = new Set(['ele-1', 'ext-1'])
const STRUCTURE = 'http://hl7.org/fhir/StructureDefinition/'

/** `definitions`: base StructureDefinitions (no profiles). */
export function trimElements(definitions: readonly Definition[]): Trimmed {
  const rules: Record<string, Rule> = {}
  const types: Record<string, TypeRow> = {}
  for (const definition of definitions) {
    const name = String(definition.type)
    const elements = (definition.snapshot as { element: SourceElement[] }).element
    const [root, ...rest] = elements
    types[name] = {
      kind: String(definition.kind),
      base: String(definition.baseDefinition ?? '').replace(STRUCTURE, ''),
      ...maybe('rules', keysOf(root!, name, rules)),
      elements: rest.map((element) => elementRow(element, name, rules)),
    }
  }
  return { types: sorted(types), rules: sorted(rules) }
}

function elementRow(element: SourceElement, type: string, rules: Record<string, Rule>): ElementRow {
  const isSimple = (element.type ?? []).some((type) => type.profile?.includes(`${STRUCTURE}SimpleQuantity`) === true)
  const flags = `${element.isSummary ? 's' : ''}${element.isModifier ? 'm' : ''}${isSimple ? 'q' : ''}`
  const valueSet = element.binding?.strength === 'required' ? (element.binding.valueSet ?? '').split('|')[0]! : ''
  const keys = (keysOf(element, type, rules) ?? []).join(' ')
  const max = element.max === '*' ? 0 : Number(element.max)
  const path = element.path.slice(element.path.indexOf('.') + 1)
  const row = [path, element.min, max, typesOf(element), flags, valueSet, keys]
  while (row.at(-1) === '') row.pop()
  return row as unknown as ElementRow
}

/** `Quantity|Reference(Patient,Group)`, or `#Observation.referenceRange` for content defined elsewhere. */
function typesOf(element: SourceElement): string {
  if (element.contentReference !== undefined) return element.contentReference.replace(/^.*#/, '#')
  return (element.type ?? []).map((type) => typeText(type, element.path)).join('|')
}

function typeText(type: SourceType, path: string): string {
  const targets = (type.targetProfile ?? []).map((url) => url.replace(STRUCTURE, ''))
  if (targets.length > 0) return `${type.code}(${targets.join(',')})`
  if (!type.code.startsWith('http://hl7.org/fhirpath/')) return type.code
  if (/^[A-Z][A-Za-z]+\.id$/.test(path) && type.extension !== undefined) return resourceIdOr(type, path)
  return type.extension?.find((extension) => extension.url.endsWith('fhir-type'))?.valueUrl ?? systemType(type.code)
}

/** R4 writes `string` as the type of Resource.id; the rules of `id` apply to it (FHIR 4.0.1, 2.26.3). */
function resourceIdOr(type: SourceType, path: string): string {
  return RESOURCE_LIKE.has(path.slice(0, -3)) ? 'id' : (type.extension?.[0]?.valueUrl ?? 'string')
}

const RESOURCE_LIKE = new Set<string>()

/** Tells which types are resources, before they are trimmed. */
export function nameResources(definitions: readonly Definition[]): void {
  for (const definition of definitions) {
    if (definition.kind === 'resource') RESOURCE_LIKE.add(String(definition.type))
  }
}

function systemType(code: string): string {
  return code.replace('http://hl7.org/fhirpath/', '')
}

/** Keys of an element's constraints; a key that means something else in another type is written `key@Type`. */
function keysOf(element: SourceElement, type: string, rules: Record<string, Rule>): string[] | undefined {
  const keys: string[] = []
  for (const { key, severity, human, expression } of element.constraint ?? []) {
    if (EVERYWHERE.has(key) || expression === undefined) continue
    const rule = { severity, human, expression }
    const known = rules[key]
    const name = known === undefined || known.expression === expression ? key : `${key}@${type}`
    rules[name] ??= rule
    keys.push(name)
  }
  return keys.length === 0 ? undefined : keys
}

function maybe<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]: V })
}

function sorted<V>(record: Record<string, V>): Record<string, V> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
