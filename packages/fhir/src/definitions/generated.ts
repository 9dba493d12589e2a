/** The generated files, each parsed once when it is first asked for. `scripts/fhir-definitions.ts` writes them. */
import elements from './generated/elements.generated.ts'
import patientCompartment from './generated/patient-compartment.generated.ts'
import rules from './generated/rules.generated.ts'
import searchParameters from './generated/search-parameters.generated.ts'
import valueSets from './generated/value-sets.generated.ts'

/** `[path, min, max (0 = any number), types, flags?, required value set?, keys of constraints?]`. */
export type ElementRow = readonly [string, number, number, string, string?, string?, string?]

export interface TypeRow {
  readonly kind: string
  readonly base: string
  readonly rules?: readonly string[]
  readonly elements: readonly ElementRow[]
}

export interface SearchRow {
  readonly code: string
  readonly type: string
  readonly base: readonly string[]
  readonly expression: string
  readonly target?: readonly string[]
  readonly parts?: readonly { readonly code: string; readonly type: string; readonly expression: string }[]
}

interface Files {
  readonly elements: Readonly<Record<string, TypeRow>>
  readonly rules: Readonly<Record<string, { severity: 'error' | 'warning'; human: string; expression: string }>>
  readonly 'value-sets': Readonly<Record<string, Readonly<Record<string, readonly string[] | null>>>>
  readonly 'search-parameters': readonly SearchRow[]
  readonly 'patient-compartment': Readonly<Record<string, readonly string[]>>
}

const texts: Readonly<Record<keyof Files, string>> = {
  elements,
  rules,
  'value-sets': valueSets,
  'search-parameters': searchParameters,
  'patient-compartment': patientCompartment,
}
const parsed = new Map<string, unknown>()

/** One generated file. */
export function generated<K extends keyof Files>(name: K): Files[K] {
  const known = parsed.get(name)
  if (known !== undefined) return known as Files[K]
  const made = JSON.parse(texts[name]) as Files[K]
  parsed.set(name, made)
  return made
}
