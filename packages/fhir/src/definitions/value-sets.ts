import { generated } from './generated.ts'

/** The codes of a value set that an element must take its code from. */
export interface ValueSet {
  readonly url: string
  /** By the code alone: for elements of type `code`, which name no system. */
  hasCode(code: string): boolean
  /** By system and code, for Coding and CodeableConcept. */
  has(system: string, code: string): boolean
  /** Codes to suggest, at most `count`; none for sets without end. */
  some(count: number): readonly string[]
}

const sets = new Map<string, ValueSet | undefined>()

/** A value set of FHIR R4 by its URL; undefined when the definitions do not hold it, so that nothing can be said. */
export function valueSet(url: string): ValueSet | undefined {
  if (sets.has(url)) return sets.get(url)
  const systems = generated('value-sets')[url]
  const set = systems === undefined ? undefined : compiled(url, systems)
  sets.set(url, set)
  return set
}

function compiled(url: string, systems: Readonly<Record<string, readonly string[] | null>>): ValueSet {
  const entries = Object.entries(systems)
  const bySystem = new Map(entries.map(([system, codes]) => [system, codes === null ? null : new Set(codes)]))
  const all = new Set(entries.flatMap(([, codes]) => codes ?? []))
  const endless = entries.filter(([, codes]) => codes === null).map(([system]) => syntaxOf(system))
  return {
    url,
    hasCode: (code) => all.has(code) || endless.some((syntax) => syntax.test(code)),
    has(system, code) {
      const codes = bySystem.get(system)
      return codes === null ? syntaxOf(system).test(code) : codes?.has(code) === true
    },
    some: (count) => [...all].slice(0, count),
  }
}

/** Systems whose codes are too many to list: what their own syntax allows. */
function syntaxOf(system: string): RegExp {
  if (system === 'urn:ietf:bcp:13')
    return /^[A-Za-z0-9][\w.+!#$&^-]*\/[A-Za-z0-9][\w.+!#$&^-]*(\s*;.*)?$|^[a-z0-9.+-]+$/
  if (system === 'urn:iso:std:iso:4217') return /^[A-Z]{3}$/
  return /^\S+$/
}
