import type { Frame } from './run.ts'

/** A rule of the definitions or of a profile that an element must keep. */
export interface Invariant {
  /** What people know it by: `obs-7`. */
  readonly key: string
  readonly severity: 'error' | 'warning'
  /** What it asks, in the words of its definition. */
  readonly human: string
  /** True also when it does not say anything about this element, or not for sure. */
  holds(value: unknown, frame: Frame): boolean
}

/** An element of a resource as the closures read it: anything may be missing or of another kind, and nothing may throw. */
export type Loose = Readonly<Record<string, unknown>>

/** The element as an object; empty when it is none. */
export function loose(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {}
}

/** The items of a list, none when it is missing; a single value counts as a list of one. */
export function list(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}

/** An extension carries a value, or extensions of its own. */
export const extensionOrValue: Invariant = {
  key: 'ext-1',
  severity: 'error',
  human: 'An extension has either value[x] or extensions of its own, never both and never neither.',
  holds: (value) => has(loose(value), 'extension') !== hasChoice(loose(value), 'value'),
}

/** True when any spelling of a choice is there: `value` for `valueQuantity`. */
export function hasChoice(element: Loose, name: string): boolean {
  return choiceOf(element, name) !== undefined
}

/** The spelling of a choice that is there. */
export function choiceOf(element: Loose, name: string): string | undefined {
  for (const key in element) {
    // `_valueString` alone: a value of which only extensions are known.
    const start = key.startsWith('_') ? 1 : 0
    if (!key.startsWith(name, start)) continue
    const next = key.charCodeAt(start + name.length)
    if (next >= 65 && next <= 90) return key
  }
  return undefined
}

/** True when a value or something said of it (`_value`) is there. */
export function has(element: Loose, name: string): boolean {
  return isThere(element[name]) || isThere(element[`_${name}`])
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)
}
