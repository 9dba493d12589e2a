/** Rules of data types, as closures: each says the same as its FHIRPath, which a test holds over the examples. */
import { canonicalQuantity } from '../../ucum/index.ts'
import { has, hasChoice, type Loose, list, loose } from '../invariant.ts'
import { narrativeFlaws } from '../narrative.ts'
import type { Frame } from '../run.ts'
import { compareTimes } from '../times.ts'

export type Closure = (value: Loose, frame: Frame, raw: unknown) => boolean

const UCUM = 'http://unitsofmeasure.org'

export const dataTypeClosures: Readonly<Record<string, Closure>> = {
  'att-1': (it) => !has(it, 'data') || has(it, 'contentType'),
  'cpt-2': (it) => !has(it, 'value') || has(it, 'system'),
  'exp-1': (it) => has(it, 'expression') || has(it, 'reference'),
  'per-1': (it) => (compareTimes(it.start, it.end) ?? 0) <= 0,
  'qty-3': (it) => !has(it, 'code') || has(it, 'system'),
  'age-1': (it) => isUcumWithCode(it) && (typeof it.value !== 'number' || it.value > 0),
  'cnt-3': (it) =>
    isUcumWithCode(it) &&
    (!has(it, 'code') || it.code === '1') &&
    (typeof it.value !== 'number' || Number.isInteger(it.value)),
  'dis-1': isUcumWithCode,
  'drt-1': (it) => !has(it, 'code') || (it.system === UCUM && has(it, 'value')),
  'rat-1': (it) => has(it, 'numerator') === has(it, 'denominator') && (has(it, 'numerator') || has(it, 'extension')),
  'rng-2': (it) => !isBelow(loose(it.high), loose(it.low)),
  'ref-1': pointsInside,
  'txt-1': (_it, _frame, raw) => typeof raw !== 'string' || !narrativeFlaws(raw).isUnsafe,
  'txt-2': (_it, _frame, raw) => typeof raw !== 'string' || !narrativeFlaws(raw).isEmpty,
  'tim-1': (it) => !has(it, 'duration') || has(it, 'durationUnit'),
  'tim-2': (it) => !has(it, 'period') || has(it, 'periodUnit'),
  'tim-4': (it) => typeof it.duration !== 'number' || it.duration >= 0,
  'tim-5': (it) => typeof it.period !== 'number' || it.period >= 0,
  'tim-6': (it) => !has(it, 'periodMax') || has(it, 'period'),
  'tim-7': (it) => !has(it, 'durationMax') || has(it, 'duration'),
  'tim-8': (it) => !has(it, 'countMax') || has(it, 'count'),
  'tim-9': (it) => !has(it, 'offset') || (has(it, 'when') && !list(it.when).some((code) => MEALS.has(code))),
  'tim-10': (it) => !has(it, 'timeOfDay') || !has(it, 'when'),
  'trd-1': (it) => !has(it, 'data') || !hasChoice(it, 'timing'),
  'trd-2': (it) => !has(it, 'condition') || has(it, 'data'),
  'trd-3': (it) =>
    (it.type !== 'named-event' || has(it, 'name')) &&
    (it.type !== 'periodic' || hasChoice(it, 'timing')) &&
    (typeof it.type !== 'string' || !it.type.startsWith('data-') || has(it, 'data')),
  'drq-1': (it) => has(it, 'path') !== has(it, 'searchParam'),
  'drq-2': (it) => has(it, 'path') !== has(it, 'searchParam'),
}

const MEALS: ReadonlySet<unknown> = new Set(['C', 'CM', 'CD', 'CV'])

function isUcumWithCode(it: Loose): boolean {
  return (has(it, 'code') || !has(it, 'value')) && (!has(it, 'system') || it.system === UCUM)
}

/** `#id` names what is contained; `#` the resource that contains the one at hand (as R5 says; R4 forgot it). */
function pointsInside(it: Loose, frame: Frame): boolean {
  if (typeof it.reference !== 'string' || !it.reference.startsWith('#')) return true
  if (it.reference === '#') return frame.resource !== frame.root
  return frame.names.containedIn(frame.root, it.reference.slice(1)) !== undefined
}

/** For sure less, in the same unit or in one that converts. */
function isBelow(a: Loose, b: Loose): boolean {
  if (typeof a.value !== 'number' || typeof b.value !== 'number') return false
  if (a.code === b.code && a.system === b.system && a.unit === b.unit) return a.value < b.value
  if (a.system !== UCUM || b.system !== UCUM || typeof a.code !== 'string' || typeof b.code !== 'string') return false
  const left = canonicalQuantity(a.value, a.code)
  const right = canonicalQuantity(b.value, b.code)
  return left !== null && right !== null && left.unit === right.unit && left.value < right.value
}
