/** What an alert says, in plain words with numbers, units and since when; and a rule in words. Never a name. */
import { isCensored, shownUnit, signal } from '@careloop/contract'
import { signalsOf } from '../compiled.ts'
import type { Point } from '../machine.ts'
import type { Condition, Limit, RuleBody } from '../rule.ts'
import type { Transition } from '../transition.ts'
import type { Usable } from '../truth.ts'
import type { ProgramRule } from './program.ts'
import { formatNumber } from './words.ts'

const placeholder = /\{([^{}]*)\}/g

/** What a template of the rule may name beside its signals. */
function wordsOf(body: RuleBody): readonly string[] {
  if (body.kind === 'absence') return ['since', 'for', 'last']
  const words = ['since', 'for', 'count']
  if (body.kind === 'rate') return [...words, 'change']
  return body.kind === 'threshold' && body.confirm !== undefined ? [...words, 'confirmed'] : words
}

/** Why a template cannot be filled, or null. */
export function placeholderProblem(template: string, body: RuleBody): string | null {
  // Of what is absent there is no value to name.
  const known = [...(body.kind === 'absence' ? [] : signalsOf(body)), ...wordsOf(body)]
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
  const stored = Math.max(raised.at, ...(newestOf(raised)?.sources ?? []).map((source) => source?.storedAt ?? 0))
  return `Found ${shownDuration(stored - raised.at)} late: ${sentence}`
}

function fill(template: string, rule: ProgramRule, raised: Transition, timeZone: string): string {
  const { body } = rule
  const signals = signalsOf(body)
  const newest = newestOf(raised)
  const breach = raised.breach!
  return template.replaceAll(placeholder, (_, name: string) => {
    switch (name) {
      case 'since':
        return shownTime(breach.since, raised.at, timeZone)
      case 'for':
        return shownDuration(raised.at - breach.since)
      case 'count':
        return String(breach.points.length + breach.leftOut)
      case 'last':
        return lastInWords(body, breach.last ?? null, raised.at, timeZone)
      case 'confirmed':
        return confirmedInWords(body, raised)
      case 'change':
        return changeInWords(body, raised)
    }
    return shownUsable(name, newest?.values[signals.indexOf(name)])
  })
}

/** Undefined of an absence, and of one told again of which no measurement is kept. */
const newestOf = (raised: Transition): Point | undefined => raised.breach!.points.at(-1)

function lastInWords(body: RuleBody, last: number | null, near: number, timeZone: string): string {
  if (last !== null) return shownTime(last, near, timeZone)
  return body.per === 'device' ? 'never since it was assigned' : 'never since it is watched'
}

function confirmedInWords(body: RuleBody, raised: Transition): string {
  const confirm = body.kind === 'threshold' ? body.confirm : undefined
  const { since, points } = raised.breach!
  const repeatedMs = (points.find(({ at }) => at - since >= (confirm?.fromMs ?? 0))?.at ?? since) - since
  if (confirm === undefined) return ''
  if (repeatedMs > 0 && repeatedMs <= confirm.toMs) return `repeated after ${shownDuration(repeatedMs)}`
  return `not repeated within ${shownDuration(confirm.toMs)}`
}

/** How much the newest value differs from the one that the change began with. */
function changeInWords(body: RuleBody, raised: Transition): string {
  const [first, last] = [raised.breach!.points[0]?.values[0], newestOf(raised)?.values[0]]
  if (body.kind !== 'rate' || typeof first !== 'number' || typeof last !== 'number') return '–'
  return formatNumber(body.signal, Math.abs(last - first))
}

function shownUsable(code: string, value: Usable | undefined): string {
  if (value === undefined) return '–'
  return isCensored(value) ? `${value.comparator} ${formatNumber(code, value.limit)}` : formatNumber(code, value)
}

/** `10:02`, with the day when that is not the day of `near`. */
export function shownTime(at: number, near: number, timeZone: string): string {
  const { time, day } = formatsOf(timeZone)
  return day.format(at) === day.format(near) ? time.format(at) : `${day.format(at)} ${time.format(at)}`
}

interface Formats {
  readonly time: Intl.DateTimeFormat
  readonly day: Intl.DateTimeFormat
}

/** Making one takes longer than all else of an alert; there are some 600 zones. */
const formats = new Map<string, Formats>()

function formatsOf(timeZone: string): Formats {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  const made = {
    time: new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }),
    day: new Intl.DateTimeFormat('en-GB', { timeZone, day: 'numeric', month: 'short' }),
  }
  formats.set(timeZone, made)
  return made
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
  switch (body.kind) {
    case 'threshold':
      return thresholdInWords(body)
    case 'count':
      return `${limitsInWords(body.when)}, ${body.atLeast} measurements within ${shownDuration(body.withinMs)}`
    case 'rate': {
      const { label, unit } = named(body.signal)
      const verb = body.change === 'rise' ? 'rises' : 'falls'
      const words = `${label} ${verb} by ${formatNumber(body.signal, body.by)} ${unit} or more within ${shownDuration(body.withinMs)}`
      return body.unlessHeard === undefined
        ? words
        : `${words}, where no ${named(body.unlessHeard.signal).label} is heard`
    }
    case 'absence':
      if (body.of === 'connection') return `Disconnected for ${shownDuration(body.afterMs)}`
      return `No ${body.of.map((code) => named(code).label).join(' or ')} for ${shownDuration(body.afterMs)}`
  }
}

function thresholdInWords({ when, hold, confirm }: Extract<RuleBody, { kind: 'threshold' }>): string {
  const parts = [limitsInWords(when)]
  if (hold.forMs > 0) parts.push(`for ${shownDuration(hold.forMs)}`)
  if (hold.inARow > 1) parts.push(`${hold.inARow} measurements in a row`)
  if (hold.withinMs !== null) parts.push(`within ${shownDuration(hold.withinMs)}`)
  if (confirm !== undefined) {
    const [from, to] = [shownDuration(confirm.fromMs), shownDuration(confirm.toMs)]
    parts.push(`repeated after ${from} to ${to} or not repeated at all`)
  }
  return parts.join(', ')
}

const named = (code: string) => {
  const known = signal(code)
  return { label: known?.label ?? code, unit: shownUnit(known?.unit ?? '') }
}

const comparatorWords = { '>': 'above', '>=': 'at or above', '<': 'below', '<=': 'at or below' } as const

const limitsInWords = (condition: Condition): string =>
  condition.limits.map(limitInWords).join(condition.mode === 'any' ? ' or ' : ' and ')

/** A state is said by its name: "Door open", never "Door at or above 1". */
function limitInWords({ signal: code, is, limit }: Limit): string {
  const { label, unit } = named(code)
  const meanings = signal(code)?.meanings
  const isOn = (is === '>=' && limit === 1) || (is === '>' && limit === 0)
  const isOff = (is === '<=' && limit === 0) || (is === '<' && limit === 1)
  if (meanings && Object.keys(meanings).length === 2 && (isOn || isOff)) return `${label} ${meanings[isOn ? 1 : 0]}`
  return `${label} ${comparatorWords[is]} ${formatNumber(code, limit)} ${unit}`.trimEnd()
}
