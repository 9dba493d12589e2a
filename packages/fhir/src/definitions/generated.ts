/** The generated files, each read once when it is first asked for. `scripts/fhir-definitions.ts` writes them. */
import { readFileSync } from 'node:fs'

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

const read = new Map<string, unknown>()

/** One generated file. */
export function generated<K extends keyof Files>(name: K): Files[K] {
  const known = read.get(name)
  if (known !== undefined) return known as Files[K]
  const text = readFileSync(new URL(`./generated/${name}.generated.json`, import.meta.url), 'utf8')
  const parsed = JSON.parse(text) as Files[K]
  read.set(name, parsed)
  return parsed
}
