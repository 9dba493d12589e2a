/** Quantities as the numbers that they may be, and whether they are what was asked for, across units. */
import { canonicalQuantity, gramsPerMoleOf } from '../ucum/index.ts'
import { type Extent, fitsNumber } from './number.ts'
import { isNode, type Node } from './path.ts'
import type { QuantityValue } from './search.ts'

export const ucum = 'http://unitsofmeasure.org'

export interface Measured extends Extent {
  readonly system?: string
  readonly code?: string
  /** As people read it. */
  readonly unit?: string
}

/** A Quantity (a comparator opens it to one side), Range, SampledData (all it may hold) or Money; null when it says no number. */
export function measuredOf(value: unknown): Measured | null {
  if (!isNode(value)) return null
  if (isNode(value.origin)) return sampled(value, value.origin)
  if (isNode(value.low) || isNode(value.high)) return ranged(value)
  if (typeof value.value !== 'number') return null
  return { ...unitIn(value), ...opened(value.value, value.comparator) }
}

function opened(value: number, comparator: unknown): Extent {
  if (comparator === '<' || comparator === '<=') return { low: Number.NEGATIVE_INFINITY, high: value }
  if (comparator === '>' || comparator === '>=') return { low: value, high: Number.POSITIVE_INFINITY }
  return { low: value, high: value }
}

function ranged({ low, high }: Node): Measured | null {
  const [from, to] = [isNode(low) ? low : {}, isNode(high) ? high : {}]
  return {
    ...unitIn(isNode(low) ? low : to),
    low: typeof from.value === 'number' ? from.value : Number.NEGATIVE_INFINITY,
    high: typeof to.value === 'number' ? to.value : Number.POSITIVE_INFINITY,
  }
}

/** From the least to the greatest sample; FHIR R4 SampledData: value = origin + data x factor. E, L and U are no numbers. */
function sampled({ data, factor, lowerLimit, upperLimit }: Node, origin: Node): Measured | null {
  const samples = typeof data === 'string' ? data.split(/\s+/).filter((word) => /^[+-]?[\d.]/.test(word)) : []
  const base = typeof origin.value === 'number' ? origin.value : 0
  const scale = typeof factor === 'number' ? factor : 1
  const limits = [lowerLimit, upperLimit].filter((limit) => typeof limit === 'number')
  const all = samples.length > 0 ? samples.map(Number) : limits
  if (all.length === 0) return null
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const sample of all) {
    low = Math.min(low, base + sample * scale)
    high = Math.max(high, base + sample * scale)
  }
  return { ...unitIn(origin), low, high }
}

function unitIn({ system, code, unit, currency }: Node): Pick<Measured, 'system' | 'code' | 'unit'> {
  if (typeof currency === 'string') return { system: 'urn:iso:std:iso:4217', code: currency }
  return {
    ...(typeof system === 'string' ? { system } : {}),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof unit === 'string' ? { unit } : {}),
  }
}

/** @param parent in which the quantity stands: its code may say what was measured, so that moles and mass compare */
export function fitsQuantity(measured: Measured, wanted: QuantityValue, parent: Node): boolean {
  const { unit } = wanted
  if (unit === undefined) return fitsNumber(measured, wanted)
  if (unit.system === undefined) {
    return (measured.code === unit.code || measured.unit === unit.code) && fitsNumber(measured, wanted)
  }
  if (measured.system !== unit.system || measured.code === undefined) return false
  if (measured.code === unit.code) return fitsNumber(measured, wanted)
  if (unit.system !== ucum) return false
  const gramsPerMole = gramsPerMoleIn(parent)
  const [low, high] = [measured.low, measured.high].map((value) => inUnit(value, measured.code!, gramsPerMole))
  const [value, from, to] = [wanted.value, wanted.low, wanted.high].map((one) => inUnit(one, unit.code, gramsPerMole))
  if (!low || !high || !value || !from || !to || low.unit !== value.unit) return false
  return fitsNumber(
    { low: low.value, high: high.value },
    { prefix: wanted.prefix, value: value.value, low: from.value, high: to.value },
  )
}

/** A side that is open stays open in every unit. */
function inUnit(value: number, unit: string, gramsPerMole: number | undefined) {
  if (Number.isFinite(value)) return canonicalQuantity(value, unit, gramsPerMole)
  const zero = canonicalQuantity(0, unit, gramsPerMole)
  return zero === null ? null : { value, unit: zero.unit }
}

export const codingsIn = (node: Node): readonly Node[] =>
  isNode(node.code) && Array.isArray(node.code.coding) ? node.code.coding.filter(isNode) : []

const gramsPerMoleIn = (parent: Node): number | undefined => gramsPerMoleOf(codingsIn(parent))
