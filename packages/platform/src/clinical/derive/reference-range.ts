/**
 * What is usual, where it is known: general ranges of adults at rest, not a person's own limits, which rules hold. Data.
 * Sources: MedlinePlus (vital signs), AHA (home blood pressure), ADA (glucose, time in range). In the signal's canonical unit.
 */
import { isAbsent, isCensored, type Value } from '@careloop/contract'
import { plainOf } from './policy.ts'
import { systems } from './systems.ts'

export interface UsualRange {
  readonly low?: number
  readonly high?: number
}

const FOR_ADULTS = 18

const ranges: Readonly<Record<string, UsualRange>> = {
  'heart-rate': { low: 60, high: 100 },
  'pulse-rate': { low: 60, high: 100 },
  spo2: { low: 95 },
  systolic: { low: 90, high: 130 },
  diastolic: { low: 60, high: 80 },
  'body-temperature': { low: 36.1, high: 37.5 },
  'respiratory-rate': { low: 12, high: 20 },
  glucose: { low: 70, high: 180 },
  'glucose-interstitial': { low: 70, high: 180 },
}

/** Null: none is known, or not for a person of that age, or the age is not known. */
export function usualRange(code: string, birthDate: string | null, at: number): UsualRange | null {
  const range = ranges[plainOf(code)]
  return range !== undefined && birthDate !== null && ageAt(birthDate, at) >= FOR_ADULTS ? range : null
}

/** Whole years. A year or month alone counts from its end: nobody is an adult too early. */
function ageAt(birthDate: string, at: number): number {
  const [year = '', month = '12', day = '31'] = birthDate.split('-')
  const now = new Date(at)
  const before =
    now.getUTCMonth() + 1 < Number(month) || (now.getUTCMonth() + 1 === Number(month) && now.getUTCDate() < Number(day))
  return now.getUTCFullYear() - Number(year) - (before ? 1 : 0)
}

/** Code of HL7's interpretations; null where there is nothing to judge it by. */
export function interpretationOf(value: Value, range: UsualRange | null): '<' | '>' | 'L' | 'H' | 'N' | null {
  if (isAbsent(value)) return null
  if (isCensored(value)) return value.comparator
  if (range === null) return null
  if (range.low !== undefined && value < range.low) return 'L'
  return range.high !== undefined && value > range.high ? 'H' : 'N'
}

const words = {
  '<': 'Off scale low',
  '>': 'Off scale high',
  L: 'Low',
  H: 'High',
  N: 'Normal',
} as const

export const interpretationConcept = (code: keyof typeof words): object => ({
  coding: [{ system: systems.interpretation, code, display: words[code] }],
})

export const rangeElement = (range: UsualRange, quantity: (value: number) => object): object => ({
  ...(range.low === undefined ? {} : { low: quantity(range.low) }),
  ...(range.high === undefined ? {} : { high: quantity(range.high) }),
  text: 'Usual in adults at rest; not the limits set for this person',
})
