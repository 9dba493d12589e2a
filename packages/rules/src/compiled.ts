/** A rule made ready for the hot path: signals numbered, every number where the machines find it without asking for the kind. */
import type { SignalCode } from '@careloop/contract'
import type { Condition, Confirm, Hold, Limit, RuleBody } from './rule.ts'
import { type CompiledCondition, compare, compileCondition, meetsAny, type Usable, YES } from './truth.ts'

/** What a rate rule compares, with its sign: a fall is a rise of the negative. */
export interface CompiledRate {
  readonly sign: 1 | -1
  readonly by: number
  readonly withinMs: number
  /** Slot of the signal that makes the rule rest, -1 = none. */
  readonly restSlot: number
  readonly restMs: number
}

export interface CompiledRule {
  readonly body: RuleBody
  /** Signals that the rule reads; a value's slot is its index here. */
  readonly signals: readonly SignalCode[]
  readonly when: CompiledCondition
  readonly clear: CompiledCondition
  readonly clearForMs: number
  readonly clearInARow: number
  readonly latest: boolean
  readonly hold: Hold
  readonly confirm: Confirm | null
  /** How long one reading speaks, ms. */
  readonly validForMs: number
  /** Within this time a breach goes on from a backfill into the live stream, or the other way round, ms. */
  readonly linkMs: number
  readonly count: { readonly atLeast: number; readonly withinMs: number } | null
  readonly rate: CompiledRate | null
  /** An absence rule has no lanes: it keeps clocks. */
  readonly isAbsence: boolean
  readonly perDevice: boolean
  /**
   * Between these, both excluded, a value of its one signal breaches nothing and would clear whatever was raised. Null where no
   * one value can say that.
   */
  readonly quiet: { readonly low: number; readonly high: number } | null
  /** One step worse, by limit of `when` (of a rate rule: of its change). Null: anything worse is. */
  readonly worseBy: readonly number[] | null
}

const nothing: Condition = { mode: 'any', limits: [] }
const atOnce: Hold = { forMs: 0, inARow: 1, withinMs: null }

/** @throws never for a rule that the program loader let pass */
export function compileRule(body: RuleBody): CompiledRule {
  const signals = signalsOf(body)
  const conditions = body.kind === 'threshold' || body.kind === 'count' ? body : null
  const clear = body.kind === 'absence' ? { when: null, forMs: 0, inARow: 1 } : body.clear
  return {
    ...{ body, signals, ...numbersOf(body), quiet: signals.length === 1 ? quietOf(body) : null },
    when: compileCondition(conditions?.when ?? nothing, signals),
    clear: compileCondition(clear.when ?? nothing, signals),
    ...{ clearForMs: clear.forMs, clearInARow: clear.inARow, latest: conditions?.match === 'latest' },
    rate: body.kind === 'rate' ? rateOf(body, signals) : null,
    ...{ isAbsence: body.kind === 'absence', perDevice: body.per === 'device' },
    worseBy: body.kind === 'absence' ? null : (body.worseBy ?? null),
  }
}

function quietOf(body: RuleBody): CompiledRule['quiet'] {
  if (body.kind === 'absence' || body.kind === 'rate' || body.match === 'latest') return null
  const { when, clear } = body
  if (when.mode === 'all' && when.limits.length > 1) return null
  const upper = [...when.limits.filter(isUpward), ...clear.when.limits.filter((limit) => !isUpward(limit))]
  const lower = [...when.limits.filter((limit) => !isUpward(limit)), ...clear.when.limits.filter(isUpward)]
  const high = Math.min(Number.POSITIVE_INFINITY, ...upper.map(({ limit }) => limit))
  return { low: Math.max(Number.NEGATIVE_INFINITY, ...lower.map(({ limit }) => limit)), high }
}
const isUpward = ({ is }: Limit): boolean => is === '>' || is === '>='

function numbersOf(body: RuleBody): Pick<CompiledRule, 'hold' | 'confirm' | 'validForMs' | 'linkMs' | 'count'> {
  const none = { hold: atOnce, confirm: null, count: null }
  switch (body.kind) {
    case 'absence':
      return { ...none, validForMs: 0, linkMs: 0 }
    case 'rate':
      return { ...none, validForMs: body.withinMs, linkMs: body.withinMs }
    case 'count': {
      const count = { atLeast: body.atLeast, withinMs: body.withinMs }
      return { ...none, validForMs: body.validForMs, linkMs: body.withinMs, count }
    }
    case 'threshold': {
      const { hold, validForMs } = body
      const row = hold.forMs === 0 && hold.inARow > 1 ? (hold.withinMs ?? Number.POSITIVE_INFINITY) : validForMs
      return { ...none, hold, confirm: body.confirm ?? null, validForMs, linkMs: body.confirm?.toMs ?? row }
    }
  }
}

const rateOf = (body: Extract<RuleBody, { kind: 'rate' }>, signals: readonly SignalCode[]): CompiledRate => ({
  sign: body.change === 'rise' ? 1 : -1,
  by: body.by,
  withinMs: body.withinMs,
  restSlot: body.unlessHeard === undefined ? -1 : signals.indexOf(body.unlessHeard.signal),
  restMs: body.unlessHeard?.withinMs ?? 0,
})

/** Signals that a rule reads, in the order of its slots. */
export function signalsOf(body: RuleBody): readonly SignalCode[] {
  if (body.kind === 'absence') return body.of === 'connection' ? [] : [...new Set(body.of)]
  const limits =
    body.kind === 'rate' ? (body.clear.when?.limits ?? []) : [...body.when.limits, ...body.clear.when.limits]
  const first = body.kind === 'rate' ? [body.signal] : []
  const last = body.kind === 'rate' && body.unlessHeard !== undefined ? [body.unlessHeard.signal] : []
  return [...new Set([...first, ...limits.map((limit) => limit.signal), ...last])]
}

/** Whether a value by itself meets what raises the rule. A change cannot be seen in one value. */
export const testsPositive = (rule: CompiledRule, code: SignalCode, value: Usable): boolean =>
  meetsAny(rule.when, rule.signals.indexOf(code), value)

/** How far beyond each limit of `when` a measurement lies, in canonical units; null where it does not breach that limit. */
export const excessOf = (rule: CompiledRule, values: readonly (Usable | undefined)[]): (number | null)[] =>
  rule.when.limits.map(({ slot, is, limit }) => {
    const value = values[slot]
    if (value === undefined || compare(value, is, limit) !== YES) return null
    const number = typeof value === 'number' ? value : value.limit
    return is === '>' || is === '>=' ? number - limit : limit - number
  })
