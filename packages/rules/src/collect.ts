/** From the readings of one log entry to measurements, for each rule that reads them. */
import { isAbsent, type LoggedReading } from '@careloop/contract'
import type { Point } from './machine.ts'
import type { Source } from './rule.ts'
import type { RuleState } from './track.ts'
import type { Usable } from './truth.ts'

/** Rules of a subject by the signals they read. */
export type BySignal = Map<string, { readonly state: RuleState; readonly slot: number }[]>

/** Absent and implausible readings are no evidence, neither for nor against. */
export function pointsOf(
  bySignal: BySignal,
  readings: readonly LoggedReading[],
  source: Source,
): ReadonlyMap<RuleState, readonly Point[]> {
  const points = new Map<RuleState, Point[]>()
  for (const reading of inOrder(readings)) {
    const hits = bySignal.get(reading.signal)
    if (hits === undefined || isAbsent(reading.value) || reading.flags?.includes('implausible')) continue
    for (const hit of hits) collect(points, hit.state, hit.slot, reading, reading.value, source)
  }
  return points
}

/** Of many entries, in order of measuredAt. */
export function pointsByRule(
  bySignal: BySignal,
  entries: readonly { readonly readings: readonly LoggedReading[]; readonly source: Source }[],
): ReadonlyMap<RuleState, readonly Point[]> {
  const all = new Map<RuleState, Point[]>()
  for (const { readings, source } of entries)
    for (const [state, points] of pointsOf(bySignal, readings, source)) {
      const known = all.get(state)
      if (known === undefined) all.set(state, [...points])
      else known.push(...points)
    }
  for (const points of all.values()) points.sort((a, b) => a.at - b.at)
  return all
}

/** Readings of one measurement in one entry become one point: by groupId, else by their common time. */
function collect(
  points: Map<RuleState, Point[]>,
  state: RuleState,
  slot: number,
  reading: LoggedReading,
  value: Usable,
  source: Source,
): void {
  const group = reading.groupId ?? ''
  const list = points.get(state)
  const same = list?.find(
    (point) =>
      point.group === group && (group !== '' || point.at === reading.measuredAt) && point.values[slot] === undefined,
  )
  if (same !== undefined) {
    same.values[slot] = value
    same.sources[slot] = source
    return
  }
  const width = state.spec.compiled.signals.length
  const point: Point = { at: reading.measuredAt, group, values: new Array(width), sources: new Array(width) }
  point.values[slot] = value
  point.sources[slot] = source
  if (list === undefined) points.set(state, [point])
  else list.push(point)
}

function inOrder(readings: readonly LoggedReading[]): readonly LoggedReading[] {
  for (let i = 1; i < readings.length; i++) {
    if (readings[i]!.measuredAt < readings[i - 1]!.measuredAt) {
      return readings.toSorted((a, b) => a.measuredAt - b.measuredAt)
    }
  }
  return readings
}
