import type { Resource } from '../resource.ts'

/**
 * A number whose spelling is part of what was said: `1.00` is a measurement to two decimals, `1` is not. It is what `JSON.rawJSON`
 * makes, so `JSON.stringify` writes it as it was read. Numbers that JavaScript spells as they came stay plain numbers.
 */
export interface ExactNumber {
  readonly rawJSON: string
}

export type FhirValue = string | number | boolean | null | ExactNumber | readonly FhirValue[] | FhirObject

export interface FhirObject {
  readonly [element: string]: FhirValue
}

/** A resource as it was spelled: the JSON form with nothing lost, whichever format it came in. Never changed in place. */
export interface FhirTree extends FhirObject {
  readonly resourceType: string
}

interface RawJson {
  rawJSON(text: string): ExactNumber
  isRawJSON(value: unknown): value is ExactNumber
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
}

/** ES2026 `JSON.rawJSON` and the reviver's `context.source`, which the library of types does not know yet. */
export const rawJson = JSON as unknown as RawJson

export function isExact(value: unknown): value is ExactNumber {
  return typeof value === 'object' && value !== null && rawJson.isRawJSON(value)
}

export function isObject(value: FhirValue | undefined): value is FhirObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExact(value)
}

export function isList(value: FhirValue | undefined): value is readonly FhirValue[] {
  return Array.isArray(value)
}

/** The number of this JSON source text, exact only where JavaScript would spell it otherwise (`1.00`, `1e2`, 18 digits, `-0`). */
export function numberOf(source: string): number | ExactNumber {
  const value = Number(source)
  return String(value) === source ? value : rawJson.rawJSON(source)
}

/** True when JavaScript would spell this number otherwise. */
export function isOdd(source: string): boolean {
  return String(Number(source)) !== source
}

/**
 * The resource as code reads it: every number a number. Where nothing was exact it is the very same object, so treat both as
 * what cannot be changed. A number beyond a double (1e400) becomes Infinity; the validator refuses it.
 */
export function toResource(tree: FhirTree): Resource {
  return plain(tree) as Resource
}

function plain(value: FhirValue): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (isList(value)) return plainList(value)
  if (rawJson.isRawJSON(value)) return Number(value.rawJSON)
  let copy: Record<string, unknown> | undefined
  for (const key in value) {
    const before = (value as FhirObject)[key] as FhirValue
    if (typeof before !== 'object' || before === null) continue
    const after = plain(before)
    if (after === before) continue
    copy ??= { ...value }
    copy[key] = after
  }
  return copy ?? value
}

function plainList(list: readonly FhirValue[]): unknown {
  let copy: unknown[] | undefined
  for (let at = 0; at < list.length; at++) {
    const after = plain(list[at] as FhirValue)
    if (after === list[at]) continue
    copy ??= [...list]
    copy[at] = after
  }
  return copy ?? list
}
