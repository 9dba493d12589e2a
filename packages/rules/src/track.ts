/**
 * What is kept of one rule for one subject and focus: a lane for what happens now, and one for what comes too late for it. A
 * breach that runs from one into the other keeps its beginning.
 */
import type { EpochMs } from '@careloop/contract'
import { copyWindow } from './change.ts'
import type { CompiledRule } from './compiled.ts'
import type { Standing } from './handling.ts'
import { compact, isBeforeWindow, type Lane, newLane, raiseByTimer, type Told, take } from './lane.ts'
import { copyMachine, copyPoint, deadlineOf, type Machine, newMachine, type Point } from './machine.ts'
import { heardAt, type Source } from './rule.ts'
import type { Silence } from './silence.ts'
import { NO, truthOf, YES } from './truth.ts'

/** A rule as it stands for one subject. `from`/`to`: the enrolment's span [from, to) of measuredAt, null = open. */
export interface SubjectRule {
  readonly rule: string
  readonly version: number
  readonly enrolment: string
  readonly from: EpochMs
  readonly to: EpochMs | null
  readonly compiled: CompiledRule
  /** The override whose limits `compiled` has; absent = the program's own. */
  readonly override?: string
}

/** State of one rule for one subject and focus. */
export interface Track {
  readonly focus: string
  live: Lane
  /** Readings too late for `live`: a gateway's backfill. */
  late: Lane | null
  /** Log time when `late` was last added to, while its pending breach may yet have to be told. */
  lateHeard: EpochMs | null
  /** While the condition stands raised. */
  standing: Standing | null
}

export interface RuleState {
  readonly spec: SubjectRule
  tracks: Track[]
  /** Clocks of an absence rule. */
  silences: Silence[]
  /** When the signal that makes a rate rule rest was measured last. */
  restedAt: EpochMs | null
  /** The rule threw for this subject: it rests until its version or the enrolment changes. */
  failed: string | null
}

/** A reading older than this when a door heard it is historic: it pages nobody. Also how far back a late reading is put in order. */
export const historicAfterMs = 15 * 60_000
/** No reading is measured later than this after it is heard: what stands further ahead was told by a clock that went back since. */
export const aheadMs = 2 * 60_000
/** Foci of one rule and subject, e.g. probes of a fridge; more is a misconfiguration and fails the rule. */
export const maxFoci = 32

/** Takes in one measurement, in the lane where it belongs. */
export function takeInto(
  track: Track,
  point: Point,
  source: Source,
  rule: CompiledRule,
): { readonly told: readonly Told[]; readonly historic: boolean } {
  const heard = heardAt(source)
  const isLate = heard - point.at > historicAfterMs
  if (!isLate && clockWentBack(track.live, source)) beginAnew(track, point.at)
  const historic = isLate || isBeforeWindow(track.live, point.at)
  return {
    historic,
    told: historic ? takeLate(track, point, source.storedAt, rule) : takeLive(track, point, heard, rule),
  }
}

/** A reading that waited at its door may be older than what is known; the window's beginning lies long before any wait. */
const clockWentBack = ({ base, head }: Lane, source: Source): boolean =>
  base.lastAt > heardAt(source) + aheadMs || head.lastAt > Math.max(heardAt(source), source.storedAt) + aheadMs

/**
 * The clock went back: what was folded lies in a time that comes again. What is raised stays raised, a breach goes on with the
 * measurements it had and holds from `at` on; the window begins anew, so that nothing of now counts as found late.
 */
export function beginAnew(track: Track, at: EpochMs): void {
  const { head } = track.live
  const notAfter = (time: EpochMs | null) => (time === null ? null : Math.min(time, at))
  const base: Machine = {
    ...newMachine(),
    active: head.active,
    raisedAt: notAfter(head.raisedAt),
    breachSince: notAfter(head.breachSince),
    breachLast: Math.min(head.breachLast, at),
    row: head.row.map((time) => Math.min(time, at)),
    evidence: head.evidence.map(copyPoint),
    evidenceLeftOut: head.evidenceLeftOut,
    carry: head.carry.map((carried) => carried && { ...carried, at: Math.min(carried.at, at) }),
  }
  track.live = { base, head: copyMachine(base), points: [], pins: [] }
  track.late = null
}

function takeLive(track: Track, point: Point, heard: EpochMs, rule: CompiledRule): readonly Told[] {
  compact(track.live, heard - historicAfterMs, rule)
  if (track.late !== null) seed(track.live, track.late.head, point, rule)
  return take(track.live, point, rule)
}

function takeLate(track: Track, point: Point, now: EpochMs, rule: CompiledRule): readonly Told[] {
  track.lateHeard = now
  if (track.late === null || isBeforeWindow(track.late, point.at)) track.late = newLane()
  seed(track.late, track.live.head, point, rule)
  const told = take(track.late, point, rule)
  compact(track.late, Number.NEGATIVE_INFINITY, rule)
  return told
}

/**
 * A breach that began in a backfill goes on in the live stream, and the other way round: the lane that continues takes over
 * since when it stands, so that the hold does not begin anew. What the other lane knows of a later time than this one's newest
 * measurement counts, also when this one has a breach pending that the other took over from it.
 */
export function seed(lane: Lane, from: Machine, point: Point, rule: CompiledRule): void {
  const { head } = lane
  const follows = from.lastAt > head.lastAt && from.lastAt <= point.at && point.at - from.lastAt <= rule.linkMs
  if (!follows || head.active) return
  if (from.breachSince === null && from.window.length === 0) return
  if (head.breachSince !== null && (from.breachSince === null || from.breachSince > head.breachSince)) return
  if (lane.points.length > 0 && lane.points.at(-1)!.at > point.at) return
  // Told as historic there, so a measurement of now that still breaches must be able to raise it for now.
  const row = from.active
    ? from.evidence.map((each) => each.at).slice(-(rule.count?.atLeast ?? rule.hold.inARow))
    : from.row
  const { breachSince, breachLast, evidence, evidenceLeftOut, window } = from
  const seeded = () => ({
    ...{ breachSince, breachLast, evidenceLeftOut, row: [...row] },
    ...{ evidence: evidence.map(copyPoint), window: copyWindow(window) },
  })
  // Folding again starts at `base`: what lies before this point is settled now.
  compact(lane, Number.POSITIVE_INFINITY, rule)
  Object.assign(lane.base, seeded())
  Object.assign(head, seeded())
}

/** How long a backfill may pause before its pending breach is told: the next measurement may show that it ended. */
const settleMs = 2 * 60_000

/** When the pending breach of a backfill is told although nothing more comes; Infinity when there is none. */
export function lateDueOf({ late, lateHeard }: Track, rule: CompiledRule): EpochMs {
  if (late === null || lateHeard === null) return Number.POSITIVE_INFINITY
  return Math.max(deadlineOf(late.head, rule), lateHeard + settleMs)
}

/** The backfill ended with a breach whose hold would have run out: told as historic, unless the live stream knows better. */
export function settleLate(track: Track, rule: CompiledRule): readonly Told[] {
  const { late, live } = track
  track.lateHeard = null
  if (late === null) return []
  const due = deadlineOf(late.head, rule)
  const { breachSince, breachLast } = late.head
  if (due === Number.POSITIVE_INFINITY || breachSince === null) return []
  if (live.head.breachSince !== null && live.head.breachSince <= breachSince) return []
  const ends = ({ at, values }: Point) => at > breachLast && at <= due && truthOf(rule.when, values) === NO
  return live.points.some(ends) ? [] : [raiseByTimer(late, due)]
}

/**
 * A new version of a rule keeps what is raised raised, and what is pending pending, as far as it breaches the new limits too: an
 * edit between a crisis and its repeat, or within a hold, must not swallow it. The window begins anew.
 */
export function carryOver(track: Track, before: CompiledRule, after: CompiledRule): Track {
  const live = newLane()
  const { active, raisedAt, breachSince, breachLast, lastAt } = track.live.head
  const raised = { active, raisedAt, breachSince, breachLast, ...evidenceOf(track.live.head, before, after) }
  const kept = active ? raised : pendingOf(track.live.head, before, after)
  Object.assign(live.base, { lastAt }, kept)
  live.head = copyMachine(live.base)
  // How far a measurement lay beyond a limit means nothing to another limit.
  const standing = track.standing && { ...track.standing, worst: null }
  return { ...newTrack(track.focus), live, standing }
}

const hasSameSlots = (before: CompiledRule, after: CompiledRule): boolean =>
  JSON.stringify(before.signals) === JSON.stringify(after.signals)

/** What raised an alert, for when it is told again. */
const evidenceOf = ({ evidence, evidenceLeftOut }: Machine, before: CompiledRule, after: CompiledRule) =>
  hasSameSlots(before, after) ? { evidence: evidence.map(copyPoint), evidenceLeftOut } : {}

/** Of a breach that is not yet an alert: its newest unbroken stretch by the new limits. */
function pendingOf(head: Machine, before: CompiledRule, after: CompiledRule): Partial<Machine> {
  if (head.breachSince === null || before.rate !== null || after.rate !== null) return {}
  if (!hasSameSlots(before, after)) return {}
  const isBreach = ({ values }: Point) => truthOf(after.when, values) === YES
  const { evidence } = head
  const broken = after.count === null ? evidence.findLastIndex((point) => !isBreach(point)) : -1
  const points = evidence.slice(broken + 1).filter(isBreach)
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return {}
  const isWhole = points.length === evidence.length
  return {
    breachSince: isWhole && after.count === null ? head.breachSince : first.at,
    breachLast: last.at,
    row: points.map(({ at }) => at).slice(-(after.count?.atLeast ?? after.hold.inARow)),
    evidence: points.map(copyPoint),
    evidenceLeftOut: isWhole ? head.evidenceLeftOut : 0,
  }
}

export const newTrack = (focus: string): Track => ({
  ...{ focus, live: newLane(), late: null, lateHeard: null, standing: null },
})

export function trackOf({ tracks }: RuleState, focus: string): Track | null {
  for (const track of tracks) if (track.focus === focus) return track
  return null
}

export function trackFor(state: RuleState, focus: string): Track {
  const known = trackOf(state, focus)
  if (known !== null) return known
  if (state.tracks.length >= maxFoci) throw new RangeError(`a rule keeps at most ${maxFoci} foci`)
  const track = newTrack(focus)
  state.tracks.push(track)
  return track
}
