/** Values as FHIR spells them: a number with its unit, a limit, a state, or why there is none. Pure. */
import {
  type AbsentReason,
  isAbsent,
  isCensored,
  type LoggedReading,
  type Signal,
  shownUnit,
  withoutNoise,
} from '@careloop/contract'
import { plainOf } from './policy.ts'
import { extensions, systems } from './systems.ts'

/** Where FHIR's profiles want another unit than ours. */
const otherUnits: Readonly<Record<string, { readonly code: string; readonly factor: number }>> = {
  'body-height': { code: 'cm', factor: 100 },
}

const absentCodes: Readonly<Record<AbsentReason, readonly [code: string, display: string]>> = {
  'not-a-number': ['not-a-number', 'Not a Number (NaN)'],
  'positive-infinity': ['positive-infinity', 'Positive Infinity (PINF)'],
  'negative-infinity': ['negative-infinity', 'Negative Infinity (NINF)'],
  'not-at-this-resolution': ['error', 'Error'],
  reserved: ['error', 'Error'],
  unsuccessful: ['error', 'Error'],
  'not-supported': ['unsupported', 'Unsupported'],
}

export type QuantityOf = (value: number) => object

/** Quantities of a signal, from values in its canonical unit. */
export function quantityOf(row: Signal): QuantityOf {
  const other = otherUnits[plainOf(row.code)]
  const code = other?.code ?? row.unit
  const unit = shownUnit(code)
  return (value) => ({
    value: other === undefined ? value : withoutNoise(value * other.factor),
    ...{ unit: unit === '' ? '1' : unit, system: systems.ucum, code },
  })
}

/** `value[x]` or `dataAbsentReason`; what the device said in its own unit stands beside. */
export function valueElements(row: Signal, { value, original }: Pick<LoggedReading, 'value' | 'original'>): object {
  if (isAbsent(value)) return absentElement(...absentCodes[value.absent])
  if (row.meanings !== undefined && !isCensored(value)) return stateElement(row, value)
  const quantity = quantityOf(row)
  const own = original === undefined ? {} : { extension: [originalExtension(original)] }
  if (isCensored(value)) {
    const { value: limit, ...unit } = quantity(value.limit) as { value: number }
    return { valueQuantity: { ...own, value: limit, comparator: value.comparator, ...unit } }
  }
  return { valueQuantity: { ...own, ...quantity(value) } }
}

export const absentElement = (code: string, display: string): object => ({
  dataAbsentReason: { coding: [{ system: systems.absent, code, display }] },
})

function stateElement(row: Signal, value: number): object {
  const text = row.meanings?.[value]
  return text === undefined ? { valueInteger: value } : { valueCodeableConcept: { text } }
}

const originalExtension = ({ value, unit }: { readonly value: number; readonly unit: string }): object => ({
  url: extensions.original,
  valueQuantity: { value, unit: shownUnit(unit), system: systems.ucum, code: unit },
})
