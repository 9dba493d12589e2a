/**
 * The state machine of a rule over measurements in order of measuredAt: quiet, breaching, active, clearing. Threshold, count and
 * rate differ in what a breach is and when it counts. Small and copyable, since a late reading makes the evaluator fold a stretch
 * of measurements again.
 */
import { type EpochMs, withoutNoise } from '@careloop/contract'
import { copyWindow, type Low, passWindow } from './change.ts'
import type { CompiledRule } from './compiled.ts'
import { arithmeticNoise } from './rate-lane.ts'
import type { Source } from './rule.ts'
import { NO, type Truth, truthOf, UNKNOWN, type Usable, YES } from './truth.ts'

/** The readings of one measurement, by slot of the rule's signals. */
export interface Point {
  at: EpochMs
  /** groupId of the measurement; '' when the device gave none. */
  group: string
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
  /** Times of the newest breaching measurements: in a row, at most `hold.inARow`; of a count rule, those within its span. */
  row: EpochMs[]
  clearSince: EpochMs | null
  clearRow: number
  /** Breaching measurements of this breach: the first, and the newest that fit. */
  evidence: Point[]
  evidenceLeftOut: number
  /** Newest value of each signal, for `match: latest`. */
  carry: ({ at: EpochMs; value: Usable; source: Source } | undefined)[]
  /** Trailing window of a rate rule. */
  window: Low[]
  /** How much the signal has changed over the window, for a rate rule; else 0. */
  change: number
  /** Newest measurement folded in. */
  lastAt: EpochMs
}

export type Step = 'none' | 'raised' | 'cleared'

/** How many measurements of a breach an alert can show: the first and the 31 newest. */
export const maxEvidence = 32

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
  window: [],
  change: 0,
  lastAt: 0,
})

export const copyMachine = (machine: Machine): Machine => ({
  ...machine,
  row: [...machine.row],
  evidence: [...machine.evidence],
  carry: machine.carry.length === 0 ? [] : [...machine.carry],
  window: machine.window.length === 0 ? [] : copyWindow(machine.window),
})

/** A point of its own: the window's points are completed in place when the rest of a measurement comes. */
export const copyPoint = (point: Point): Point => ({ ...point, values: [...point.values], sources: [...point.sources] })

/** Folds one measurement in. Measurements come in order of `at`. */
export function step(machine: Machine, point: Point, rule: CompiledRule): Step {
  const judged = rule.latest ? withCarried(machine, point, rule) : point
  machine.lastAt = point.at
  if (rule.rate !== null) return stepRate(machine, judged, rule)
  const breach = truthOf(rule.when, judged.values)
  if (breach === YES) return breached(machine, judged, rule)
  if (machine.active) return clearing(machine, point, truthOf(rule.clear, judged.values), rule)
  if (breach === NO && machine.breachSince !== null && endsBreach(machine, point.at, rule)) endBreach(machine)
  return 'none'
}

/** A good measurement ends a breach that is not yet an alert; not of a count, and not before a repeat was due. */
function endsBreach(machine: Machine, at: EpochMs, rule: CompiledRule): boolean {
  if (rule.count !== null) return false
  return rule.confirm === null || at - machine.breachSince! >= rule.confirm.fromMs
}

function stepRate(machine: Machine, point: Point, rule: CompiledRule): Step {
  const rate = rule.rate!
  const value = point.values[0]
  let truth: Truth = UNKNOWN
  if (value !== undefined) {
    const low = passWindow(machine.window, point.at, value, point.sources[0], rate)
    if (typeof value === 'number') {
      machine.change = low === null ? 0 : Math.max(0, value * rate.sign - low.value)
      truth = machine.change + arithmeticNoise >= rate.by ? YES : NO
      if (truth === YES && !machine.active) startAt(machine, low!, point, rule)
    }
  }
  if (truth === YES) return breached(machine, point, rule)
  if (!machine.active) return 'none'
  const isClear = rule.clear.limits.length === 0 ? opposite(truth) : truthOf(rule.clear, point.values)
  return clearing(machine, point, isClear, rule)
}

const opposite = (truth: Truth): Truth => (truth === UNKNOWN ? UNKNOWN : truth === YES ? NO : YES)

/** The change began at the low: it is the first measurement that the alert shows. */
function startAt(machine: Machine, low: Low, point: Point, rule: CompiledRule): void {
  endBreach(machine)
  machine.breachSince = low.at
  const from: Point = {
    at: low.at,
    group: '',
    values: new Array(point.values.length),
    sources: new Array(point.values.length),
  }
  from.values[0] = withoutNoise(low.value * rule.rate!.sign)
  from.sources[0] = low.source
  machine.evidence.push(from)
}

function breached(machine: Machine, point: Point, rule: CompiledRule): Step {
  machine.clearSince = null
  machine.clearRow = 0
  const gap = machine.breachSince !== null && point.at - machine.breachLast > rule.validForMs
  if (gap && !machine.active && rule.hold.forMs > 0) endBreach(machine)
  if (rule.count !== null && !machine.active) forgetBefore(machine, point.at - rule.count.withinMs)
  machine.breachSince ??= point.at
  machine.breachLast = point.at
  if (!machine.active) {
    machine.row.push(point.at)
    if (machine.row.length > (rule.count?.atLeast ?? rule.hold.inARow)) machine.row.shift()
    keepEvidence(machine, point)
  }
  if (machine.active || !isMet(machine, point.at, rule)) return 'none'
  activate(machine, point.at)
  return 'raised'
}

/** Of a count only what lies within its span still counts. */
function forgetBefore(machine: Machine, horizon: EpochMs): void {
  if (machine.row.length === 0 || machine.row[0]! >= horizon) return
  machine.row = machine.row.filter((at) => at >= horizon)
  machine.evidence = machine.evidence.filter((point) => point.at >= horizon)
  machine.evidenceLeftOut = 0
  machine.breachSince = machine.row[0] ?? null
}

/** Marks the condition as raised at an event time: by a measurement, or by a timer between two. */
export function activate(machine: Machine, at: EpochMs): void {
  machine.active = true
  machine.raisedAt = at
  machine.breachSince ??= at
  machine.row = []
}

function isMet(machine: Machine, at: EpochMs, rule: CompiledRule): boolean {
  if (rule.count !== null) return machine.row.length >= rule.count.atLeast
  if (rule.confirm !== null) return at - machine.breachSince! >= rule.confirm.fromMs
  const { forMs, inARow, withinMs } = rule.hold
  if (machine.breachSince === null || at - machine.breachSince < forMs) return false
  if (machine.row.length < inARow) return false
  return withinMs === null || at - machine.row[0]! <= withinMs
}

/** When a breach becomes an alert although nothing more is measured; Infinity when only a further reading can decide. */
export function deadlineOf(machine: Machine, rule: CompiledRule): EpochMs {
  if (machine.active || machine.breachSince === null) return Number.POSITIVE_INFINITY
  if (rule.confirm !== null) return machine.breachSince + rule.confirm.toMs
  const { forMs, inARow } = rule.hold
  if (forMs === 0) return Number.POSITIVE_INFINITY
  const due = machine.breachSince + forMs
  const spoken = due - machine.breachLast <= rule.validForMs
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
  if (point.at - machine.clearSince < rule.clearForMs || machine.clearRow < rule.clearInARow) return 'none'
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
    if (carried === undefined || point.at - carried.at > rule.validForMs) return
    judged.values[slot] = carried.value
    judged.sources[slot] = carried.source
  })
  return judged
}
