/**
 * A subject's state as JSON and back: what a checkpoint keeps. Absent slots are null in JSON. The format is versioned; older ones
 * are still read, a newer one is refused, and the evaluator then replays the log from its floor.
 */
import type { EpochMs } from '@careloop/contract'
import type { CompiledRule } from './compiled.ts'
import type { Standing } from './handling.ts'
import type { WatchedDevice } from './hearing.ts'
import type { Lane } from './lane.ts'
import { type Machine, newMachine, type Point } from './machine.ts'
import type { Source } from './rule.ts'
import type { Silence } from './silence.ts'
import type { RuleState, Track } from './track.ts'
import { NO, truthOf, type Usable } from './truth.ts'

/** 1: threshold rules only. 2: clocks, devices, what people did, overrides. */
const format = 2

/** What format 1 did not have is optional. */
type SavedTrack = Pick<Track, 'focus' | 'live' | 'late'> & Partial<Track>

interface SavedRule {
  readonly rule: string
  readonly version: number
  readonly enrolment: string
  readonly override?: string | null
  readonly from: EpochMs
  readonly to: EpochMs | null
  readonly failed: string | null
  readonly restedAt?: EpochMs | null
  readonly tracks: readonly SavedTrack[]
  readonly silences?: readonly Silence[]
}

export interface SavedState {
  readonly format: number
  readonly rules: readonly SavedRule[]
  readonly devices?: readonly WatchedDevice[] | null
}

export function saveState(rules: readonly RuleState[], devices: readonly WatchedDevice[] | null = null): SavedState {
  const saved = rules.map(({ spec, tracks, silences, restedAt, failed }): SavedRule => {
    const { rule, version, enrolment, from, to, override = null } = spec
    const savedTracks = tracks.map((track) => saveTrack(track, spec.compiled))
    return { rule, version, enrolment, override, from, to, failed, restedAt, tracks: savedTracks, silences }
  })
  return { format, rules: saved, devices }
}

const saveTrack = (track: Track, rule: CompiledRule): Track => ({
  ...track,
  live: saveLane(track.live, rule),
  late: track.late === null ? null : saveLane(track.late, rule),
})

const saveLane = (lane: Lane, rule: CompiledRule): Lane => ({
  ...lane,
  points: lane.points.map((point) => (canBeEvidence(point, rule) ? point : { ...point, sources: [] })),
})

/** Where a quiet measurement came from is asked by nobody: leaving it out more than halves a checkpoint. */
const canBeEvidence = (point: Point, rule: CompiledRule): boolean =>
  rule.latest || rule.rate !== null || truthOf(rule.when, point.values) !== NO

/**
 * @param saved as parsed from JSON
 * @param compiledOf the rule of that version with that override's limits (null: its own), which never changes
 * @param subject whose state it is, handed on to `compiledOf`
 * @returns null when the format is of a later version
 */
export function loadState(
  saved: SavedState,
  compiledOf: (rule: string, version: number, override: string | null, subject: string) => CompiledRule,
  subject: string,
): { rules: RuleState[]; devices: readonly WatchedDevice[] | null } | null {
  if (saved.format !== 1 && saved.format !== format) return null
  const rules = saved.rules.map((each): RuleState => {
    const { rule, version, enrolment, from, to, failed, restedAt = null } = each
    const override = each.override ?? null
    const compiled = compiledOf(rule, version, override, subject)
    const spec = { rule, version, enrolment, from, to, compiled, ...(override === null ? {} : { override }) }
    const tracks = each.tracks.map(loadTrack)
    return { spec, failed, restedAt, tracks, silences: (each.silences ?? []).map((silence) => ({ ...silence })) }
  })
  return { rules, devices: saved.devices ?? null }
}

const loadTrack = ({ focus, live, late, lateHeard = null, standing = null }: SavedTrack): Track => ({
  ...{ focus, live: loadLane(live), late: late === null ? null : loadLane(late), lateHeard },
  // Format 1 did not know what people did: what it had raised can be closed all the same.
  standing: standing === null ? (live.head.active ? unknownStanding() : null) : loadStanding(standing),
})

const unknownStanding = (): Standing => ({ rearm: null, worst: null, newest: null })

const loadStanding = ({ rearm, worst, newest }: Standing): Standing => ({
  ...{ rearm, worst: worst && [...worst], newest: newest && loadPoint(newest) },
})

const loadLane = (lane: Lane): Lane => ({
  base: loadMachine(lane.base),
  head: loadMachine(lane.head),
  points: lane.points.map(loadPoint),
  pins: lane.pins,
})

const loadMachine = (machine: Machine): Machine => ({
  ...newMachine(),
  ...machine,
  evidence: machine.evidence.map(loadPoint),
  carry: machine.carry.map((carried) => carried ?? undefined),
})

const loadPoint = (point: Point): Point => ({
  at: point.at,
  group: point.group,
  values: point.values.map((value: Usable | null | undefined) => value ?? undefined),
  sources: point.sources.map((source: Source | null | undefined) => source ?? undefined),
})
