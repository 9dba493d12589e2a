/** Profiles as data: what one asks beyond its base, element by element. Slices are found by what they match. */
import type { Invariant } from '../invariant.ts'

export interface Profile {
  readonly url: string
  /** Begins the names of its rules: `bp` gives `bp.component:SystolicBP`. */
  readonly id: string
  readonly type: string
  /** Profiles that it stands on: they are checked first. */
  readonly bases: readonly string[]
  readonly rules?: readonly Invariant[]
  readonly elements: Elements
  /** What a resource holds for which the profile was made, declared or not. */
  readonly madeFor?: Pattern
}

/** By name: `code`, `value[x]` for a choice whatever its type, `valueQuantity` for the choice of that type only. */
export type Elements = Readonly<Record<string, Node>>

export interface Node {
  readonly min?: number
  readonly max?: number
  /** Of a choice: the types that may stand. */
  readonly types?: readonly string[]
  /** Of a Reference: the types that it may go to. */
  readonly targets?: readonly string[]
  /** Of a primitive: the one value, or the values, that may stand. */
  readonly fixed?: string | readonly string[]
  /** What each value must hold at least. */
  readonly pattern?: Pattern
  readonly rules?: readonly Invariant[]
  readonly elements?: Elements
  readonly slices?: Readonly<Record<string, Slice>>
}

export interface Slice extends Node {
  /** Which items of the list the slice is about. */
  readonly match: Pattern
  /** Items that are of another slice, though they match. */
  readonly except?: Pattern
}

/**
 * What a value holds at least: primitives are equal, each item of a list is matched by some item. `null` means that the
 * element is not there, `ANY` that it is, a Set that it is one of these texts.
 */
export type Pattern =
  | string
  | number
  | boolean
  | null
  | ReadonlySet<string>
  | readonly Pattern[]
  | { readonly [name: string]: Pattern }

export const ANY = '*'

/** True when `value` holds all that the pattern says. */
export function matches(value: unknown, pattern: Pattern): boolean {
  if (pattern === null) return value === undefined
  if (pattern === ANY) return value !== undefined
  if (pattern instanceof Set) return pattern.has(value)
  if (Array.isArray(pattern)) {
    return Array.isArray(value) && pattern.every((wanted) => value.some((item) => matches(item, wanted as Pattern)))
  }
  if (typeof pattern !== 'object') return value === pattern
  if (typeof value !== 'object' || value === null) return false
  for (const name in pattern) {
    if (!matches((value as Record<string, unknown>)[name], (pattern as Record<string, Pattern>)[name]!)) return false
  }
  return true
}

/** A CodeableConcept with this coding among its own. */
export function concept(system: string | ReadonlySet<string>, code: string | ReadonlySet<string> = ANY): Pattern {
  return { coding: [{ system, code }] }
}

/** A list of which exactly one coding is of this system, and what more it asks of that one. */
export function oneCoding(slice: string, system: string, elements: Elements = { code: { min: 1 } }): Node {
  return { slices: { [slice]: { match: { system }, min: 1, max: 1, elements } } }
}
