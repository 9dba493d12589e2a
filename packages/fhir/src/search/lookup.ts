/**
 * Where to look for what a clause asks: texts of `keysOf`, of which a resource that fulfils the clause has at least one. A lookup
 * finds too much, never too little; `matches` decides. A clause without a lookup is decided on the resources that others find.
 */
import { bucketsBetween } from './bucket.ts'
import { clinicalDateOf } from './clinical-span.ts'
import { fold } from './fold.ts'
import { aliases, anyBucket, isEverywhere, isIndexed, joinedWithPatient, letters, textOf, unions } from './keys.ts'
import { targetOf } from './path.ts'
import { ucum } from './quantity.ts'
import type { Clause, IndexKey, ParameterClause, QuantityValue, Search, Value } from './search.ts'

/** One way to find all that may fit: whatever one of these leads to. `rank` is smaller where less is found. */
export interface Lookup {
  readonly rank: number
  readonly keys: readonly IndexKey[]
  /** Those in the compartments of these patients: `Patient/1`. */
  readonly patients: readonly string[]
  /** Those that are called so themselves: `Observation/1`. */
  readonly ids: readonly string[]
  /** What it looks for: another lookup for no more than these finds nothing that this one does not. */
  readonly covers: readonly Clause[]
}

const lookup = (rank: number, found: Partial<Lookup>): Lookup => ({
  ...{ rank, keys: [], patients: [], ids: [], covers: [] },
  ...found,
})

/** The span of starts (ms) that the clauses about the clinical date leave, and the span that must be touched. */
export interface Window {
  readonly startsBefore: number
  readonly endsAfter: number
  readonly isNarrowed: boolean
}

/** All lookups of a search, the best first; empty: only the type itself finds them. */
export function lookupsOf({ type, clauses }: Pick<Search, 'type' | 'clauses'>): readonly Lookup[] {
  const single = clauses.flatMap((clause) => {
    const found = lookupOf(type, clause)
    return found === null ? [] : [{ ...found, covers: [clause] }]
  })
  return [...joint(type, clauses), ...single].sort((a, b) => a.rank - b.rank)
}

/** What the clinical dates allow, as far as the time of a start can tell. */
export const windowOf = ({ type, clauses }: Pick<Search, 'type' | 'clauses'>): Window =>
  windowBy(clauses, clinicalDateOf(type))

/** The same of `meta.lastUpdated`. */
export const updateWindowOf = ({ clauses }: Pick<Search, 'clauses'>): Window => windowBy(clauses, '_lastUpdated')

function windowBy(clauses: readonly Clause[], code: string | null): Window {
  let [startsBefore, endsAfter] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  let isNarrowed = false
  for (const clause of clauses) {
    if (clause.kind !== 'parameter' || clause.parameter.code !== code) continue
    const spans = clause.values.map(reachOf)
    isNarrowed = true
    startsBefore = Math.min(startsBefore, Math.max(...spans.map(([before]) => before)))
    endsAfter = Math.max(endsAfter, Math.min(...spans.map(([, after]) => after)))
  }
  return { startsBefore, endsAfter, isNarrowed }
}

/** Latest start and earliest end of what may fit one value. */
function reachOf(value: Value): readonly [startsBefore: number, endsAfter: number] {
  const none = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const
  if (value.kind !== 'date') return none
  switch (value.prefix) {
    case 'ne':
      return none
    case 'lt':
    case 'le':
    case 'eb':
      return [value.to, Number.NEGATIVE_INFINITY]
    case 'gt':
    case 'ge':
    case 'sa':
      return [Number.POSITIVE_INFINITY, value.from]
    case 'eq':
    case 'ap':
      return [value.to, value.from]
  }
}

function lookupOf(type: string, clause: Clause): Lookup | null {
  if (clause.kind === 'among') {
    const references = [...clause.references]
    return clause.parameter === undefined ? lookup(0, { ids: references }) : byReferences(type, references)
  }
  if (clause.kind !== 'parameter' || clause.modifier === 'not') return null
  if (clause.parameter.code === '_id') return byOwnIds(type, clause)
  if (clause.parameter.type === 'reference' && clause.modifier === undefined) return byReference(type, clause)
  return byKeys(
    clause.values.map((value) => keysOfValue(type, clause, value)),
    rankOf(clause),
  )
}

/** Null as soon as one of the values has no key: it could be fulfilled by anything. */
function byKeys(keys: readonly (readonly IndexKey[] | null)[], rank: number): Lookup | null {
  if (keys.some((one) => one === null)) return null
  return lookup(rank, { keys: [...new Set(keys.flatMap((one) => one ?? []))] })
}

const rankOf = ({ parameter }: ParameterClause): number =>
  parameter.code === 'identifier' ? 1 : parameter.type === 'token' ? 7 : parameter.type === 'composite' ? 5 : 3

function byOwnIds(type: string, { values }: ParameterClause): Lookup {
  const ids = values.flatMap((value) => (value.kind === 'token' && value.code !== undefined ? [value.code] : []))
  return lookup(0, { ids: ids.map((id) => `${type}/${id}`) })
}

function byReference(type: string, { values }: ParameterClause): Lookup {
  const references = values.flatMap((value) =>
    value.kind === 'reference' ? value.types.map((target) => `${target}/${value.id}`) : [],
  )
  const urls = values.flatMap((value) => (value.kind === 'url' ? [value.url] : []))
  const found = byReferences(type, references)
  return { ...found, keys: [...found.keys, ...urls.map((url) => textOf.uri(type, url))] }
}

/** An Observation of a patient is found by the patient's compartment, or where it mentions them otherwise. */
function byReferences(type: string, references: readonly string[]): Lookup {
  const patients = type === 'Observation' ? references.filter((reference) => reference.startsWith('Patient/')) : []
  return lookup(4, { keys: references.map((reference) => textOf.reference(type, reference)), patients })
}

function keysOfValue(type: string, clause: ParameterClause, value: Value): readonly IndexKey[] | null {
  const { parameter, modifier } = clause
  switch (value.kind) {
    case 'token':
      if (modifier === 'identifier') return value.code === undefined ? null : [textOf.identified(type, value.code)]
      return tokenKeys(type, clause, value.code)
    case 'typed':
      return tokenKeys(type, clause, value.value)
    case 'text': {
      const text = fold(value.text)
      const isPrefix = parameter.type === 'string' && modifier !== 'contains'
      return isPrefix && [...text].length >= letters ? [textOf.string(type, text)] : null
    }
    case 'date':
      return dayKeys(type, clause, value)
    case 'url':
      if (modifier !== undefined || type === 'AuditEvent' || parameter.code.startsWith('_')) return null
      return [textOf.uri(type, value.url)]
    case 'tuple':
      return tupleKeys(type, clause, value.parts)
    default:
      return null
  }
}

function tokenKeys(type: string, { parameter }: ParameterClause, token: string | undefined): IndexKey[] | null {
  if (token === undefined) return null
  const code = aliases[parameter.code] ?? parameter.code
  const codes = unions[`${type} ${code}`] ?? [code]
  if (codes.some((one) => !isIndexed(type, { ...parameter, code: one }) || isEverywhere(type, one, token))) return null
  return codes.map((one) => textOf.token(type, one, token))
}

/** A birth date is found by the day itself. */
function dayKeys(type: string, { parameter }: ParameterClause, value: Value): IndexKey[] | null {
  if (parameter.code !== 'birthdate' || value.kind !== 'date' || value.prefix !== 'eq') return null
  if (value.to - value.from !== 24 * 60 * 60 * 1_000 || value.from % (24 * 60 * 60 * 1_000) !== 0) return null
  return [textOf.day(type, 'birthdate', new Date(value.from).toISOString().slice(0, 10))]
}

/** A composite of a code and something: by code and number where it is a number in a unit, else by the code. */
function tupleKeys(type: string, { parameter }: ParameterClause, [code, second]: readonly Value[]): IndexKey[] | null {
  if (code?.kind !== 'token' || code.code === undefined || type !== 'Observation') return null
  const measured = second?.kind === 'quantity' ? quantityKeys(code.code, second) : null
  if (measured !== null) return measured
  const isCombined = parameter.code.startsWith('combo-')
  const isOfPart = parameter.code.startsWith('component-')
  const codes = isCombined ? ['code', 'component-code'] : [isOfPart ? 'component-code' : 'code']
  return codes.map((one) => textOf.token(type, one, code.code!))
}

/** What was measured and how much; null where any unit will do, or where another number is meant. */
export function quantityKeys(code: string, value: QuantityValue): IndexKey[] | null {
  const { unit, canonical } = value
  if (unit?.system === undefined || value.prefix === 'ne') return null
  if (unit.system === ucum && canonical === undefined) return null
  const scale = canonical ?? { ...value, unit: `${unit.system}|${unit.code}` }
  const text = (bucket: string) => textOf.quantity('Observation', code, scale.unit, bucket)
  return [...bucketsBetween(...reachOfNumber(value, scale), scale.unit), anyBucket].map(text)
}

function reachOfNumber(
  { prefix }: QuantityValue,
  scale: { value: number; low: number; high: number },
): [number, number] {
  if (prefix === 'gt' || prefix === 'ge' || prefix === 'sa') return [scale.value, Number.POSITIVE_INFINITY]
  if (prefix === 'lt' || prefix === 'le' || prefix === 'eb') return [Number.NEGATIVE_INFINITY, scale.value]
  return [scale.low, scale.high]
}

/** What two clauses find together: a patient's values of one code, and values of one code in a range. */
function joint(type: string, clauses: readonly Clause[]): Lookup[] {
  if (type !== 'Observation') return []
  const plain = clauses.filter((clause) => clause.kind === 'parameter').filter(({ modifier }) => modifier === undefined)
  const about = patientsOf(clauses)
  const found: Lookup[] = []
  for (const clause of plain) {
    const { parameter, values } = clause
    if (!joinedWithPatient.has(`${type} ${parameter.code}`)) continue
    const codes = values.flatMap((value) => (value.kind === 'token' && value.code !== undefined ? [value.code] : []))
    if (codes.length < values.length) continue
    if (about !== null)
      found.push({ ...ofPatients(type, about.patients, parameter.code, codes), covers: [about.clause, clause] })
    if (parameter.code !== 'code') continue
    for (const other of plain) {
      const numbers = ofNumbers(codes, other)
      if (numbers !== null) found.push({ ...numbers, covers: [clause, other] })
    }
  }
  return found
}

/** A code says more than a category. */
function ofPatients(type: string, patients: readonly string[], code: string, tokens: readonly string[]): Lookup {
  const keys = patients.flatMap((patient) => tokens.map((token) => textOf.ofPatient(type, patient, code, token)))
  return lookup(code === 'code' ? 2 : 3, { keys })
}

function ofNumbers(codes: readonly string[], { parameter, values }: ParameterClause): Lookup | null {
  if (parameter.code !== 'value-quantity') return null
  return byKeys(
    values.flatMap((value) => codes.map((code) => (value.kind === 'quantity' ? quantityKeys(code, value) : null))),
    6,
  )
}

interface About {
  readonly clause: Clause
  readonly patients: readonly string[]
}

/** The patients that a search is about, when one of its clauses is about patients only. */
function patientsOf(clauses: readonly Clause[]): About | null {
  for (const clause of clauses) {
    const code = 'parameter' in clause ? clause.parameter?.code : undefined
    if (code !== 'patient' && code !== 'subject') continue
    const references = referencesIn(clause)
    if (references?.every((reference) => targetOf(reference)?.type === 'Patient') === true)
      return { clause, patients: references }
  }
  return null
}

/** Null where it may be fulfilled by something else. */
function referencesIn(clause: Clause): readonly string[] | null {
  if (clause.kind === 'among') return [...clause.references]
  if (clause.kind !== 'parameter' || clause.modifier !== undefined) return null
  if (clause.values.some(({ kind }) => kind !== 'reference')) return null
  return clause.values.flatMap((value) =>
    value.kind === 'reference' ? value.types.map((type) => `${type}/${value.id}`) : [],
  )
}
