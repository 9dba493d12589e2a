/** The small words of the rule language: durations and limits, as people write them. */
import { acceptedUnits, signal, toCanonical, withoutNoise } from '@careloop/contract'
import type { Comparator, Limit } from '../rule.ts'

const unitMs = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `15 min`, `72 h`, `0 s` -> ms; a string says what is wrong. */
export function parseDuration(text: string): number | string {
  const parts = /^(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)$/.exec(text.trim())
  if (parts === null) return `"${text}" is not a duration. Write a number and ms, s, min, h or d, e.g. 15 min.`
  return Math.round(Number(parts[1]) * unitMs[parts[2] as keyof typeof unitMs])
}

/** `systolic >= 180 mm[Hg]`, `door-open is open` -> a limit in the signal's canonical unit; a string says what is wrong. */
export function parseLimit(text: string): Limit | string {
  const state = /^([a-z][a-z0-9-]*)\s+is\s+(\S.*)$/.exec(text.trim())
  if (state !== null) return parseState(state[1]!, state[2]!)
  const parts = /^([a-z][a-z0-9-]*)\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)\s*(\S.*)$/.exec(text.trim())
  if (parts === null)
    return `"${text}" is not a limit. Write signal, comparator, number and unit, e.g. systolic >= 180 mm[Hg].`
  const [, code, is, number, unit] = parts as unknown as [string, string, Comparator, string, string]
  if (signal(code) === undefined) return `"${code}" is not a signal of the vocabulary.`
  const canonical = toCanonical(code, Number(number), unit)
  if (canonical === undefined)
    return `"${unit}" is not a unit of ${code}. Use one of ${acceptedUnits(code).slice(0, 6).join(', ')}.`
  return { signal: code, is, limit: canonical.value as number }
}

/** Of a signal that is one of two things. */
function parseState(code: string, word: string): Limit | string {
  const known = signal(code)
  if (known === undefined) return `"${code}" is not a signal of the vocabulary.`
  const states = Object.values(known.meanings ?? {})
  const at = states.indexOf(word)
  if (states.length !== 2)
    return `${code} is no state. Write comparator, number and unit, e.g. ${code} > 1 ${known.unit}.`
  if (at < 0) return `${code} is never "${word}". Write ${states.map((each) => `${code} is ${each}`).join(' or ')}.`
  return { signal: code, is: at === 1 ? '>=' : '<', limit: 1 }
}

/** `10 mm[Hg]`, `1 Cel`, `1.8 [degF]` -> a difference in the signal's canonical unit, above 0; a string says what is wrong. */
export function parseDifference(code: string, text: string): number | string {
  const parts = /^(\d+(?:\.\d+)?)\s*(\S.*)$/.exec(text.trim())
  if (parts === null) return `"${text}" is not an amount. Write a number and a unit, e.g. 10 mm[Hg].`
  if (signal(code) === undefined) return `"${code}" is not a signal of the vocabulary.`
  const [, number, unit] = parts as unknown as [string, string, string]
  // 1.8 degrees Fahrenheit more are 1 degree Celsius more: where the scales begin cancels out.
  const [to, from] = [toCanonical(code, Number(number), unit), toCanonical(code, 0, unit)]
  if (to === undefined || from === undefined)
    return `"${unit}" is not a unit of ${code}. Use one of ${acceptedUnits(code).slice(0, 6).join(', ')}.`
  const difference = withoutNoise((to.value as number) - (from.value as number))
  return difference > 0 ? difference : 'An amount is above 0.'
}

/** `8.0 °C`-like text of a canonical value. Source of decimals and unit: the vocabulary. */
export const formatNumber = (code: string, value: number): string => value.toFixed(signal(code)?.decimals ?? 0)
