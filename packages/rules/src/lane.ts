/**
 * A lane folds measurements in order of measuredAt although they arrive out of order. `base` is the machine as it was before the
 * window, `head` as it is after it; a measurement in order costs one step of `head`, a late one folds the window again from
 * `base`. What was once told stays told: raises are pinned, so folding again may raise, and never un-raises.
 */
import type { EpochMs } from '@careloop/contract'
import { partOf } from './change.ts'
import type { CompiledRule } from './compiled.ts'
import { activate, copyMachine, deadlineOf, type Machine, newMachine, type Point, type Step, step } from './machine.ts'
import { droppable, isNoChange } from './rate-lane.ts'
import { NO, type Truth, truthOf, UNKNOWN, YES } from './truth.ts'

export interface Lane {
  base: Machine
  head: Machine
  /** Measurements after `base`, oldest first. */
  points: Point[]
  /** Event times of raises that were told and are not yet part of `base`. */
  pins: EpochMs[]
}

export type Told =
  | { readonly what: 'raised'; readonly at: EpochMs; readonly by: Machine }
  | { readonly what: 'cleared'; readonly at: EpochMs }
  | { readonly what: 'evidence-changed'; readonly at: EpochMs }

/** Bound of a lane's memory. Steady stretches take two points, so only flicker comes near it. */
export const maxPoints = 512

export const newLane = (): Lane => ({ base: newMachine(), head: newMachine(), points: [], pins: [] })

/** Whether the window no longer reaches back to `at`: such a measurement cannot be put in order any more. */
export const isBeforeWindow = (lane: Lane, at: EpochMs): boolean => at < lane.base.lastAt

/** Takes in one measurement, or the late part of one, and says what follows from it. */
export function take(lane: Lane, point: Point, rule: CompiledRule): readonly Told[] {
  const newest = lane.points.at(-1)
  const merged = mergeInto(lane, point)
  if (merged !== null) return foldAgain(lane, merged, rule)
  if (newest !== undefined && point.at < newest.at) {
    const isNews = !isIdle(lane, point, rule)
    insert(lane.points, point)
    if (!isNews) return nothing
    return foldAgain(lane, point, rule)
  }
  const due = deadlineOf(lane.head, rule)
  const timed = due < point.at ? [raiseByTimer(lane, due)] : nothing
  const { active: wasActive, raisedAt } = lane.head
  pullPins(lane, point.at)
  const outcome = step(lane.head, point, rule)
  push(lane, point, rule, wasActive)
  if (outcome === 'none') return timed
  if (outcome === 'cleared') return [...timed, { what: 'cleared', at: Math.max(point.at, raisedAt ?? point.at) }]
  lane.pins.push(point.at)
  return [...timed, { what: 'raised', at: point.at, by: copyMachine(lane.head) }]
}
const nothing: readonly Told[] = []

/**
 * A timer raised, and then came what was measured before its deadline: the raise was told first, so it is folded first. Else a
 * value that clears the alert would be undone when the window is folded again.
 */
function pullPins(lane: Lane, at: EpochMs): void {
  const { pins } = lane
  for (let i = pins.length - 1; i >= 0 && pins[i]! > at; i--) pins[i] = at - 0.5
}

/**
 * A timer of the rule ran out: the breach has stood for `hold.for` and nothing says otherwise. Its pin lies just before the
 * deadline, so that a reading measured at the deadline itself comes after it.
 */
export function raiseByTimer(lane: Lane, due: EpochMs): Told {
  activate(lane.head, due)
  lane.pins.push(due - 0.5)
  return { what: 'raised', at: due, by: copyMachine(lane.head) }
}

/** Takes in what waited at a gate, in order: measurements after all others that end nothing and begin nothing. */
export function takeWaiting(lane: Lane, waited: readonly Point[], horizon: EpochMs, rule: CompiledRule): void {
  waited.forEach((point, index) => {
    pullPins(lane, point.at)
    lane.head.lastAt = point.at
    // No three that wait are of one minute.
    if (index < 2) push(lane, point, rule, false)
    else lane.points.push(point)
  })
  compact(lane, horizon, rule)
}

/** Lets go of what is older than `horizon` or beyond the bound, by folding it into `base`. */
export function compact(lane: Lane, horizon: EpochMs, rule: CompiledRule): void {
  let gone = 0
  while (gone < lane.points.length) {
    const point = lane.points[gone]!
    if (point.at >= horizon && lane.points.length - gone <= maxPoints) break
    foldPoint(lane.base, point, lane.pins, rule, () => {})
    gone += 1
  }
  if (gone > 0) lane.points.splice(0, gone)
}

/** Readings of one measurement may come in two frames: the second completes the first. Returns the completed point. */
function mergeInto(lane: Lane, part: Point): Point | null {
  if (part.group === '' || part.values.length === 1) return null
  const whole = lane.points.findLast((point) => point.group === part.group && fits(point, part))
  if (whole === undefined) return null
  part.values.forEach((value, slot) => {
    if (value === undefined) return
    whole.values[slot] = value
    whole.sources[slot] = part.sources[slot]
  })
  return whole
}

const fits = (whole: Point, part: Point) =>
  part.values.every((value, slot) => value === undefined || whole.values[slot] === undefined)

/**
 * Whether a late measurement changes nothing: nothing was raised then, and it is well like the one before it. Most late ones are
 * like that, and folding the window again costs a thousand times more.
 */
function isIdle(lane: Lane, point: Point, rule: CompiledRule): boolean {
  const { base, head, points, pins } = lane
  if (rule.latest || rule.confirm !== null) return false
  if (rule.rate !== null) return !base.active && !head.active && pins.length === 0 && isNoChange(lane, point, rule)
  if (truthOf(rule.when, point.values) !== NO || rule.clearInARow > 1 || rule.clearForMs > 0) return false
  const raised = pins.findLast((pin) => pin <= point.at) ?? (base.active ? base.lastAt : null)
  let before = points.length - 1
  while (before >= 0 && points[before]!.at > point.at) before -= 1
  const isWell = before < 0 ? base.breachSince === null : truthOf(rule.when, points[before]!.values) === NO
  if (!isWell && rule.count === null) return false
  if (raised === null) return true
  // What was raised before had cleared by then.
  for (let i = before; i >= 0 && points[i]!.at > raised; i--)
    if (truthOf(rule.clear, points[i]!.values) === YES) return true
  return false
}

function insert(points: Point[], point: Point): void {
  let place = points.length
  while (place > 0 && points[place - 1]!.at > point.at) place -= 1
  points.splice(place, 0, point)
}

/** A steady stretch is kept as its first and its newest measurement: the same verdict, whatever lies between them. */
function push(lane: Lane, point: Point, rule: CompiledRule, wasActive: boolean): void {
  const { points } = lane
  const last = points.length - 1
  if (rule.rate !== null && !lane.head.active && !wasActive) {
    const drop = droppable(points, point.at, point.values[0], partOf(rule.rate.withinMs))
    if (drop >= 0) points.splice(drop, 1)
  } else if (
    rule.rate === null &&
    last >= 1 &&
    isSteady(lane, points[last - 1]!, points[last]!, point, rule, wasActive)
  ) {
    points[last] = point
    return
  }
  points.push(point)
}

/**
 * Steady stretches end with the minute of the clock, not so long after they began: then it does not matter to what is kept whether
 * measurements were folded one by one or had waited at a gate.
 */
export const stretchMs = 60_000
const isOneStretch = (first: Point, point: Point, spanMs: number) =>
  Math.floor(first.at / spanMs) === Math.floor(point.at / spanMs)

function isSteady(lane: Lane, first: Point, middle: Point, point: Point, rule: CompiledRule, wasActive: boolean) {
  if (!isOneStretch(first, point, stretchMs)) return false
  // What a latest value was completed with cannot be told from two points.
  if (rule.latest || lane.head.active !== wasActive || lane.head.clearSince !== null) return false
  // A good value that came too soon for a repeat decided nothing, the next one may.
  if (rule.confirm !== null && lane.head.breachSince !== null) return false
  const verdict = truthOf(rule.when, point.values)
  if (verdict === UNKNOWN || (verdict === YES) !== wasActive) return false
  const clear = truthOf(rule.clear, point.values)
  return isLike(first, verdict, clear, rule) && isLike(middle, verdict, clear, rule)
}

const isLike = (point: Point, verdict: Truth, clear: Truth, rule: CompiledRule) =>
  truthOf(rule.when, point.values) === verdict && truthOf(rule.clear, point.values) === clear

/** A span of the condition as folding finds it. `told`: a raise inside it was told before. */
interface Episode {
  /** Start of the breach that raised it. */
  readonly since: EpochMs
  readonly from: EpochMs
  to: EpochMs | null
  told: boolean
  readonly by: Machine | null
}

function foldAgain(lane: Lane, late: Point, rule: CompiledRule): readonly Told[] {
  const wasActive = lane.head.active
  const { machine, episodes } = fold(lane, rule)
  lane.head = machine
  const current = wasActive ? episodes.findLastIndex((episode) => episode.told) : -1
  const told = episodes.flatMap((episode, index): readonly Told[] => {
    const ended: readonly Told[] = episode.to === null ? nothing : [{ what: 'cleared', at: episode.to }]
    if (index === current) return ended
    if (episode.told) return nothing
    lane.pins.push(episode.from)
    // What is found to have happened before the alert that stands is evidence, not a second alert.
    if (index < current) return [{ what: 'evidence-changed', at: episode.from }]
    return [{ what: 'raised', at: episode.from, by: episode.by! }, ...ended]
  })
  if (!wasActive && machine.active && told.at(-1)?.what !== 'raised') {
    // The late reading shows that the condition had not cleared after all.
    told.push({ what: 'raised', at: machine.breachLast, by: copyMachine(machine) })
    lane.pins.push(machine.breachLast)
  }
  lane.pins.sort((a, b) => a - b)
  if (told.length === 0 && covers(episodes, late.at)) told.push({ what: 'evidence-changed', at: late.at })
  return told
}

function fold(lane: Lane, rule: CompiledRule): { machine: Machine; episodes: Episode[] } {
  const machine = copyMachine(lane.base)
  const episodes: Episode[] = []
  const open = (from: EpochMs, told: boolean) => {
    const by = told ? null : copyMachine(machine)
    episodes.push({ since: machine.breachSince ?? from, from, to: null, told, by })
  }
  if (machine.active) open(machine.raisedAt!, true)
  const pins = [...lane.pins]
  const visit: Visit = (what, at) => {
    const last = episodes.at(-1)
    if (what === 'cleared') last!.to = at
    else if (what === 'raised') open(at, false)
    else if (last !== undefined && last.to === null) Object.assign(last, { told: true })
    else open(Math.ceil(at), true)
  }
  for (const point of lane.points) foldPoint(machine, point, pins, rule, visit)
  passTime(machine, Number.POSITIVE_INFINITY, pins, rule, visit, false)
  return { machine, episodes }
}

type Visit = (what: Step | 'pinned', at: EpochMs) => void

/** One measurement with the time before it: the deadlines and pins that lie between it and its predecessor come first. */
function foldPoint(machine: Machine, point: Point, pins: EpochMs[], rule: CompiledRule, visit: Visit): void {
  passTime(machine, point.at, pins, rule, visit, true)
  const outcome = step(machine, point, rule)
  if (outcome !== 'none') visit(outcome, point.at)
  if (pins[0] !== point.at || outcome === 'cleared') return
  if (outcome === 'raised' || !machine.active) passPin(machine, pins, visit)
}

/** Timers after the newest measurement fire on log time, not here: `withTimers` is false there. */
function passTime(
  machine: Machine,
  until: EpochMs,
  pins: EpochMs[],
  rule: CompiledRule,
  visit: Visit,
  withTimers: boolean,
): void {
  for (;;) {
    const due = withTimers ? deadlineOf(machine, rule) : Number.POSITIVE_INFINITY
    const pin = pins[0] ?? Number.POSITIVE_INFINITY
    if (pin < until && pin <= due) passPin(machine, pins, visit)
    else if (due < until) {
      activate(machine, due)
      visit('raised', due)
    } else return
  }
}

function passPin(machine: Machine, pins: EpochMs[], visit: Visit): void {
  const pin = pins.shift()!
  if (!machine.active) activate(machine, Math.ceil(pin))
  visit('pinned', pin)
}

const covers = (episodes: readonly Episode[], at: EpochMs) =>
  episodes.some((episode) => at >= episode.since && (episode.to === null || at <= episode.to))
