/** From the readings of one log entry to measurements, for each rule that reads them. */
import { isAbsent, type LoggedReading } from '@careloop/contract'
import type { Gate, GateKeeper } from './gate.ts'
import type { Point } from './machine.ts'
import { takeQuietly } from './rate-lane.ts'
import type { Source } from './rule.ts'
import { deviceGate, type SignalReaders, type SubjectState } from './subject-state.ts'
import type { RuleState } from './track.ts'
import type { Usable } from './truth.ts'

export type PointsByRule = Map<RuleState, Point[]>

/** What of an entry does not wait at a gate. */
export interface Collected {
  readonly points: PointsByRule
  /** Whether any rule reads any of it. */
  readonly isRead: boolean
  /** Whether an absence rule is to hear of the entry. */
  readonly isNews: boolean
  /** Of no news: whether it may show that a device measures other things than a rule waits for. */
  readonly isOfOthers: boolean
  /** Whether a gate was closed, to be opened when all is judged. */
  readonly isClosed: boolean
}

const noPoints: PointsByRule = new Map()

/** Absent and implausible readings are no evidence, neither for nor against. */
export function collectEntry(
  subject: SubjectState,
  readings: readonly LoggedReading[],
  source: Source,
  keeper: GateKeeper,
): Collected {
  let points = noPoints
  let isHeard = false
  let isNews = false
  let isRead = false
  let isClosed = false
  let isOfOthers = false
  for (const reading of inOrder(readings)) {
    const readers = subject.bySignal.get(reading.signal)
    if (readers === undefined) continue
    const { gate } = readers
    const own = deviceGate(readers, source.device, keeper)
    const waits = gate === null || gate.pass(reading, source)
    const waitsOwn = own === null || own.pass(reading, source)
    const isShort = waits && waitsOwn
    // What waits is a number without a flag.
    if ((!isShort || readers.direct.length > 0) && !isUsable(reading)) continue
    isRead = true
    if (readers.isAwaited) {
      if (isShort) isHeard = true
      else isNews = true
      if (readers.isOfOthers) isOfOthers = true
    }
    if (isShort && readers.direct.length === 0) continue
    if (points === noPoints && (!waits || !waitsOwn)) points = new Map()
    if (!waits || !waitsOwn) isClosed = true
    if (!waits) byTheLongWay(points, gate, reading, source, keeper)
    if (!waitsOwn) byTheLongWay(points, own, reading, source, keeper)
    for (const { state, slot } of readers.direct) {
      // In order: not past a reading of this entry that is still to be judged.
      if (!points.has(state) && takenQuietly(state, reading, source, keeper)) continue
      if (points === noPoints) points = new Map()
      collect(points, state, slot, reading, reading.value as Usable, source)
    }
  }
  return { points, isRead, isNews: isNews || !isHeard, isOfOthers, isClosed }
}

/** What waits is older, and comes first; until this reading is judged nothing more may wait. */
function byTheLongWay(points: PointsByRule, gate: Gate, reading: LoggedReading, source: Source, keeper: GateKeeper) {
  gate.settle(keeper)
  gate.close()
  for (const state of gate.rules) collect(points, state, 0, reading, reading.value as Usable, source)
}

/** Of many entries, in order of measuredAt. */
export function pointsByRule(
  bySignal: ReadonlyMap<string, SignalReaders>,
  entries: readonly { readonly readings: readonly LoggedReading[]; readonly source: Source }[],
): ReadonlyMap<RuleState, readonly Point[]> {
  const all: PointsByRule = new Map()
  for (const { readings, source } of entries) {
    const points: PointsByRule = new Map()
    for (const reading of inOrder(readings)) {
      const readers = bySignal.get(reading.signal)
      if (readers === undefined || !isUsable(reading)) continue
      const value = reading.value as Usable
      for (const { state, slot } of readers.direct) collect(points, state, slot, reading, value, source)
      for (const state of [...(readers.gate?.rules ?? []), ...readers.plainPerDevice])
        collect(points, state, 0, reading, value, source)
    }
    for (const [state, each] of points) all.set(state, [...(all.get(state) ?? []), ...each])
  }
  for (const points of all.values()) points.sort((a, b) => a.at - b.at)
  return all
}

export const isUsable = (reading: LoggedReading): boolean =>
  !isAbsent(reading.value) && !reading.flags?.includes('implausible')

function takenQuietly(state: RuleState, reading: LoggedReading, source: Source, keeper: GateKeeper): boolean {
  try {
    return takeQuietly(state, reading, source)
  } catch (error) {
    keeper.fail(state, reading.measuredAt, error)
    return true
  }
}

/** Readings of one measurement in one entry become one point: by groupId, else by their common time. */
function collect(
  points: PointsByRule,
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
