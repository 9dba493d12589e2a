/**
 * What people did about an alert, as far as it changes what is told: closed while its condition stands, it is told again only as
 * they chose. Closed after it cleared nothing is pending, and the next breach is told like the first.
 */
import type { EpochMs } from '@careloop/contract'
import { type CompiledRule, excessOf } from './compiled.ts'
import { copyPoint, type Machine, type Point } from './machine.ts'

/** When an alert closed while active may be told again. `cleared`: once its condition has ended and comes back. */
export type Rearm =
  | { readonly until: 'cleared' }
  | { readonly until: 'worse' }
  | { readonly until: 'time'; readonly at: EpochMs }

/** Kept while a condition stands raised. */
export interface Standing {
  rearm: Rearm | null
  /** The farthest that a measurement lay beyond each limit; null where none did. Null as a whole: not known, of another version. */
  worst: (number | null)[] | null
  /** Newest breaching measurement. */
  newest: Point | null
}

export const newStanding = (by: Machine, rule: CompiledRule): Standing => {
  const standing: Standing = { rearm: null, worst: null, newest: null }
  const points = rule.rate === null ? by.evidence : by.evidence.slice(-1)
  for (const point of points) note(standing, point, by, rule)
  return standing
}

/**
 * Takes in a measurement while the condition stands.
 * @returns whether it tells a closed alert again, since it is worse by a step
 */
export function isToldAgain(standing: Standing, point: Point, head: Machine, rule: CompiledRule): boolean {
  const before = standing.worst
  if (standing.rearm?.until !== 'worse' || before === null) {
    note(standing, point, head, rule)
    return false
  }
  // What counts as worse is measured from the worst that was known at closing, not from step to step.
  const excess = excesses(point, head, rule)
  if (excess === null) return false
  keepNewest(standing, point)
  if (!excess.some((by, at) => by !== null && isStepWorse(by, before[at] ?? null, rule.worseBy?.[at]))) return false
  note(standing, point, head, rule)
  standing.rearm = null
  return true
}

/** A limit that nothing had breached before is worse by itself. */
const isStepWorse = (by: number, worst: number | null, step: number | undefined): boolean =>
  worst === null || (step === undefined ? by > worst : by - worst >= step - 1e-9)

function note(standing: Standing, point: Point, head: Machine, rule: CompiledRule): void {
  const excess = excesses(point, head, rule)
  if (excess === null) return
  standing.worst = excess.map((by, index) => {
    const known = standing.worst?.[index] ?? null
    return by === null || (known !== null && known > by) ? known : by
  })
  keepNewest(standing, point)
}

/** How far a measurement lies beyond each limit, null when it lies beyond none. */
function excesses(point: Point, head: Machine, rule: CompiledRule): (number | null)[] | null {
  const all = rule.rate === null ? excessOf(rule, point.values) : changeOf(point, head, rule.rate.by)
  return all.some((by) => by !== null) ? all : null
}

const changeOf = (point: Point, { lastAt, change }: Machine, by: number): (number | null)[] => [
  lastAt === point.at && change > 0 && change >= by - 1e-9 ? change - by : null,
]

/** The second half of a measurement completes the first. */
function keepNewest(standing: Standing, point: Point): void {
  const { newest } = standing
  if (newest !== null && newest.at > point.at) return
  const isSame = newest !== null && point.group !== '' && newest.group === point.group
  const kept = isSame ? newest : copyPoint(point)
  if (isSame)
    point.values.forEach((value, slot) => {
      if (value === undefined) return
      kept.values[slot] = value
      kept.sources[slot] = point.sources[slot]
    })
  standing.newest = kept
}

/** Whose alert was handled: closing keeps the choice, an undo forgets it. */
export function handle(standing: Standing, what: 'acknowledged' | 'closed', rearm: Rearm | null): void {
  standing.rearm = what === 'closed' ? (rearm ?? { until: 'cleared' }) : null
}
