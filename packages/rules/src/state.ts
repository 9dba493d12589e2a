/**
 * A subject's state as JSON and back: what a checkpoint keeps. Absent slots are null in JSON. The format is versioned; a state of
 * another format is refused, and the evaluator then replays the log from its floor.
 */
import type { EpochMs } from '@careloop/contract'
import type { Lane } from './lane.ts'
import type { CompiledRule, Machine, Point } from './machine.ts'
import type { Source } from './rule.ts'
import type { RuleState, Track } from './track.ts'
import { NO, truthOf, type Usable } from './truth.ts'

const format = 1

interface SavedRule {
  readonly rule: string
  readonly version: number
  readonly enrolment: string
  readonly from: EpochMs
  readonly to: EpochMs | null
  readonly failed: string | null
  readonly tracks: Track[]
}

export interface SavedState {
  readonly format: number
  readonly rules: readonly SavedRule[]
}

export function saveState(rules: readonly RuleState[]): SavedState {
  return {
    format,
    rules: rules.map(({ spec, tracks, failed }) => {
      const { rule, version, enrolment, from, to } = spec
      const saved = tracks.map((track) => saveTrack(track, spec.compiled))
      return { rule, version, enrolment, from, to, failed, tracks: saved }
    }),
  }
}

const saveTrack = ({ focus, live, late }: Track, rule: CompiledRule): Track => ({
  focus,
  live: saveLane(live, rule),
  late: late === null ? null : saveLane(late, rule),
})

const saveLane = (lane: Lane, rule: CompiledRule): Lane => ({
  ...lane,
  points: lane.points.map((point) => (canBeEvidence(point, rule) ? point : { ...point, sources: [] })),
})

/** Where a quiet measurement came from is asked by nobody: leaving it out more than halves a checkpoint. */
const canBeEvidence = (point: Point, rule: CompiledRule): boolean =>
  rule.body.match === 'latest' || truthOf(rule.when, point.values) !== NO

/**
 * @param saved as parsed from JSON
 * @param compiledOf the rule of that version, which never changes
 * @returns null when the format is another one
 */
export function loadState(
  saved: SavedState,
  compiledOf: (rule: string, version: number) => CompiledRule,
): RuleState[] | null {
  if (saved.format !== format) return null
  return saved.rules.map(({ rule, version, enrolment, from, to, failed, tracks }) => ({
    spec: { rule, version, enrolment, from, to, compiled: compiledOf(rule, version) },
    failed,
    tracks: tracks.map((track) => ({
      focus: track.focus,
      live: loadLane(track.live),
      late: track.late === null ? null : loadLane(track.late),
    })),
  }))
}

const loadLane = (lane: Lane): Lane => ({
  base: loadMachine(lane.base),
  head: loadMachine(lane.head),
  points: lane.points.map(loadPoint),
  pins: lane.pins,
})

const loadMachine = (machine: Machine): Machine => ({
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
