/**
 * By which texts a resource is found. Each names its type, what kind of thing it is about, and the thing; the platform keeps a blind
 * key of each. They are few, because every one is a row: a vital sign has about eight. What is selective of nothing (a status) has
 * none; the resources found by other keys, or by their type, are then decided on one by one.
 */
import type { Resource } from '../resource.ts'
import { canonicalQuantity, gramsPerMoleOf } from '../ucum/index.ts'
import { bucketNamesOf } from './bucket.ts'
import { clinicalSpan } from './clinical-span.ts'
import { identifierOf, referenceOf, stringsOf, tokensOf } from './elements.ts'
import { fold } from './fold.ts'
import { parametersOf } from './parameters.ts'
import { isNode, type Node, readerOf, targetOf } from './path.ts'
import { codingsIn, measuredOf, ucum } from './quantity.ts'
import type { IndexKey, SearchParameter } from './search.ts'

/** Tokens by which nothing is found that is not found as well without: most resources of the type say the same. */
const unselective: Readonly<Record<string, readonly string[]>> = {
  Observation: ['status', 'data-absent-reason', 'combo-data-absent-reason', 'component-data-absent-reason', 'method'],
  AuditEvent: ['action', 'outcome', 'type', 'subtype', 'site', 'agent-role', 'entity-role', 'entity-type'],
  Provenance: ['agent-type', 'agent-role', 'signature-type'],
  Patient: ['gender', 'active', 'deceased', 'address-use', 'language'],
  '*': ['status', 'active', 'intent', 'priority', 'address-use', 'phone', 'email', '_id', '_query'],
}

/** The union of two others: found by the keys of both. */
export const unions: Readonly<Record<string, readonly string[]>> = {
  'Observation combo-code': ['code', 'component-code'],
  'Observation combo-value-concept': ['value-concept', 'component-value-concept'],
}
/** The same elements as another parameter, or a part of them. */
export const aliases: Readonly<Record<string, string>> = { phone: 'telecom', email: 'telecom' }

/** Observations are read by patient and what was measured. */
export const joinedWithPatient: ReadonlySet<string> = new Set(['Observation code', 'Observation category'])

/** Nearly every Observation of a platform for devices is one: alone it finds nothing. */
const everywhere: ReadonlySet<string> = new Set(['Observation category vital-signs'])

export const isIndexed = (type: string, parameter: SearchParameter): boolean =>
  !(unselective[type] ?? []).includes(parameter.code) && !unselective['*']!.includes(parameter.code)

export const isEverywhere = (type: string, code: string, token: string): boolean =>
  everywhere.has(`${type} ${code} ${token}`)

/** How many letters of a word stand in the index: enough to find a name, too few to be one. */
export const letters = 3

export const textOf = {
  reference: (type: string, reference: string) => `${type} ref ${reference}`,
  identified: (type: string, value: string) => `${type} refid ${value}`,
  /** Without the system, and without case: a search may leave out the one, and a telephone number ignores the other. */
  token: (type: string, code: string, token: string) => `${type} token ${code} ${token.toLowerCase()}`,
  ofPatient: (type: string, patient: string, code: string, token: string) =>
    `${type} of ${patient} ${code} ${token.toLowerCase()}`,
  string: (type: string, text: string) => `${type} word ${[...fold(text)].slice(0, letters).join('')}`,
  uri: (type: string, url: string) => `${type} uri ${url}`,
  day: (type: string, code: string, day: string) => `${type} day ${code} ${day}`,
  /** Of every resource of the type: only those that last long have it. */
  all: (type: string) => `${type} all`,
  long: (key: IndexKey) => `${key} long`,
  quantity: (type: string, code: string, unit: string, bucket: string) =>
    `${type} value ${code.toLowerCase()} ${unit} ${bucket}`,
} as const

/** Bucket of what may be any number: it is found by every range. */
export const anyBucket = '*'

type KeyMaker = (keys: Set<string>, resource: Resource) => void
const makersByType = new Map<string, readonly KeyMaker[]>()

/** The texts of a resource, each once. */
export function keysOf(resource: Resource): readonly IndexKey[] {
  const type = resource.resourceType
  const makers = makersByType.get(type) ?? makersOf(type)
  makersByType.set(type, makers)
  const keys = new Set<string>()
  for (const make of makers) make(keys, resource)
  if (type === 'Observation') addQuantities(keys, resource)
  return isLong(resource) ? [...keys, textOf.all(type)].flatMap((key) => [key, textOf.long(key)]) : [...keys]
}

/** One for each expression: parameters that read the same give the same. */
function makersOf(type: string): readonly KeyMaker[] {
  const made = new Map<string, KeyMaker>()
  for (const parameter of parametersOf(type).values()) {
    const add = adders[parameter.type]
    if (add === undefined || !hasKeys(type, parameter)) continue
    const read = readerOf(type, parameter.expression)
    const name = parameter.type === 'token' ? parameter.code : `${parameter.type} ${parameter.expression}`
    made.set(name, (keys, resource) => read(resource, (value) => add({ keys, resource, type, parameter }, value)))
  }
  return [...made.values()]
}

function hasKeys(type: string, parameter: SearchParameter): boolean {
  const { code } = parameter
  if (parameter.type === 'token') return unions[`${type} ${code}`] === undefined && isIndexed(type, parameter)
  if (parameter.type === 'date') return code === 'birthdate'
  if (parameter.type === 'uri') return type !== 'AuditEvent' && code !== '_profile' && code !== '_source'
  return true
}

/** What lasts longer than any day in any zone begins far from dates that it still holds: it is looked for besides. */
export const longMs = 27 * 60 * 60 * 1_000

function isLong(resource: Resource): boolean {
  const span = clinicalSpan(resource)
  return span !== null && !(span.to - span.from <= longMs)
}

interface Adding {
  readonly keys: Set<string>
  readonly resource: Resource
  readonly type: string
  readonly parameter: SearchParameter
}

const adders: Partial<Record<SearchParameter['type'], (adding: Adding, value: unknown) => void>> = {
  token: addToken,
  reference: addReference,
  string: ({ keys, type }, value) => {
    for (const text of stringsOf(value)) keys.add(textOf.string(type, text))
  },
  uri: ({ keys, type }, value) => {
    if (typeof value === 'string') addUrl(keys, type, value)
  },
  date: ({ keys, type, parameter }, value) => {
    // Not the time by which it is sorted: that stands beside every key. A birth date is found by its own.
    if (typeof value === 'string') keys.add(textOf.day(type, parameter.code, value))
  },
}

function addToken({ keys, resource, type, parameter }: Adding, value: unknown): void {
  for (const { code } of tokensOf(value)) {
    if (!isEverywhere(type, parameter.code, code)) keys.add(textOf.token(type, parameter.code, code))
    if (!joinedWithPatient.has(`${type} ${parameter.code}`)) continue
    const patient = patientOf(resource)
    if (patient !== null) keys.add(textOf.ofPatient(type, patient, parameter.code, code))
  }
}

/** `Patient/1`; an Observation's subject, whoever spelled the address of it. */
export function patientOf(resource: Resource): string | null {
  const reference = referenceOf(resource.subject)
  const target = reference === undefined ? null : targetOf(reference)
  return target?.type === 'Patient' ? `Patient/${target.id}` : null
}

function addReference({ keys, resource, type }: Adding, value: unknown): void {
  const identifier = identifierOf(value)
  if (typeof identifier?.value === 'string') keys.add(textOf.identified(type, identifier.value))
  const reference = referenceOf(value)
  if (reference === undefined || reference.startsWith('#')) return
  const target = targetOf(reference)
  if (target === null || /^https?:/.test(reference)) addUrl(keys, type, reference)
  if (target === null) return
  const own = `${target.type}/${target.id}`
  // A resource lies in its patient's compartment, which is a column: a row more for each vital sign would find nothing more.
  const isCompartment = type === 'Observation' && reference === own && reference === patientOf(resource)
  if (!isCompartment) keys.add(textOf.reference(type, own))
}

/** A canonical is found with and without its version. */
function addUrl(keys: Set<string>, type: string, url: string): void {
  keys.add(textOf.uri(type, url))
  if (url.includes('|')) keys.add(textOf.uri(type, url.split('|')[0]!))
}

/** What was measured together with how much: `code-value-quantity`, also of the components. */
function addQuantities(keys: Set<string>, resource: Resource): void {
  const components = Array.isArray(resource.component) ? resource.component.filter(isNode) : []
  for (const element of [resource, ...components]) {
    const codes = codingsIn(element).flatMap(({ code }) => (typeof code === 'string' ? [code] : []))
    for (const [unit, bucket] of bucketsOf(element)) {
      for (const code of codes) keys.add(textOf.quantity('Observation', code, unit, bucket))
    }
  }
}

/** Unit and bucket of each value that the element has; glucose is found by mass and by moles. */
function* bucketsOf(element: Node): Generator<readonly [unit: string, bucket: string]> {
  for (const value of [element.valueQuantity, element.valueSampledData]) {
    const measured = measuredOf(value)
    if (measured?.code === undefined || measured.system === undefined) continue
    const canonical = measured.system === ucum ? canonicalQuantity(measured.low, measured.code) : null
    const { system, code, low, high } = measured
    const named = (unit: string, number: number) => bucketNamesOf(number, unit).map((bucket) => [unit, bucket] as const)
    if (low !== high) yield* kindsOf(system, code, element).map((unit) => [unit, anyBucket] as const)
    else if (canonical === null) yield* named(`${system}|${code}`, low)
    else {
      yield* named(canonical.unit, canonical.value)
      const other = otherKind(canonical, gramsPerMoleOf(codingsIn(element)))
      if (other !== null) yield* named(other.unit, other.value)
    }
  }
}

/** Both kinds by which glucose is measured. */
function kindsOf(system: string, code: string, element: Node): string[] {
  const canonical = system === ucum ? canonicalQuantity(1, code) : null
  if (canonical === null) return [`${system}|${code}`]
  const other = otherKind(canonical, gramsPerMoleOf(codingsIn(element)))
  return other === null ? [canonical.unit] : [canonical.unit, other.unit]
}

function otherKind({ unit, value }: { unit: string; value: number }, gramsPerMole: number | undefined) {
  if (gramsPerMole === undefined) return null
  if (unit === 'g.m-3') return { unit: 'm-3.mol', value: value / gramsPerMole }
  if (unit === 'm-3.mol') return { unit: 'g.m-3', value: value * gramsPerMole }
  if (unit === 'g') return { unit: 'mol', value: value / gramsPerMole }
  return unit === 'mol' ? { unit: 'g', value: value * gramsPerMole } : null
}
