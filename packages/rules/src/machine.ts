/**
 * The state machine of one threshold rule over measurements in order of measuredAt: quiet, breaching, active, clearing.
 * Small and copyable, since a late reading makes the evaluator fold a stretch of measurements again.
 */
import type { EpochMs, SignalCode } from '@careloop/contract'
import type { Source, ThresholdRule } from './rule.ts'
import {
  type CompiledCondition,
  compileCondition,
  meetsAny,
  NO,
  type Truth,
  truthOf,
  UNKNOWN,
  type Usable,
  YES,
} from './truth.ts'

/** The readings of one measurement, by slot of the rule's signals. */
export interface Point {
  at: EpochMs
  /** groupId of the measurement; '' when the device gave none. */
  readonly group: string
  readonly values: (Usable | undefined)[]
  readonly sources: (Source | undefined)[]
}

export interface Machine {
  active: boolean
  /** Event time of the raise, while active. */
  raisedAt: EpochMs | null
  /** Start of the unbroken breach. */
  breachSince: EpochMs | null
  breachLast: EpochMs
  /** Times of the newest breaching measurements in a row, at most `hold.inARow`. */
  row: EpochMs[]
  clearSince: EpochMs | null
  clearRow: number
  /** Breaching measurements of this breach: the first, and the newest that fit. */
  evidence: Point[]
  evidenceLeftOut: number
  /** Newest value of each signal, for `match: latest`. */
  carry: ({ at: EpochMs; value: Usable; source: Source } | undefined)[]
  /** Newest measurement folded in. */
  lastAt: EpochMs
}

export interface CompiledRule {
  readonly body: ThresholdRule
  readonly signals: readonly SignalCode[]
  readonly when: CompiledCondition
  readonly clear: CompiledCondition
}

export type Step = 'none' | 'raised' | 'cleared'

/** How many measurements of a breach an alert can show: the first and the 31 newest. */
export const maxEvidence = 32

/** @throws never for a rule that the program loader let pass */
export function compileRule(body: ThresholdRule): CompiledRule {
  const signals = [...new Set([...body.when.limits, ...body.clear.when.limits].map((limit) => limit.signal))]
  return {
    body,
    signals,
    when: compileCondition(body.when, signals),
    clear: compileCondition(body.clear.when, signals),
  }
}

/** Whether a value by itself meets what raises the rule. */
export const testsPositive = (rule: CompiledRule, code: SignalCode, value: Usable): boolean =>
  meetsAny(rule.when, rule.signals.indexOf(code), value)

export const newMachine = (): Machine => ({
  active: false,
  raisedAt: null,
  breachSince: null,
  breachLast: 0,
  row: [],
  clearSince: null,
  clearRow: 0,
  evidence: [],
  evidenceLeftOut: 0,
  carry: [],
  lastAt: 0,
})

export const copyMachine = (machine: Machine): Machine => ({
  ...machine,
  row: [...machine.row],
  evidence: [...machine.evidence],
  carry: [...machine.carry],
})

/** A point of its own: the window's points are completed in place when the rest of a measurement comes. */
export const copyPoint = (point: Point): Point => ({ ...point, values: [...point.values], sources: [...point.sources] })

/** Folds one measurement in. Measurements come in order of `at`. */
export function step(machine: Machine, point: Point, rule: CompiledRule): Step {
  const judged = rule.body.match === 'latest' ? withCarried(machine, point, rule) : point
  machine.lastAt = point.at
  const breach = truthOf(rule.when, judged.values)
  if (breach === YES) return breached(machine, judged, rule)
  if (!machine.active) {
    if (breach === NO && machine.breachSince !== null) endBreach(machine)
    return 'none'
  }
  return clearing(machine, point, truthOf(rule.clear, judged.values), rule)
}

function breached(machine: Machine, point: Point, rule: CompiledRule): Step {
  machine.clearSince = null
  machine.clearRow = 0
  const gap = machine.breachSince !== null && point.at - machine.breachLast > rule.body.validForMs
  if (gap && !machine.active && rule.body.hold.forMs > 0) endBreach(machine)
  machine.breachSince ??= point.at
  machine.breachLast = point.at
  if (!machine.active) {
    machine.row.push(point.at)
    if (machine.row.length > rule.body.hold.inARow) machine.row.shift()
    keepEvidence(machine, point)
  }
  if (machine.active || !holdIsMet(machine, point.at, rule)) return 'none'
  activate(machine, point.at)
  return 'raised'
}

/** Marks the condition as raised at an event time: by a measurement, or by a timer between two. */
export function activate(machine: Machine, at: EpochMs): void {
  machine.active = true
  machine.raisedAt = at
  machine.breachSince ??= at
  machine.row = []
}

function holdIsMet(machine: Machine, at: EpochMs, rule: CompiledRule): boolean {
  const { forMs, inARow, withinMs } = rule.body.hold
  if (machine.breachSince === null || at - machine.breachSince < forMs) return false
  if (machine.row.length < inARow) return false
  return withinMs === null || at - machine.row[0]! <= withinMs
}

/** When a breach becomes an alert although nothing more is measured; Infinity when only a further reading can decide. */
export function deadlineOf(machine: Machine, rule: CompiledRule): EpochMs {
  const { forMs, inARow } = rule.body.hold
  if (machine.active || machine.breachSince === null || forMs === 0) return Number.POSITIVE_INFINITY
  const due = machine.breachSince + forMs
  const spoken = due - machine.breachLast <= rule.body.validForMs
  return spoken && machine.row.length >= inARow ? due : Number.POSITIVE_INFINITY
}

function clearing(machine: Machine, point: Point, truth: Truth, rule: CompiledRule): Step {
  if (truth === UNKNOWN) return 'none'
  if (truth === NO) {
    machine.clearSince = null
    machine.clearRow = 0
    return 'none'
  }
  machine.clearSince ??= point.at
  machine.clearRow += 1
  const { forMs, inARow } = rule.body.clear
  if (point.at - machine.clearSince < forMs || machine.clearRow < inARow) return 'none'
  machine.active = false
  machine.raisedAt = null
  machine.clearSince = null
  machine.clearRow = 0
  endBreach(machine)
  return 'cleared'
}

function endBreach(machine: Machine): void {
  machine.breachSince = null
  machine.row = []
  machine.evidence = []
  machine.evidenceLeftOut = 0
}

function keepEvidence(machine: Machine, point: Point): void {
  machine.evidence.push(point)
  if (machine.evidence.length <= maxEvidence) return
  machine.evidence.splice(1, 1)
  machine.evidenceLeftOut += 1
}

/** The measurement, completed by what other signals last said and still say. */
function withCarried(machine: Machine, point: Point, rule: CompiledRule): Point {
  const judged = copyPoint(point)
  rule.signals.forEach((_, slot) => {
    const own = point.values[slot]
    if (own !== undefined) {
      machine.carry[slot] = { at: point.at, value: own, source: point.sources[slot]! }
      return
    }
    const carried = machine.carry[slot]
    if (carried === undefined || point.at - carried.at > rule.body.validForMs) return
    judged.values[slot] = carried.value
    judged.sources[slot] = carried.source
  })
  return judged
}
