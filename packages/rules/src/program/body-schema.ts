/** The part of a rule's YAML that says what raises and clears it. Every problem is said at its field. */
import { signal } from '@careloop/contract'
import { z } from 'zod'
import { type Clear, type Condition, type Limit, opposite, type RuleBody } from '../rule.ts'
import { overlapOf } from './overlap.ts'
import { parseDifference, parseDuration, parseLimit } from './words.ts'

/** Text that `parse` turns into something, or says what is wrong with it. */
export const worded = <T>(parse: (text: string) => T | string) =>
  z.string().transform((text, context): T => {
    const value = parse(text)
    if (typeof value !== 'string') return value as T
    context.addIssue({ code: 'custom', message: value })
    return z.NEVER
  })

export const Duration = worded<number>(parseDuration)
const Row = z.int().min(1).max(32)

/** Fields of a rule that make its body. Exactly one of `when`, `change` and `absence` says its kind. */
export const bodyFields = {
  when: z.unknown().optional(),
  count: z.strictObject({ at_least: z.int().min(2).max(32), within: Duration }).optional(),
  change: z
    .strictObject({
      of: z.string(),
      rises_by: z.string().optional(),
      falls_by: z.string().optional(),
      within: Duration,
      unless_heard: z.strictObject({ signal: z.string(), within: Duration }).optional(),
    })
    .optional(),
  absence: z
    .strictObject({ of: z.union([z.literal('connection'), z.array(z.string()).min(1).max(16)]), for: Duration })
    .optional(),
  match: z.enum(['measurement', 'latest']).optional(),
  per: z.enum(['subject', 'device']).default('subject'),
  hold: z.strictObject({ for: Duration.optional(), in_a_row: Row.optional(), within: Duration.optional() }).optional(),
  confirm: z.strictObject({ repeat_after: Duration, repeat_within: Duration }).optional(),
  reading_valid_for: Duration.optional(),
  clear: z.strictObject({ when: z.unknown(), for: Duration.optional(), in_a_row: Row.optional() }).optional(),
  worse_by: z.string().optional(),
}

const shape = z.strictObject(bodyFields)
export type RawBody = z.output<typeof shape>
type Path = (string | number)[]
export type Problem = (path: Path, message: string) => void

/** @returns null when a problem was said */
export function bodyOf(raw: RawBody, problem: Problem): RuleBody | null {
  let isRight = true
  const say: Problem = (path, message) => {
    isRight = false
    problem(path, message)
  }
  const body = kindOf(raw, say)
  return isRight ? body : null
}

function kindOf(raw: RawBody, say: Problem): RuleBody | null {
  const kinds = (['when', 'change', 'absence'] as const).filter((field) => raw[field] !== undefined)
  if (kinds.length !== 1) {
    say(kinds.length > 1 ? [kinds[1]!] : ['when'], 'Say what raises the rule by one of: when, change, absence.')
    return null
  }
  refuse(raw, kinds[0] === 'when' ? (raw.count ? 'count' : 'threshold') : kinds[0]!, say)
  if (kinds[0] === 'change') return rate(raw, raw.change!, say)
  if (kinds[0] === 'absence') return absence(raw, raw.absence!, say)
  return raw.count ? count(raw, raw.count, say) : threshold(raw, say)
}

/** A field that its kind of rule would not look at would be a wish that nobody hears. */
function refuse(raw: RawBody, kind: keyof typeof fieldsOf, say: Problem): void {
  for (const field of ['count', 'match', 'hold', 'confirm', 'reading_valid_for', 'clear', 'worse_by'] as const)
    if (raw[field] !== undefined && !fieldsOf[kind].includes(field))
      say([field], `${field} means nothing beside ${kind === 'threshold' ? 'when' : kind}. Take it out.`)
}
const fieldsOf = {
  threshold: ['match', 'hold', 'confirm', 'reading_valid_for', 'clear', 'worse_by'],
  count: ['count', 'match', 'reading_valid_for', 'clear', 'worse_by'],
  change: ['clear', 'worse_by'],
  absence: [],
} as const satisfies Record<string, readonly string[]> as Record<
  'threshold' | 'count' | 'change' | 'absence',
  readonly string[]
>

function threshold(raw: RawBody, say: Problem): RuleBody | null {
  const conditions = conditionsOf(raw, say)
  if (conditions === null) return null
  const hold = { forMs: raw.hold?.for ?? 0, inARow: raw.hold?.in_a_row ?? 1, withinMs: raw.hold?.within ?? null }
  if (hold.forMs > 0 && raw.reading_valid_for === undefined)
    say(['reading_valid_for'], 'Say how long one reading speaks, e.g. 30 min: a longer gap is no data.')
  if (raw.hold?.within !== undefined && hold.inARow < 2)
    say(['hold', 'within'], 'Only measurements in a row lie within a span: add in_a_row.')
  const confirm = raw.confirm && { fromMs: raw.confirm.repeat_after, toMs: raw.confirm.repeat_within }
  if (confirm && raw.hold) say(['confirm'], 'A repeat and a hold are two ways to be sure. Choose one.')
  if (confirm && (confirm.fromMs <= 0 || confirm.toMs <= confirm.fromMs))
    say(['confirm', 'repeat_within'], 'A repeat comes after more than nothing, and within longer than repeat_after.')
  return {
    kind: 'threshold',
    ...{ ...conditions, match: raw.match ?? 'measurement', hold, validForMs: raw.reading_valid_for ?? 0, per: raw.per },
    ...(confirm ? { confirm } : {}),
    ...worseBy(
      raw,
      conditions.when.limits.map((limit) => limit.signal),
      say,
    ),
  }
}

function count(raw: RawBody, { at_least, within }: NonNullable<RawBody['count']>, say: Problem): RuleBody | null {
  const conditions = conditionsOf(raw, say)
  if (conditions === null) return null
  if (within <= 0) say(['count', 'within'], 'Say within what time they are counted, e.g. 24 h.')
  return {
    kind: 'count',
    ...{ ...conditions, match: raw.match ?? 'measurement', atLeast: at_least, withinMs: within, per: raw.per },
    validForMs: raw.reading_valid_for ?? 0,
    ...worseBy(
      raw,
      conditions.when.limits.map((limit) => limit.signal),
      say,
    ),
  }
}

function rate(raw: RawBody, change: NonNullable<RawBody['change']>, say: Problem): RuleBody | null {
  const { of, rises_by, falls_by, within, unless_heard } = change
  if ((rises_by === undefined) === (falls_by === undefined)) {
    say(['change'], 'Write rises_by or falls_by, one of them.')
    return null
  }
  const field = rises_by === undefined ? 'falls_by' : 'rises_by'
  const by = parseDifference(of, (rises_by ?? falls_by)!)
  if (typeof by === 'string') say(signal(of) === undefined ? ['change', 'of'] : ['change', field], by)
  if (within <= 0) say(['change', 'within'], 'Say within what time it changes, e.g. 10 min.')
  if (unless_heard && signal(unless_heard.signal) === undefined)
    say(['change', 'unless_heard', 'signal'], `"${unless_heard.signal}" is not a signal of the vocabulary.`)
  const when = raw.clear ? conditionOf(raw.clear.when, ['clear', 'when'], say) : null
  return {
    kind: 'rate',
    ...{ signal: of, change: rises_by === undefined ? 'fall' : 'rise', by: Number(by), withinMs: within, per: raw.per },
    clear: { when, forMs: raw.clear?.for ?? 0, inARow: raw.clear?.in_a_row ?? 1 },
    ...(unless_heard ? { unlessHeard: { signal: unless_heard.signal, withinMs: unless_heard.within } } : {}),
    ...worseBy(raw, [of], say),
  }
}

function absence(raw: RawBody, { of, for: afterMs }: NonNullable<RawBody['absence']>, say: Problem): RuleBody {
  if (afterMs < 60_000) say(['absence', 'for'], 'Silence is told after 1 min at the earliest.')
  if (of === 'connection') {
    if (raw.per !== 'device') say(['per'], 'A connection is of a device: write per: device.')
  } else
    of.forEach((code, index) => {
      if (signal(code) === undefined) say(['absence', 'of', index], `"${code}" is not a signal of the vocabulary.`)
    })
  return { kind: 'absence', of, afterMs, per: raw.per }
}

/** One step worse, in the unit of each signal. */
function worseBy({ worse_by }: RawBody, signals: readonly string[], say: Problem): { worseBy?: readonly number[] } {
  if (worse_by === undefined) return {}
  const steps = signals.map((code) => parseDifference(code, worse_by))
  const wrong = steps.find((step) => typeof step === 'string')
  if (wrong !== undefined) say(['worse_by'], String(wrong))
  return { worseBy: steps.map(Number) }
}

function conditionsOf(raw: RawBody, say: Problem): { when: Condition; clear: Clear } | null {
  const when = conditionOf(raw.when, ['when'], say)
  const clear = raw.clear ? conditionOf(raw.clear.when, ['clear', 'when'], say) : when && opposite(when)
  if (when === null || clear === null) return null
  if (raw.match === 'latest' && raw.reading_valid_for === undefined)
    say(['reading_valid_for'], 'Say how long one reading speaks, e.g. 30 min: a longer gap is no data.')
  const overlap = overlapOf(when, clear)
  if (overlap !== null) say(['clear', 'when'], overlap)
  return { when, clear: { when: clear, forMs: raw.clear?.for ?? 0, inARow: raw.clear?.in_a_row ?? 1 } }
}

/** A condition is one limit, or `any:`/`all:` of several. Parsed by hand, so that the message is about the limit at fault. */
function conditionOf(raw: unknown, path: Path, say: Problem): Condition | null {
  if (typeof raw === 'string') return limitsOf([raw], 'any', () => path, say)
  const keys = raw !== null && typeof raw === 'object' ? Object.keys(raw) : []
  const mode = keys[0]
  const limits = mode === undefined ? undefined : (raw as Record<string, unknown>)[mode]
  if (keys.length !== 1 || (mode !== 'any' && mode !== 'all') || !Array.isArray(limits) || limits.length === 0) {
    say(path, 'Write one limit, or any: or all: with a list of limits.')
    return null
  }
  return limitsOf(limits, mode, (index) => [...path, mode, index], say)
}

function limitsOf(
  raw: readonly unknown[],
  mode: Condition['mode'],
  pathOf: (index: number) => Path,
  say: Problem,
): Condition | null {
  const limits = raw.map((text, index): Limit | null => {
    const limit = typeof text === 'string' ? parseLimit(text) : 'Write a limit, e.g. systolic >= 180 mm[Hg].'
    if (typeof limit !== 'string') return limit
    say(pathOf(index), limit)
    return null
  })
  return limits.every((limit) => limit !== null) ? { mode, limits } : null
}
