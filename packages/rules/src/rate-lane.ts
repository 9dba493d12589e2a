/** The lane of a rate rule: what is kept of a changing signal, and the short way for a change that is none. */
import type { LoggedReading } from '@careloop/contract'
import { lowOf, partOf, passWindow } from './change.ts'
import type { CompiledRate, CompiledRule } from './compiled.ts'
import { compact, type Lane } from './lane.ts'
import type { Point } from './machine.ts'
import { heardAt, type Source } from './rule.ts'
import { aheadMs, historicAfterMs, type RuleState, type Track, trackOf } from './track.ts'

/** 5.1 less 3.6 is 1.4999999999999996 to a computer. */
export const arithmeticNoise = 1e-9

/**
 * Which point may go when one more comes: of a changing signal the lowest, the highest and the newest of each part of its window
 * are kept, since those make a change. -1: none.
 */
export function droppable(points: readonly Point[], at: number, newest: unknown, partMs: number): number {
  const first = points.length - 3
  if (first < 0 || Math.floor(points[first]!.at / partMs) !== Math.floor(at / partMs)) return -1
  const a = points[first]!.values[0]
  const b = points[first + 1]!.values[0]
  const c = points[first + 2]!.values[0]
  if (typeof a !== 'number' || typeof b !== 'number' || typeof c !== 'number' || typeof newest !== 'number') return -1
  const low = Math.min(a, b, c, newest)
  const high = Math.max(a, b, c, newest)
  if ((a !== low && a !== high) || a === b || a === c) return first
  return (b !== low && b !== high) || b === c ? first + 1 : first + 2
}

/**
 * Takes in a reading that rises by less than the rule minds, while nothing is raised: what the long way would do, without a word.
 * @returns false when the long way must be gone; nothing is changed then
 */
export function takeQuietly(state: RuleState, reading: LoggedReading, source: Source): boolean {
  const { compiled, from, to } = state.spec
  const { rate } = compiled
  const { value, measuredAt: at, flags } = reading
  if (rate === null || state.failed !== null || compiled.signals.length > 1) return false
  if (typeof value !== 'number' || flags !== undefined || at < from || (to !== null && at >= to)) return false
  const heard = heardAt(source)
  if (heard - at > historicAfterMs || at - heard > aheadMs) return false
  const track = trackOf(state, compiled.perDevice ? source.device : '')
  if (track === null || !isQuiet(track, at)) return false
  const { live } = track
  const low = lowOf(live.head.window, at, rate)
  const change = low === null ? 0 : Math.max(0, value * rate.sign - low.value)
  if (low !== null && change + arithmeticNoise >= rate.by) return false
  compact(live, heard - historicAfterMs, compiled)
  passWindow(live.head.window, at, value, source, rate)
  live.head.change = change
  live.head.lastAt = at
  keep(live, at, value, reading.groupId ?? '', source, rate)
  return true
}

function isQuiet({ live, late }: Track, at: number): boolean {
  const { head, pins } = live
  if (head.active || head.breachSince !== null || at < head.lastAt) return false
  if (pins.length > 0 && pins[pins.length - 1]! > at) return false
  return late === null || late.head.lastAt <= head.lastAt
}

/** The point that goes becomes the one that comes: nothing quiet is anybody's evidence. */
function keep({ points }: Lane, at: number, value: number, group: string, source: Source, rate: CompiledRate): void {
  const drop = droppable(points, at, value, partOf(rate.withinMs))
  if (drop < 0) {
    points.push({ at, group, values: [value], sources: [source] })
    return
  }
  const kept = points[drop]!
  const last = points.length - 1
  for (let i = drop; i < last; i++) points[i] = points[i + 1]!
  points[last] = kept
  kept.at = at
  kept.group = group
  kept.values[0] = value
  kept.sources[0] = source
}

/** Whether a late value makes no change with any value around it, and is no low of what is still to come. */
export function isNoChange(lane: Lane, { at, values }: Point, { rate }: CompiledRule): boolean {
  const value = values[0]
  if (typeof value !== 'number' || rate === null) return false
  const { sign, by, withinMs } = rate
  const reach = withinMs + partOf(withinMs)
  const least = by - arithmeticNoise
  const mine = value * sign
  for (const low of lane.base.window) if (at - low.until <= withinMs && mine - low.value >= least) return false
  for (const point of lane.points) {
    const other = point.values[0]
    if (Math.abs(point.at - at) > reach) continue
    if (typeof other !== 'number') return false
    if ((point.at <= at ? mine - other * sign : other * sign - mine) >= least) return false
  }
  return lane.head.lastAt - at > reach || lane.head.window.some((low) => low.until >= at && low.value <= mine)
}
