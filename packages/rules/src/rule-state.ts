/** How one rule stands for one subject: what of it goes on under another configuration, what it covers, when it rests. */
import type { EpochMs } from '@careloop/contract'
import { carryOverSilences } from './absences.ts'
import type { Rearm } from './handling.ts'
import { deadlineOf, type Point } from './machine.ts'
import type { AbsenceRule } from './rule.ts'
import { patienceMs, type Silence } from './silence.ts'
import type { SubjectState } from './subject-state.ts'
import { carryOver, lateDueOf, type RuleState, type SubjectRule, type Track } from './track.ts'

/** Whether what a rule has raised goes on under another configuration: its kind and its foci stay. */
export const goesOn = ({ spec }: RuleState, next: SubjectRule): boolean =>
  spec.rule === next.rule &&
  spec.enrolment === next.enrolment &&
  spec.compiled.isAbsence === next.compiled.isAbsence &&
  spec.compiled.perDevice === next.compiled.perDevice

export function stateOf(spec: SubjectRule, before: SubjectState | undefined): RuleState {
  const fresh: RuleState = { spec, tracks: [], silences: [], restedAt: null, failed: null }
  const old = before?.rules.find((state) => goesOn(state, spec))
  if (old === undefined) return fresh
  const { version, override, compiled } = old.spec
  if (version === spec.version && override === spec.override) return { ...old, spec }
  // Of an edited owner, action or time limit nothing is judged otherwise.
  if (old.failed === null && JSON.stringify(compiled.body) === JSON.stringify(spec.compiled.body))
    return { ...old, spec }
  const tracks = old.tracks.map((track) => carryOver(track, compiled, spec.compiled))
  return { ...fresh, tracks, silences: carryOverSilences(old, fresh) }
}

/** Silence cannot get worse but by going on: by the rule's own span. */
export function silentAgainAt({ spec }: RuleState, rearm: Rearm | null, at: EpochMs): EpochMs | null {
  if (rearm?.until === 'time') return rearm.at
  const { body } = spec.compiled
  return rearm?.until === 'worse' && body.kind === 'absence' ? at + body.afterMs : null
}

/** Whether the enrolment covers what was measured then. */
export const isIn = ({ spec: { from, to } }: RuleState, at: EpochMs): boolean => at >= from && (to === null || at < to)

/** Where the contact of a door is heard, what the air does is no news: the rule rests. */
export function rests(state: RuleState, { at, values }: Point): boolean {
  const { rate } = state.spec.compiled
  if (rate === null || rate.restSlot < 0) return false
  if (values[rate.restSlot] !== undefined) state.restedAt = Math.max(state.restedAt ?? at, at)
  if (values[0] === undefined) return values[rate.restSlot] !== undefined
  const isHeard = state.restedAt !== null && Math.abs(at - state.restedAt) <= rate.restMs
  // What is raised already must be able to clear.
  return isHeard && !state.tracks.some((track) => track.live.head.active)
}

const never = Number.POSITIVE_INFINITY

/** When something happens to a track by time alone: a hold ends, a late one is settled, it is told again, its enrolment is over. */
export function trackDue({ spec: { compiled, to } }: RuleState, track: Track): EpochMs {
  const { live, standing } = track
  const end = live.head.active && to !== null ? to : never
  const rearm = standing?.rearm?.until === 'time' ? standing.rearm.at : never
  return Math.min(end, rearm, deadlineOf(live.head, compiled), lateDueOf(track, compiled))
}

/** The same of a silence: its clock runs out, or has stood for as long as it may. */
export function silenceDue({ spec: { compiled, to } }: RuleState, silence: Silence): EpochMs {
  const { active, due, pausedAt, rearmAt } = silence
  const standing = due !== null && pausedAt !== null ? due + patienceMs((compiled.body as AbsenceRule).afterMs) : null
  const clock = active ? rearmAt : (standing ?? due)
  const end = active || due !== null ? (to ?? never) : never
  return Math.min(clock ?? never, end)
}
