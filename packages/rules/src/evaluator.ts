/**
 * The incremental evaluator: readings and log time in, transitions out. All it knows came through its one ordered input, so a
 * replay of that input from any saved state gives the same transitions. A subject without rules costs one map look-up.
 */
import type { EpochMs, LoggedReading } from '@careloop/contract'
import { Absences } from './absences.ts'
import { collectEntry, pointsByRule } from './collect.ts'
import type { CompiledRule } from './compiled.ts'
import { type SubjectCorrection, withGained, withoutLost } from './correction.ts'
import type { GateKeeper } from './gate.ts'
import { handle, isToldAgain, newStanding, type Rearm } from './handling.ts'
import type { Hearing, WatchedDevice } from './hearing.ts'
import { newLane, raiseByTimer, type Told } from './lane.ts'
import { copyPoint, deadlineOf, type Point } from './machine.ts'
import { heardAt, type Source } from './rule.ts'
import { goesOn, isIn, rests, silenceDue, silentAgainAt, stateOf, trackDue } from './rule-state.ts'
import { calm, raiseSilence, type Silence, standOn, stopClock } from './silence.ts'
import { reopenGates, type SubjectState, settleGates, subjectState } from './subject-state.ts'
import { type Timer, Timers } from './timers.ts'
import {
  aheadMs,
  beginAnew,
  historicAfterMs,
  type RuleState,
  type SubjectRule,
  settleLate,
  type Track,
  takeInto,
  trackFor,
} from './track.ts'
import { about, breachOf, type Transition } from './transition.ts'

export class Evaluator {
  readonly #subjects = new Map<string, SubjectState>()
  readonly #timers = new Timers<SubjectState>()
  readonly #changed = new Set<string>()
  readonly #absences = new Absences({
    cleared: (subject, state, silence, at) => this.#tellCleared(subject, state, silence.focus, at),
    ended: (subject, state, silence, at) => this.#endSilence(subject, state, silence, at),
    changed: (subject, state, silence) => {
      this.#markChanged(subject)
      this.#watchSilence(subject, state, silence)
    },
    settle: (subject) => this.#settle(subject),
  })
  /** Whose readings are folded right now. */
  #subject: SubjectState | null = null
  readonly #keeper: GateKeeper = {
    hear: (state, at, source) => this.#absences.hear(this.#subject!, state, source, at),
    fail: (state, at, error) => this.#fail(this.#subject!, state, at, error),
  }
  #out: Transition[] = []
  #now: EpochMs = 0

  /** Log time: the newest storedAt or tick seen; after a clock was put right, what it says since. */
  get now(): EpochMs {
    return this.#now
  }

  has(subject: string): boolean {
    return this.#subjects.has(subject)
  }

  /**
   * Sets the rules that stand for a subject; state of rules whose version and override stay is kept. No rules = the subject is
   * let go.
   * @param devices what the subject wears now; absent = as before. What is told about a device that was taken away ends.
   */
  configure(subject: string, specs: readonly SubjectRule[], devices?: readonly WatchedDevice[]): void {
    const before = this.#subjects.get(subject)
    const at = this.#now
    if (before !== undefined) this.#settle(before)
    this.#forget(subject)
    this.#changed.add(subject)
    for (const state of before?.rules ?? [])
      if (!specs.some((spec) => goesOn(state, spec))) this.#endRule(before!, state, at)
    if (specs.length === 0) return
    const rules = specs.map((spec) => stateOf(spec, before))
    const worn = devices ?? before?.devices ?? null
    this.restore(subject, rules, worn)
    const known = this.#subjects.get(subject)!
    for (const state of rules) {
      if (state.spec.compiled.isAbsence) this.#absences.configure(known, state, at)
      else if (worn !== null && state.spec.compiled.perDevice) this.#letGo(known, state, worn, at)
    }
  }

  /** Puts back what `state` and `devices` gave, e.g. from a checkpoint. */
  restore(subject: string, rules: RuleState[], devices: readonly WatchedDevice[] | null = null): void {
    const restored = subjectState(subject, rules, devices)
    this.#subjects.set(subject, restored)
    this.#absences.add(restored)
    for (const state of rules) {
      for (const track of state.tracks) this.#watch(restored, state, track)
      for (const silence of state.silences) this.#watchSilence(restored, state, silence)
    }
  }

  state(subject: string): readonly RuleState[] | null {
    const known = this.#subjects.get(subject)
    if (known === undefined) return null
    this.#settle(known)
    return known.rules
  }

  /** What the subject wears, as `configure` was told; null when it never was. */
  devices(subject: string): readonly WatchedDevice[] | null {
    return this.#subjects.get(subject)?.devices ?? null
  }

  /** The subject with rules that wears a device or gateway now. */
  wearerOf(device: string): string | undefined {
    return this.#absences.wearerOf(device)
  }

  subjects(): readonly string[] {
    return [...this.#subjects.keys()]
  }

  /** Subjects whose state changed since the last call. */
  takeChanged(): readonly string[] {
    const changed = [...this.#changed]
    for (const subject of changed) {
      const known = this.#subjects.get(subject)
      if (known !== undefined) known.isChanged = false
    }
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
    this.#absences.listen(source.storedAt)
    const known = this.#subjects.get(subject)
    if (known === undefined) return
    this.#subject = known
    const { points, isRead, isNews, isOfOthers, isClosed } = collectEntry(known, readings, source, this.#keeper)
    if (isRead) this.#markChanged(known)
    if ((isNews || isOfOthers) && known.absences.length > 0) this.#absences.readings(known, readings, source, isNews)
    if (points.size === 0) return
    for (const [state, list] of points) for (const point of list) this.#take(known, state, point, source)
    if (isClosed) reopenGates(known)
  }

  #markChanged(subject: SubjectState): void {
    if (subject.isChanged) return
    subject.isChanged = true
    this.#changed.add(subject.subject)
  }

  /**
   * Folds what waits at the gates: before anybody looks at the subject's state, or changes it otherwise than by readings. It was
   * marked as changed when it came.
   */
  #settle(subject: SubjectState): void {
    this.#subject = subject
    const { isChanged } = subject
    subject.isChanged = true
    settleGates(subject, this.#keeper)
    subject.isChanged = isChanged
  }

  /** A device or gateway came or went. */
  connection(device: string, connected: boolean, at: EpochMs): void {
    this.#absences.listen(at)
    this.#absences.connection(device, connected, at)
  }

  /** A door process began or ceased to hear devices. While none is up all absence clocks stand. */
  door(process: string, up: boolean, at: EpochMs): void {
    this.#absences.listen(at)
    this.#absences.door(process, up, at)
  }

  /** Who could be heard, for the checkpoint. */
  hearing(): Hearing {
    return this.#absences.ears.save()
  }

  /** Beside `restore`, in any order, before anything else comes. Without it every door counts as up and nothing as disconnected. */
  restoreHearing(hearing: Hearing): void {
    this.#absences.ears.load(hearing)
  }

  /**
   * A person handled an alert. Closed while its condition stands it is told again by `rearm` (null: once it cleared); acknowledged
   * after it was closed, an undo, forgets that.
   */
  handled(
    rule: string,
    subject: string,
    focus: string,
    what: 'acknowledged' | 'closed',
    rearm: Rearm | null,
    at: EpochMs,
  ): void {
    this.#absences.listen(at)
    const known = this.#subjects.get(subject)
    for (const state of known?.rules ?? []) {
      if (state.spec.rule !== rule) continue
      this.#settle(known!)
      this.#markChanged(known!)
      for (const track of state.tracks) {
        if (track.focus !== focus || track.standing === null) continue
        handle(track.standing, what, rearm)
        this.#watch(known!, state, track)
      }
      for (const silence of state.silences) {
        if (silence.focus !== focus || !silence.active) continue
        silence.toldAt = at
        silence.rearmAt = what === 'closed' ? silentAgainAt(state, rearm, at) : null
        this.#watchSilence(known!, state, silence)
      }
    }
  }

  /** Readings of a device were given to or taken from a subject. */
  correct(correction: SubjectCorrection): void {
    const known = this.#subjects.get(correction.subject)
    if (known === undefined) return
    this.#settle(known)
    this.#markChanged(known)
    const lost = pointsByRule(known.bySignal, correction.lost)
    const gained = pointsByRule(known.bySignal, correction.gained)
    const own = pointsByRule(
      known.bySignal,
      correction.own.map(({ readings, source }) => ({
        source,
        readings: readings.filter((reading) => heardAt(source) - reading.measuredAt <= historicAfterMs),
      })),
    )
    this.#absences.correct(known, correction)
    for (const state of known.rules) {
      if (state.spec.compiled.isAbsence) continue
      if (state.failed !== null || !(lost.has(state) || gained.has(state))) continue
      const isPerDevice = state.spec.compiled.perDevice
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
      this.#stand(
        track,
        outcomes.flatMap(({ told }) => told),
        null,
        compiled,
      )
      this.#watch(subject, state, track)
    } catch (error) {
      this.#fail(subject, state, at, error)
    }
  }

  /** Time of the log passed: fires timers whose deadline lies before `now`. Call after the entries of a commit. */
  advance(now: EpochMs): void {
    if (this.#now - now > aheadMs) this.#stepBack(now)
    else if (now > this.#now) this.#now = now
    this.#absences.listen(now)
    for (let due = this.#timers.dueBefore(this.#now); due.length > 0; due = this.#timers.dueBefore(this.#now))
      for (const timer of due) {
        this.#settle(timer.subject)
        // What waited may have wound a clock up again; and of a rule that threw nothing is left to fire.
        if (timer.due < this.#now && timer.state.failed === null) this.#fire(timer)
      }
  }

  /** A rule that throws by a timer would throw at each start again, and let nobody else be told: it rests for its subject. */
  #fire(timer: Timer<SubjectState>): void {
    this.#markChanged(timer.subject)
    try {
      this.#fireDue(timer)
    } catch (error) {
      this.#fail(timer.subject, timer.state, timer.due, error)
    }
  }

  #fireDue({ subject, state, of, due }: Timer<SubjectState>): void {
    const { to } = state.spec
    const isOver = to !== null && due >= to
    if ('live' in of) {
      if (isOver && of.live.head.active) this.#end(subject, state, of, to)
      else this.#fireTrack(subject, state, of, due)
      this.#watch(subject, state, of)
    } else {
      if (isOver) this.#endSilence(subject, state, of, to)
      else this.#runOut(subject, state, of, due)
      this.#watchSilence(subject, state, of)
    }
  }

  #fireTrack(subject: SubjectState, state: RuleState, track: Track, due: EpochMs): void {
    const { compiled } = state.spec
    if (track.standing?.rearm?.until === 'time' && track.standing.rearm.at <= due) {
      track.standing.rearm = null
      this.#tellAgain(subject, state, track, due, 'time')
    } else if (deadlineOf(track.live.head, compiled) <= due) {
      const told = [raiseByTimer(track.live, due)]
      this.#tell(subject, state, track, told, false, null)
      this.#stand(track, told, null, compiled)
    } else this.#tell(subject, state, track, settleLate(track, compiled), true, null)
  }

  /** A clock that stands goes on standing for as long as it may; the time until then is asked for again when it has passed. */
  #runOut(subject: SubjectState, state: RuleState, silence: Silence, due: EpochMs): void {
    const until = silence.pausedAt === null ? due : this.#absences.standsUntil(subject, state, silence)
    if (until <= due) this.#fireSilence(subject, state, silence, due)
    else if (until === Number.POSITIVE_INFINITY) standOn(silence, due)
    else standOn(silence, silence.pausedAt! + until - due)
  }

  #fireSilence(subject: SubjectState, state: RuleState, silence: Silence, due: EpochMs): void {
    const again = silence.active ? ({ again: 'time' } as const) : {}
    silence.rearmAt = null
    silence.toldAt = due
    if (!silence.active) raiseSilence(silence, due)
    const { focus, since, lastAt } = silence
    const breach = { since, points: [], leftOut: 0, last: lastAt }
    this.#out.push({ what: 'raised', ...about(subject, state), focus, at: due, historic: false, breach, ...again })
  }

  #tellCleared(subject: SubjectState, state: RuleState, focus: string, at: EpochMs, why?: Transition['why']): void {
    const said = why === undefined ? {} : { why }
    this.#out.push({ what: 'cleared', ...about(subject, state), focus, at, historic: false, ...said })
  }

  /** Nothing is watched any more: what stands raised would stand for ever, and what is pending is nobody's. */
  #end(subject: SubjectState, state: RuleState, track: Track, at: EpochMs): void {
    const { active } = track.live.head
    track.live = newLane()
    track.late = null
    track.lateHeard = null
    track.standing = null
    if (active) this.#tellCleared(subject, state, track.focus, at, 'no-longer-watched')
  }

  #endSilence(subject: SubjectState, state: RuleState, silence: Silence, at: EpochMs): void {
    const { active } = silence
    calm(silence)
    stopClock(silence)
    this.#timers.delete(silence)
    if (active) this.#tellCleared(subject, state, silence.focus, at, 'no-longer-watched')
  }

  #endRule(subject: SubjectState, state: RuleState, at: EpochMs): void {
    for (const track of state.tracks) this.#end(subject, state, track, at)
    for (const silence of state.silences) this.#endSilence(subject, state, silence, at)
  }

  /** A device that was taken away is watched no more. */
  #letGo(subject: SubjectState, state: RuleState, devices: readonly WatchedDevice[], at: EpochMs): void {
    state.tracks = state.tracks.filter((track) => {
      if (devices.some(({ device }) => device === track.focus)) return true
      this.#end(subject, state, track, at)
      this.#timers.delete(track)
      return false
    })
  }

  /** A hold that began in a time that has yet to come would not end before that time comes again: it begins anew. */
  #stepBack(now: EpochMs): void {
    const was = this.#now
    this.#now = now
    for (const { subject, state, of } of [...this.#timers.all()]) {
      if (!('live' in of)) continue
      this.#settle(subject)
      if (state.failed !== null) continue
      const { standing } = of
      if (standing?.rearm?.until === 'time')
        standing.rearm = { until: 'time', at: Math.max(now, standing.rearm.at - (was - now)) }
      if (of.lateHeard !== null) of.lateHeard = Math.min(of.lateHeard, now)
      if (of.live.head.lastAt > now + aheadMs) beginAnew(of, now)
      this.#markChanged(subject)
      this.#watch(subject, state, of)
    }
    this.#absences.stepBack(was, now)
  }

  #take(subject: SubjectState, state: RuleState, point: Point, source: Source): void {
    const { compiled } = state.spec
    if (state.failed !== null || !isIn(state, point.at) || rests(state, point)) return
    try {
      const track = trackFor(state, compiled.perDevice ? source.device : '')
      const { told, historic } = takeInto(track, point, source, compiled)
      if (told.length > 0) this.#tell(subject, state, track, told, historic, point)
      if (!historic && this.#stand(track, told, point, compiled))
        this.#tellAgain(subject, state, track, point.at, 'worse')
      this.#watch(subject, state, track)
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

  /**
   * Keeps what is known of a standing condition up with what was just told and measured.
   * @returns whether a closed alert is to be told again
   */
  #stand(track: Track, told: readonly Told[], point: Point | null, rule: CompiledRule): boolean {
    const { head } = track.live
    if (!head.active) {
      track.standing = null
      return false
    }
    const raised = told.findLast((each) => each.what === 'raised')
    if (raised !== undefined || track.standing === null) track.standing = newStanding(raised?.by ?? head, rule)
    return point !== null && raised === undefined && isToldAgain(track.standing, point, head, rule)
  }

  #tellAgain(subject: SubjectState, state: RuleState, track: Track, at: EpochMs, again: 'worse' | 'time'): void {
    const { focus, live, standing } = track
    const { since, points, leftOut } = breachOf(live.head)
    const newest = standing?.newest ?? null
    const isNew = newest !== null && newest.at > (points.at(-1)?.at ?? 0)
    const breach = { since, leftOut, points: isNew ? [...points, copyPoint(newest)] : points }
    this.#out.push({ what: 'raised', ...about(subject, state), focus, at, historic: false, breach, again })
  }

  /** What the rule had raised is watched by nobody any more, and would stand as active for ever. */
  #fail(subject: SubjectState, state: RuleState, at: EpochMs, error: unknown): void {
    state.failed = error instanceof Error ? error.name : 'unknown'
    this.#markChanged(subject)
    for (const of of [...state.tracks, ...state.silences]) {
      this.#timers.delete(of)
      if ('live' in of ? of.live.head.active : of.active)
        this.#tellCleared(subject, state, of.focus, at, 'no-longer-watched')
    }
    state.tracks = []
    state.silences = []
    const failed = { what: 'rule-failed', focus: 'technical', error: state.failed } as const
    this.#out.push({ ...failed, ...about(subject, state), at, historic: false })
  }

  #watch(subject: SubjectState, state: RuleState, track: Track): void {
    this.#timers.set(subject, state, track, trackDue(state, track))
  }

  #watchSilence(subject: SubjectState, state: RuleState, silence: Silence): void {
    this.#timers.set(subject, state, silence, silenceDue(state, silence))
  }

  #forget(subject: string): void {
    const state = this.#subjects.get(subject)
    if (state === undefined) return
    for (const rule of state.rules) for (const of of [...rule.tracks, ...rule.silences]) this.#timers.delete(of)
    this.#absences.remove(state)
    this.#subjects.delete(subject)
  }
}
