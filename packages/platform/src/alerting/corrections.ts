/**
 * A corrected assignment, worked through at its place in the log: whose readings moved, which alerts that makes wrong, and what
 * the rules say now. Nothing is written here; docs/adr/0007-corrections-and-alerts.md says why it may read what it reads.
 */
import type { AssignmentChanged, EpochMs } from '@careloop/contract'
import type { Evaluator, SubjectRule, Transition } from '@careloop/rules'
import type { Engine } from '../engine/index.ts'
import { type CorrectionPlace, LogHistory, lookBackMs, type Moved } from './log-history.ts'
import { findMarks, type Mark } from './wrong-subject.ts'

export interface Corrected {
  readonly marks: readonly Mark[]
  /** Beside those that the evaluator itself tells. */
  readonly transitions: readonly Transition[]
}

/**
 * Puts the evaluator right about everybody whom the correction concerns.
 * @param storedAt of the correction
 */
export async function workThrough(
  engine: Engine,
  evaluator: Evaluator,
  change: AssignmentChanged,
  place: CorrectionPlace,
  storedAt: EpochMs,
): Promise<Corrected> {
  const history = new LogHistory(engine.log, change, place)
  const moved = await history.moved()
  const subjects = [...new Set([...moved.lost.keys(), ...moved.gained.keys()])].sort()
  const watched = new Set(subjects.filter((subject) => moved.lost.has(subject) && evaluator.has(subject)))
  const own = watched.size > 0 ? await history.own(watched) : new Map()
  for (const subject of subjects)
    evaluator.correct({
      ...{ subject, device: change.device, at: storedAt, from: change.since - lookBackMs },
      own: own.get(subject) ?? [],
      lost: moved.lost.get(subject) ?? [],
      gained: moved.gained.get(subject) ?? [],
    })
  return { marks: await findMarks(engine, change), transitions: notJudged(evaluator, change, moved, storedAt) }
}

/**
 * Readings older than the log went to somebody and no rule has seen them there: whoever answers for that person is told, once
 * for each enrolment, instead of nobody.
 */
function notJudged(evaluator: Evaluator, change: AssignmentChanged, { logBegins }: Moved, at: EpochMs): Transition[] {
  if (logBegins === null) return []
  const told: Transition[] = []
  for (const span of change.assignments) {
    const from = Math.max(span.from, change.since)
    const to = Math.min(span.to ?? Number.POSITIVE_INFINITY, logBegins)
    const enrolments = new Map<string, SubjectRule>()
    for (const { spec } of evaluator.state(span.subject) ?? [])
      if (spec.from < to && (spec.to === null || spec.to > from) && !enrolments.has(spec.enrolment))
        enrolments.set(spec.enrolment, spec)
    if (from >= to) continue
    for (const { rule, version, enrolment } of enrolments.values()) {
      const about = { subject: span.subject, rule, version, enrolment, focus: 'technical' }
      if (!told.some((each) => each.enrolment === enrolment))
        told.push({ what: 'not-judged', ...about, at, historic: true, byCorrection: true })
    }
  }
  return told
}
