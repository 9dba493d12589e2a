/**
 * Three-valued truth of a condition over what was measured. Unknown is neither: it satisfies nothing and clears nothing, so a
 * missing diastolic can never close an alert that a diastolic raised.
 */
import type { Censored, SignalCode } from '@careloop/contract'
import type { Comparator, Condition } from './rule.ts'

export type Truth = 1 | 0 | -1
export const YES = 1
export const NO = 0
export const UNKNOWN = -1

/** A value that a rule may use: absences and implausible readings never come this far. */
export type Usable = number | Censored

interface CompiledLimit {
  /** Index of the signal in the rule's list of signals. */
  readonly slot: number
  readonly is: Comparator
  readonly limit: number
}

export interface CompiledCondition {
  readonly any: boolean
  readonly limits: readonly CompiledLimit[]
}

export function compileCondition(condition: Condition, signals: readonly SignalCode[]): CompiledCondition {
  return {
    any: condition.mode === 'any',
    limits: condition.limits.map(({ signal, is, limit }) => ({ slot: signals.indexOf(signal), is, limit })),
  }
}

/** Kleene's any/all: decided as soon as one known value decides it. */
export function truthOf(condition: CompiledCondition, values: readonly (Usable | undefined)[]): Truth {
  let unknown = false
  for (const limit of condition.limits) {
    const value = values[limit.slot]
    const truth = value === undefined ? UNKNOWN : compare(value, limit.is, limit.limit)
    if (truth === UNKNOWN) unknown = true
    else if (condition.any === (truth === YES)) return truth
  }
  if (unknown) return UNKNOWN
  return condition.any ? NO : YES
}

/** Whether one value by itself meets a limit of the condition: how a chart marks it. */
export const meetsAny = (condition: CompiledCondition, slot: number, value: Usable): boolean =>
  condition.limits.some((limit) => limit.slot === slot && compare(value, limit.is, limit.limit) === YES)

export function compare(value: Usable, is: Comparator, limit: number): Truth {
  if (typeof value !== 'number') return compareCensored(value, is, limit)
  switch (is) {
    case '>':
      return value > limit ? YES : NO
    case '>=':
      return value >= limit ? YES : NO
    case '<':
      return value < limit ? YES : NO
    case '<=':
      return value <= limit ? YES : NO
  }
}

/** A glucose meter's LOW (< 40) is surely below 54 and surely not above 180; whether it is below 30 nobody knows. */
function compareCensored(value: Censored, is: Comparator, limit: number): Truth {
  const upward = is === '>' || is === '>='
  if (value.comparator === '<') {
    if (value.limit > limit) return UNKNOWN
    return upward ? NO : YES
  }
  if (value.limit < limit) return UNKNOWN
  return upward ? YES : NO
}
