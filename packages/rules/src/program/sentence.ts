/** What an alert says, in plain words with numbers, units and since when; and a rule in words. Never a name. */
import { isCensored, shownUnit, signal } from '@careloop/contract'
import type { Transition } from '../evaluator.ts'
import type { Point } from '../machine.ts'
import type { Condition, RuleBody } from '../rule.ts'
import type { Usable } from '../truth.ts'
import type { ProgramRule } from './program.ts'
import { formatNumber } from './words.ts'

const timeWords = ['since', 'for', 'count']
const placeholder = /\{([^{}]*)\}/g

/** Signals that a rule reads, in the order of its slots. */
export const signalsOf = (body: RuleBody): readonly string[] => [
  ...new Set([...body.when.limits, ...body.clear.when.limits].map((limit) => limit.signal)),
]

/** Why a template cannot be filled, or null. */
export function placeholderProblem(template: string, body: RuleBody): string | null {
  const known = [...signalsOf(body), ...timeWords]
  for (const [, name] of template.matchAll(placeholder)) {
    if (!known.includes(name!))
      return `{${name}} means nothing here. Use ${known.map((word) => `{${word}}`).join(', ')}.`
  }
  return null
}

/** The value of the newest measurement of the breach, as people read it, e.g. `192/124`. */
export const shownValue = (rule: ProgramRule, raised: Transition): string => fill(rule.value, rule, raised, 'UTC')

/** @param timeZone IANA zone of the subject, in which times are said */
export function sentenceOf(rule: ProgramRule, raised: Transition, timeZone: string): string {
  const sentence = fill(rule.sentence, rule, raised, timeZone)
  if (!raised.historic) return sentence
  if (raised.byCorrection) return `Found by correcting who wore the device: ${sentence}`
  const stored = Math.max(...newestOf(raised).sources.map((source) => source?.storedAt ?? 0))
  return `Found ${shownDuration(stored - raised.at)} late: ${sentence}`
}

function fill(template: string, rule: ProgramRule, raised: Transition, timeZone: string): string {
  const signals = signalsOf(rule.body)
  const newest = newestOf(raised)
  const breach = raised.breach!
  return template.replaceAll(placeholder, (_, name: string) => {
    if (name === 'since') return shownTime(breach.since, raised.at, timeZone)
    if (name === 'for') return shownDuration(raised.at - breach.since)
    if (name === 'count') return String(breach.points.length + breach.leftOut)
    return shownUsable(name, newest.values[signals.indexOf(name)])
  })
}

const newestOf = (raised: Transition): Point => raised.breach!.points.at(-1)!

function shownUsable(code: string, value: Usable | undefined): string {
  if (value === undefined) return '–'
  return isCensored(value) ? `${value.comparator} ${formatNumber(code, value.limit)}` : formatNumber(code, value)
}

/** `10:02`, with the day when that is not the day of `near`. */
export function shownTime(at: number, near: number, timeZone: string): string {
  const time = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' })
  const day = new Intl.DateTimeFormat('en-GB', { timeZone, day: 'numeric', month: 'short' })
  return day.format(at) === day.format(near) ? time.format(at) : `${day.format(at)} ${time.format(at)}`
}

/** `45 s`, `12 min`, `3 h`, `2 d`: rounded down, so that nothing is said to have stood longer than it did. */
export function shownDuration(ms: number): string {
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s`
  if (ms < 7_200_000) return `${Math.floor(ms / 60_000)} min`
  if (ms < 172_800_000) return `${Math.floor(ms / 3_600_000)} h`
  return `${Math.floor(ms / 86_400_000)} d`
}

/** A rule in words: "Systolic at or above 180 mmHg or diastolic at or above 120 mmHg, 3 measurements in a row". */
export function conditionInWords(body: RuleBody): string {
  const { forMs, inARow, withinMs } = body.hold
  const parts = [limitsInWords(body.when)]
  if (forMs > 0) parts.push(`for ${shownDuration(forMs)}`)
  if (inARow > 1) parts.push(`${inARow} measurements in a row`)
  if (withinMs !== null) parts.push(`within ${shownDuration(withinMs)}`)
  return parts.join(', ')
}

const comparatorWords = { '>': 'above', '>=': 'at or above', '<': 'below', '<=': 'at or below' } as const

const limitsInWords = (condition: Condition): string =>
  condition.limits
    .map((limit) => {
      const known = signal(limit.signal)
      const unit = shownUnit(known?.unit ?? '')
      return `${known?.label ?? limit.signal} ${comparatorWords[limit.is]} ${formatNumber(limit.signal, limit.limit)} ${unit}`
    })
    .join(condition.mode === 'any' ? ' or ' : ' and ')
