import { unitOf } from './unit.ts'

/** A value in the canonical unit of its kind: two quantities are equal when both are. */
export interface CanonicalQuantity {
  readonly value: number
  /** `g.m-1.s-2` for any pressure, `1` for a plain number, `K` for any temperature. */
  readonly unit: string
}

/** g/mol of D-glucose (C6H12O6): 100 mg/dL = 5.5507 mmol/L. */
export const GLUCOSE_GRAMS_PER_MOLE = 180.156

/** Floats carry dust in their last digits (98.6 [degF] is 310.15000000000003 K): what is measured never has 12 digits. */
const DIGITS = 12

/**
 * A quantity in canonical units, or null when `unit` is no unit of UCUM. `gramsPerMole` is given only where it is known
 * what was measured (`gramsPerMoleOf`): then moles become grams, so that mmol/L compares with mg/dL.
 */
export function canonicalQuantity(value: number, unit: string, gramsPerMole?: number): CanonicalQuantity | null {
  const found = unitOf(unit)
  if (found === null) return null
  if (found.offset === null) return { value, unit: found.kind }
  const canonical = (value + found.offset) * found.factor
  const moles = gramsPerMole === undefined ? null : massOfMoles(canonical, found.kind, gramsPerMole)
  return moles ?? { value: rounded(canonical), unit: found.kind }
}

/** `value` of unit `from` in unit `to`; null when they are of different kinds, or no units. */
export function convert(value: number, from: string, to: string, gramsPerMole?: number): number | null {
  const source = canonicalQuantity(value, from, gramsPerMole)
  const zero = canonicalQuantity(0, to, gramsPerMole)
  const one = canonicalQuantity(1, to, gramsPerMole)
  if (source === null || zero === null || one === null || source.unit !== one.unit) return null
  return rounded((source.value - zero.value) / (one.value - zero.value))
}

/** LOINC and MDC codes of glucose in blood, plasma and interstitial fluid, mass and moles. */
const GLUCOSE: ReadonlySet<string> = new Set([
  ...['2339-0', '2345-7', '41653-7', '15074-8', '14743-9', '99504-3', '105272-9', '97507-8', '32016-8', '14749-6'].map(
    (code) => `http://loinc.org|${code}`,
  ),
  ...['160184', '160188', '160192', '160196', '160200', '160204', '160212', '160364', '160368'].map(
    (code) => `urn:iso:std:iso:11073:10101|${code}`,
  ),
])

/** Molar mass of what a code says was measured; undefined when it is not known to us. */
export function gramsPerMoleOf(
  codings: readonly { readonly system?: string; readonly code?: string }[],
): number | undefined {
  return codings.some((coding) => GLUCOSE.has(`${coding.system}|${coding.code}`)) ? GLUCOSE_GRAMS_PER_MOLE : undefined
}

function massOfMoles(value: number, kind: string, gramsPerMole: number): CanonicalQuantity | null {
  if (kind === 'mol') return { value: rounded(value * gramsPerMole), unit: 'g' }
  if (kind === 'm-3.mol') return { value: rounded(value * gramsPerMole), unit: 'g.m-3' }
  return null
}

function rounded(value: number): number {
  return Number(value.toPrecision(DIGITS))
}
