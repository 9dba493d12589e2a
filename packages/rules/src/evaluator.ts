/**
 * The incremental evaluator: readings and log time in, transitions out. All it knows came through its one ordered input, so a
 * replay of that input from any saved state gives the same transitions. A subject without rules costs one map look-up.
 */
import type { EpochMs, LoggedReading } from '@careloop/contract'
import { type BySignal, pointsByRule, pointsOf } from './collect.ts'
import { type SubjectCorrection, withGained, withoutLost } from './correction.ts'
import { newLane, raiseByTimer, type Told } from './lane.ts'
import { copyPoint, deadlineOf, type Machine, type Point } from './machine.ts'
import { heardAt, type Source } from './rule.ts'
import {
  aheadMs,
  beginAnew,
  carryOver,
  historicAfterMs,
  type RuleState,
  type SubjectRule,
  type Track,
  takeInto,
  trackFor,
} from './track.ts'

/** What the evaluator tells (`not-judged` its caller: readings came that the log no longer has). `at` is event time; `historic`: found too late to page anybody. */
export interface Transition {
  readonly what: 'raised' | 'cleared' | 'evidence-changed' | 'rule-failed' | 'not-judged'
  readonly subject: string
  readonly rule: string
  readonly version: number
  readonly enrolment: string
  readonly focus: string
  readonly at: EpochMs
  readonly historic: boolean
  /** For `cleared`: nobody said that it is well, the enrolment ended or the rule went. */
  readonly why?: 'no-longer-watched'
  /** Found by correcting who wore a device. */
  readonly byCorrection?: true
  /** For `raised`: since when it stood, and the measurements that show it. */
  readonly breach?: { readonly since: EpochMs; readonly points: readonly Point[]; readonly leftOut: number }
  /** For `evidence-changed`: the late measurement. */
  readonly late?: Point
  /** For `rule-failed`: the error's name, never values. */
  readonly error?: string
}

export interface SubjectState {
  readonly subject: string
  readonly rules: RuleState[]
  readonly bySignal: BySignal
}

export class Evaluator {
  readonly #subjects = new Map<string, SubjectState>()
  readonly #deadlines = new Map<Track, { due: EpochMs; subject: SubjectState; state: RuleState }>()
  readonly #changed = new Set<string>()
  #nextDue = Number.POSITIVE_INFINITY
  #out: Transition[] = []
  #now: EpochMs = 0

  /** Log time: the newest storedAt or tick seen; after a clock was put right, what it says since. */
  get now(): EpochMs {
    return this.#now
  }

  has(subject: string): boolean {
    return this.#subjects.has(subject)
  }

  /** Sets the rules that stand for a subject; state of rules whose version stays is kept. No rules = the subject is let go. */
  configure(subject: string, specs: readonly SubjectRule[]): void {
    const before = this.#subjects.get(subject)
    this.#forget(subject)
    this.#changed.add(subject)
    for (const state of before?.rules ?? []) {
      const stays = specs.some((spec) => spec.rule === state.spec.rule && spec.enrolment === state.spec.enrolment)
      if (!stays) for (const track of state.tracks) this.#end(before!, state, track, this.#now)
    }
    if (specs.length === 0) return
    const rules = specs.map((spec): RuleState => {
      const old = before?.rules.find(
        (state) => state.spec.rule === spec.rule && state.spec.enrolment === spec.enrolment,
      )
      if (old === undefined) return { spec, tracks: [], failed: null }
      if (old.spec.version === spec.version) return { spec, tracks: old.tracks, failed: old.failed }
      return { spec, tracks: old.tracks.map(carryOver), failed: null }
    })
    this.restore(subject, rules)
  }

  /** Puts back what `state` gave, e.g. from a checkpoint. */
  restore(subject: string, rules: RuleState[]): void {
    const bySignal: BySignal = new Map()
    for (const state of rules) {
      state.spec.compiled.signals.forEach((signal, slot) => {
        const entries = bySignal.get(signal) ?? []
        entries.push({ state, slot })
        bySignal.set(signal, entries)
      })
    }
    const restored = { subject, rules, bySignal }
    this.#subjects.set(subject, restored)
    for (const state of rules) for (const track of state.tracks) this.#watch(restored, state, track)
  }

  state(subject: string): readonly RuleState[] | null {
    return this.#subjects.get(subject)?.rules ?? null
  }

  subjects(): readonly string[] {
    return [...this.#subjects.keys()]
  }

  /** Subjects whose state changed since the last call. */
  takeChanged(): readonly string[] {
    const changed = [...this.#changed]
    this.#changed.clear()
    return changed
  }

  takeTransitions(): readonly Transition[] {
    const out = this.#out
    if (out.length > 0) this.#out = []
    return out
  }

  /** Readings of one log entry. Absent and implausible ones are no evidence, neither for nor against. */
  readings(subject: string, readings: readonly LoggedReading[], source: Source): void {
    const known = this.#subjects.get(subject)
    if (known === undefined) return
    const points = pointsOf(known.bySignal, readings, source)
    if (points.size === 0) return
    this.#changed.add(subject)
    for (const [state, list] of points) for (const point of list) this.#take(known, state, point, source)
  }

  /** Readings of a device were given to or taken from a subject. */
  correct(correction: SubjectCorrection): void {
    const known = this.#subjects.get(correction.subject)
    if (known === undefined) return
    this.#changed.add(correction.subject)
    const lost = pointsByRule(known.bySignal, correction.lost)
    const gained = pointsByRule(known.bySignal, correction.gained)
    const own = pointsByRule(
      known.bySignal,
      correction.own.map(({ readings, source }) => ({
        source,
        readings: readings.filter((reading) => heardAt(source) - reading.measuredAt <= historicAfterMs),
      })),
    )
    for (const state of known.rules) {
      if (state.failed !== null || !(lost.has(state) || gained.has(state))) continue
      const isPerDevice = state.spec.compiled.body.per === 'device'
      const ofFocus = (points: readonly Point[]) =>
        points.filter(
          (point) =>
            isIn(state, point.at) && (!isPerDevice || point.sources.some((s) => s?.device === correction.device)),
        )
      const parts = [lost, own, gained].map((each) => ofFocus(each.get(state) ?? []))
      this.#correctRule(known, state, isPerDevice ? correction.device : '', parts, correction)
    }
  }

  #correctRule(
    subject: SubjectState,
    state: RuleState,
    focus: string,
    [lost = [], own = [], gained = []]: readonly (readonly Point[])[],
    { at, from }: SubjectCorrection,
  ): void {
    const { compiled } = state.spec
    try {
      const track = trackFor(state, focus)
      const outcomes = [
        ...(lost.length > 0 ? [withoutLost(track, own, { at, from }, compiled)] : []),
        ...(gained.length > 0 ? [withGained(track, gained, at, compiled)] : []),
      ]
      for (const { told, historic } of outcomes) this.#tell(subject, state, track, told, historic, null, true)
      this.#watch(subject, state, track)
    } catch (error) {
      this.#fail(subject, state, at, error)
    }
  }

  /** Time of the log passed: fires timers whose deadline lies before `now`. Call after the entries of a commit. */
  advance(now: EpochMs): void {
    if (this.#now - now > aheadMs) this.#stepBack(now)
    else if (now > this.#now) this.#now = now
    if (this.#now <= this.#nextDue) return
    const due = [...this.#deadlines].filter(([, watched]) => watched.due < this.#now)
    due.sort(([, a], [, b]) => a.due - b.due || (a.subject.subject < b.subject.subject ? -1 : 1))
    for (const [track, { due: at, subject, state }] of due) {
      this.#changed.add(subject.subject)
      const { to } = state.spec
      if (to !== null && at >= to) this.#end(subject, state, track, to)
      else this.#tell(subject, state, track, [raiseByTimer(track.live, at)], false, null)
      this.#watch(subject, state, track)
    }
    this.#findNextDue()
  }

  /** Nothing is watched any more: what stands raised would stand for ever, and what is pending is nobody's. */
  #end(subject: SubjectState, state: RuleState, track: Track, at: EpochMs): void {
    const { active } = track.live.head
    track.live = newLane()
    track.late = null
    if (!active) return
    const { focus } = track
    const transition = { what: 'cleared', ...about(subject, state), focus, at, historic: false } as const
    this.#out.push({ ...transition, why: 'no-longer-watched' })
  }

  /** A hold that began in a time that has yet to come would not end before that time comes again: it begins anew. */
  #stepBack(now: EpochMs): void {
    this.#now = now
    for (const [track, { subject, state }] of this.#deadlines) {
      if (track.live.head.lastAt <= now + aheadMs) continue
      this.#changed.add(subject.subject)
      beginAnew(track, now)
      this.#watch(subject, state, track)
    }
    this.#findNextDue()
  }

  #take(subject: SubjectState, state: RuleState, point: Point, source: Source): void {
    const { compiled } = state.spec
    if (state.failed !== null || !isIn(state, point.at)) return
    try {
      const track = trackFor(state, compiled.body.per === 'device' ? source.device : '')
      const { told, historic } = takeInto(track, point, source, compiled)
      if (told.length > 0) this.#tell(subject, state, track, told, historic, point)
      if (!historic) this.#watch(subject, state, track)
    } catch (error) {
      this.#fail(subject, state, point.at, error)
    }
  }

  #tell(
    subject: SubjectState,
    state: RuleState,
    track: Track,
    told: readonly Told[],
    historic: boolean,
    late: Point | null,
    byCorrection = false,
  ) {
    for (const item of told) {
      this.#out.push({
        what: item.what,
        ...about(subject, state),
        focus: track.focus,
        at: item.at,
        historic,
        ...(byCorrection ? ({ byCorrection } as const) : {}),
        ...(item.what === 'raised' ? { breach: breachOf(item.by) } : {}),
        ...(item.what === 'evidence-changed' && late !== null ? { late: copyPoint(late) } : {}),
      })
    }
  }

  #fail(subject: SubjectState, state: RuleState, at: EpochMs, error: unknown): void {
    state.failed = error instanceof Error ? error.name : 'unknown'
    for (const track of state.tracks) this.#deadlines.delete(track)
    state.tracks = []
    const transition = {
      what: 'rule-failed',
      ...about(subject, state),
      focus: 'technical',
      at,
      historic: false,
    } as const
    this.#out.push({ ...transition, error: state.failed })
  }

  #watch(subject: SubjectState, state: RuleState, track: Track): void {
    const { head } = track.live
    const end = state.spec.to ?? Number.POSITIVE_INFINITY
    const due = head.active ? end : deadlineOf(head, state.spec.compiled)
    const watched = this.#deadlines.get(track)
    if (due === Number.POSITIVE_INFINITY) {
      if (watched !== undefined) this.#deadlines.delete(track)
      return
    }
    this.#deadlines.set(track, { due, subject, state })
    if (due < this.#nextDue) this.#nextDue = due
  }

  #findNextDue(): void {
    this.#nextDue = Number.POSITIVE_INFINITY
    for (const { due } of this.#deadlines.values()) if (due < this.#nextDue) this.#nextDue = due
  }

  #forget(subject: string): void {
    const state = this.#subjects.get(subject)
    if (state === undefined) return
    for (const rule of state.rules) for (const track of rule.tracks) this.#deadlines.delete(track)
    this.#subjects.delete(subject)
  }
}

/** Whether the enrolment covers what was measured then. */
const isIn = ({ spec: { from, to } }: RuleState, at: EpochMs): boolean => at >= from && (to === null || at < to)

const about = (subject: SubjectState, { spec }: RuleState) => ({
  subject: subject.subject,
  rule: spec.rule,
  version: spec.version,
  enrolment: spec.enrolment,
})

const breachOf = (by: Machine) => ({
  since: by.breachSince ?? by.raisedAt!,
  points: by.evidence.map(copyPoint),
  leftOut: by.evidenceLeftOut,
})
