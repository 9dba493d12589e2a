/** The clocks of all absence rules: started, paused and run out by what was heard and what could not be. */
import { type EpochMs, type LoggedReading, signal } from '@careloop/contract'
import { isUsable } from './collect.ts'
import type { CorrectedEntry, SubjectCorrection } from './correction.ts'
import { deafJumpMs, Ears, type WatchedDevice } from './hearing.ts'
import type { AbsenceRule, Source } from './rule.ts'
import {
  calm,
  graceOf,
  hear,
  newSilence,
  patienceMs,
  pause,
  resume,
  type Silence,
  slowest,
  standOn,
  startClock,
  stepBackSilence,
  stopClock,
} from './silence.ts'
import type { SubjectState } from './subject-state.ts'
import { maxFoci, type RuleState } from './track.ts'

/** What the clocks need of the evaluator. */
export interface AbsenceHost {
  /** Called before a subject's clocks are looked at: what waits at its gates is heard first. */
  settle(subject: SubjectState): void
  cleared(subject: SubjectState, state: RuleState, silence: Silence, at: EpochMs): void
  /** The clock is no longer wanted; an absence that was told ends, since nobody watches. */
  ended(subject: SubjectState, state: RuleState, silence: Silence, at: EpochMs): void
  /** Something of a silence changed: its timer is set anew, and the subject is due for a checkpoint. */
  changed(subject: SubjectState, state: RuleState, silence: Silence): void
}

export class Absences {
  readonly ears = new Ears()
  readonly #host: AbsenceHost
  readonly #subjects = new Set<SubjectState>()
  readonly #behind = new Map<string, Set<SubjectState>>()
  readonly #wearers = new Map<string, SubjectState>()

  constructor(host: AbsenceHost) {
    this.#host = host
  }

  wearerOf(device: string): string | undefined {
    return this.#wearers.get(device)?.subject
  }

  add(subject: SubjectState): void {
    if (subject.absences.length > 0) this.#subjects.add(subject)
    for (const { device, gateway } of subject.devices ?? []) {
      this.#wearers.set(device, subject)
      if (gateway === null || subject.absences.length === 0) continue
      const behind = this.#behind.get(gateway) ?? new Set()
      this.#behind.set(gateway, behind.add(subject))
    }
  }

  remove(subject: SubjectState): void {
    this.#subjects.delete(subject)
    for (const { device, gateway } of subject.devices ?? []) {
      if (this.#wearers.get(device) === subject) this.#wearers.delete(device)
      const behind = gateway === null ? undefined : this.#behind.get(gateway)
      behind?.delete(subject)
      if (behind?.size === 0) this.#behind.delete(gateway!)
    }
  }

  /** Log time passed. What passed by with nothing in between was not listened to. */
  listen(at: EpochMs): void {
    const before = this.ears.heardUntil
    if (at <= before) return
    this.ears.heardUntil = at
    if (before === 0) this.#each((subject, state, silence) => this.#start(subject, state, silence, at))
    else if (at - before > deafJumpMs)
      this.#each((subject, state, silence) => this.#skip(subject, state, silence, before, at))
  }

  /** Log time went back. */
  stepBack(was: EpochMs, now: EpochMs): void {
    this.ears.heardUntil = now
    this.#each((subject, state, silence) => {
      stepBackSilence(silence, was, now, graceFor(subject, state, silence))
      this.#host.changed(subject, state, silence)
    })
  }

  door(process: string, up: boolean, at: EpochMs): void {
    const was = this.ears.isDeaf
    this.ears.door(process, up)
    if (this.ears.isDeaf === was) return
    for (const subject of this.#subjects) this.#attend(subject, at)
    // Whose gateway has yet to come back: what passed while nobody listened does not count.
    if (was)
      this.#each((subject, state, silence) => {
        if (silence.pausedAt === null) return
        standOn(silence, at)
        this.#host.changed(subject, state, silence)
      })
  }

  connection(device: string, connected: boolean, at: EpochMs): void {
    this.ears.connection(device, connected, at)
    for (const subject of this.#behind.get(device) ?? []) this.#attend(subject, at)
    const wearer = this.#wearers.get(device)
    if (wearer !== undefined) this.#host.settle(wearer)
    for (const state of wearer?.absences ?? []) {
      const silence = bodyOf(state).of === 'connection' && state.silences.find(({ focus }) => focus === device)
      if (silence && state.failed === null) this.#connect(wearer!, state, silence, connected, at)
    }
  }

  #connect(subject: SubjectState, state: RuleState, silence: Silence, connected: boolean, at: EpochMs): void {
    if (connected) {
      const { active } = silence
      calm(silence)
      stopClock(silence)
      silence.lastAt = at
      if (active) this.#host.cleared(subject, state, silence, at)
    } else if (!silence.active && silence.due === null) this.#lost(subject, state, silence, at, at)
    this.#host.changed(subject, state, silence)
  }

  #lost(subject: SubjectState, state: RuleState, silence: Silence, since: EpochMs, at: EpochMs): void {
    if (!covers(state, at)) return
    silence.since = since
    silence.lastAt = since
    startClock(silence, at, bodyOf(state).afterMs, graceFor(subject, state, silence))
    if (this.#isUnheard(subject, silence)) pause(silence, at)
  }

  /** Makes a rule's clocks those of what the subject wears now. */
  configure(subject: SubjectState, state: RuleState, at: EpochMs): void {
    if (state.failed !== null) return
    const wanted = fociOf(subject, state)
    if (wanted !== null)
      state.silences = state.silences.filter((silence) => {
        const stays = wanted.some(({ focus }) => focus === silence.focus)
        if (!stays) this.#host.ended(subject, state, silence, at)
        return stays
      })
    for (const { focus, since } of wanted ?? []) {
      const known = state.silences.find((silence) => silence.focus === focus)
      const silence = known ?? newSilence(focus, Math.max(state.spec.from, since))
      if (known === undefined) {
        state.silences.push(silence)
        if (this.ears.heardUntil > 0) this.#start(subject, state, silence, at)
      }
      this.#attendTo(subject, state, silence, at)
      this.#host.changed(subject, state, silence)
    }
  }

  /**
   * Readings of one entry, of a subject with absence rules.
   * @param isNews whether they are to be heard; else they wait, and show only what else their device measures
   */
  readings(subject: SubjectState, readings: readonly LoggedReading[], source: Source, isNews: boolean): void {
    for (const state of subject.absences) {
      const { compiled } = state.spec
      if (state.failed !== null || compiled.signals.length === 0) continue
      let measuredAt = Number.NEGATIVE_INFINITY
      for (const reading of readings) {
        if (reading.measuredAt <= measuredAt || !compiled.signals.includes(reading.signal)) continue
        if (isUsable(reading) && covers(state, reading.measuredAt)) measuredAt = reading.measuredAt
      }
      if (measuredAt > Number.NEGATIVE_INFINITY) {
        // What waits at the gate of another signal was measured before, or the other way round: it is heard first.
        if (isNews) this.#host.settle(subject)
        if (isNews) this.hear(subject, state, source, measuredAt)
      } else if (compiled.perDevice) this.#hearOtherwise(subject, state, readings, source.device)
    }
  }

  /** Something usable was measured. */
  hear(subject: SubjectState, state: RuleState, source: Source, measuredAt: EpochMs): void {
    const silence = this.#silenceOf(subject, state, source.device, measuredAt)
    if (silence === null) return
    const { afterMs } = bodyOf(state)
    const ended = hear(silence, measuredAt, source, afterMs, graceFor(subject, state, silence))
    if (ended) this.#host.cleared(subject, state, silence, source.storedAt)
    this.#host.changed(subject, state, silence)
  }

  #silenceOf(subject: SubjectState, state: RuleState, device: string, measuredAt: EpochMs): Silence | null {
    const focus = state.spec.compiled.perDevice ? device : ''
    for (const silence of state.silences) if (silence.focus === focus) return silence
    // Of what nobody wears any more a backfill may come; where nobody said who wears what, the reading itself says it.
    if (subject.devices !== null) return null
    if (state.silences.length >= maxFoci) return null
    const silence = newSilence(focus, measuredAt)
    state.silences.push(silence)
    return silence
  }

  #hearOtherwise(subject: SubjectState, state: RuleState, readings: readonly LoggedReading[], device: string): void {
    const silence = state.silences.find(({ focus }) => focus === device)
    if (silence === undefined || silence.lastAt !== null || silence.speaksOtherwise) return
    const isKnown = subject.devices?.some((each) => each.device === device && each.signals !== undefined)
    const speaks = readings.some((reading) => isUsable(reading) && signal(reading.signal)?.kind !== 'device')
    if (isKnown || !speaks) return
    silence.speaksOtherwise = true
    const { active } = silence
    calm(silence)
    stopClock(silence)
    if (active) this.#host.cleared(subject, state, silence, this.ears.heardUntil)
    this.#host.changed(subject, state, silence)
  }

  /** Who wore a device was corrected: what it measured was heard of somebody else. */
  correct(subject: SubjectState, { lost, gained, own, at, from }: SubjectCorrection): void {
    for (const state of subject.absences) {
      if (state.failed !== null) continue
      const newest = (entries: readonly CorrectedEntry[]) => newestOf(state, entries)
      const [gone, kept, come] = [newest(lost), newest(own), newest(gained)]
      for (const silence of state.silences) {
        // A device's clock goes with the device: `configure` ends it.
        if (silence.focus !== '' || (silence.lastAt ?? 0) > gone) continue
        if (silence.lastAt === null || gone === Number.NEGATIVE_INFINITY) continue
        const back = Math.max(kept, from)
        const graceMs = graceFor(subject, state, silence)
        const due = Math.max(back + bodyOf(state).afterMs, at + graceMs)
        silence.lastAt = kept > Number.NEGATIVE_INFINITY ? kept : null
        silence.since = back
        if (silence.due !== null) silence.due = Math.min(silence.due, due)
        this.#host.changed(subject, state, silence)
      }
      const source = gained.find(({ readings }) => readings.some(({ measuredAt }) => measuredAt === come))?.source
      if (source !== undefined) this.hear(subject, state, { ...source, storedAt: at, replayed: true }, come)
    }
  }

  /** Nobody can say what was before Careloop knew of it: the clock starts now at the earliest. */
  #start(subject: SubjectState, state: RuleState, silence: Silence, at: EpochMs): void {
    if (silence.due !== null || silence.active || silence.speaksOtherwise) return
    const begin = Math.max(silence.since, at)
    if (bodyOf(state).of === 'connection') {
      const since = this.ears.disconnectedSince(silence.focus)
      if (since !== undefined) this.#lost(subject, state, silence, since, begin)
    } else if (covers(state, begin)) {
      silence.since = begin
      startClock(silence, begin, bodyOf(state).afterMs, graceFor(subject, state, silence))
      if (this.#isUnheard(subject, silence)) pause(silence, begin)
    } else return
    this.#host.changed(subject, state, silence)
  }

  #skip(subject: SubjectState, state: RuleState, silence: Silence, from: EpochMs, to: EpochMs): void {
    if (silence.due === null) return
    if (silence.pausedAt !== null) {
      standOn(silence, silence.pausedAt + to - from)
      this.#host.changed(subject, state, silence)
      return
    }
    // What was last heard in a commit that is evaluated right now is told by a time that lies after the gap.
    pause(silence, from)
    resume(silence, to, graceFor(subject, state, silence))
    this.#host.changed(subject, state, silence)
  }

  #attend(subject: SubjectState, at: EpochMs): void {
    this.#host.settle(subject)
    for (const state of subject.absences)
      for (const silence of state.silences)
        if (this.#attendTo(subject, state, silence, at)) this.#host.changed(subject, state, silence)
  }

  #attendTo(subject: SubjectState, state: RuleState, silence: Silence, at: EpochMs): boolean {
    const isPaused = silence.pausedAt !== null
    const isUnheard = silence.due !== null && this.#isUnheard(subject, silence)
    if (isUnheard === isPaused) return false
    if (isUnheard) pause(silence, at)
    else resume(silence, at, graceFor(subject, state, silence))
    return true
  }

  /** Deaf to all, or the gateway is gone by which this one is heard. */
  #isUnheard(subject: SubjectState, silence: Silence): boolean {
    if (this.ears.isDeaf) return true
    const isCut = ({ gateway }: WatchedDevice) => gateway !== null && this.ears.disconnectedSince(gateway) !== undefined
    const awaited = awaitedBy(subject, silence)
    return awaited.length > 0 && awaited.every(isCut)
  }

  /**
   * Until when a clock may stand that is not heard: for as long as Careloop is deaf; behind a gateway that is gone, for so long after
   * somebody was told of that or handled it. -Infinity when nobody is told: then nobody would ever learn of it.
   */
  standsUntil(subject: SubjectState, state: RuleState, silence: Silence): EpochMs {
    if (this.ears.isDeaf) return Number.POSITIVE_INFINITY
    const told = awaitedBy(subject, silence).map(({ gateway }) => this.#toldAt(gateway))
    return Math.max(Number.NEGATIVE_INFINITY, ...told) + patienceMs(bodyOf(state).afterMs)
  }

  /** When somebody was last told that a gateway is gone, or handled that, or is going to be told; -Infinity when nobody is. */
  #toldAt(gateway: string | null): EpochMs {
    const rules = gateway === null ? [] : (this.#wearers.get(gateway)?.absences ?? [])
    const times = rules
      .filter((state) => state.failed === null && bodyOf(state).of === 'connection')
      .flatMap(({ silences }) => silences.filter(({ focus }) => focus === gateway))
      .map(({ active, due, toldAt, raisedAt }) => (active ? (toldAt ?? raisedAt) : due) ?? Number.NEGATIVE_INFINITY)
    return Math.max(Number.NEGATIVE_INFINITY, ...times)
  }

  #each(visit: (subject: SubjectState, state: RuleState, silence: Silence) => void): void {
    for (const subject of this.#subjects) {
      this.#host.settle(subject)
      for (const state of subject.absences)
        if (state.failed === null) for (const silence of state.silences) visit(subject, state, silence)
    }
  }
}

const bodyOf = (state: RuleState): AbsenceRule => state.spec.compiled.body as AbsenceRule

/** The devices by which a silence could end. */
function awaitedBy({ devices }: SubjectState, { focus, lastDevice }: Silence): readonly WatchedDevice[] {
  const one = devices?.find(({ device }) => device === (focus === '' ? lastDevice : focus))
  if (one !== undefined) return [one]
  return focus === '' ? (devices ?? []) : []
}

const covers = ({ spec: { from, to } }: RuleState, at: EpochMs): boolean => at >= from && (to === null || at < to)

/** When the newest usable reading of a rule's signals was measured, -Infinity when there is none. */
function newestOf(state: RuleState, entries: readonly CorrectedEntry[]): EpochMs {
  let newest = Number.NEGATIVE_INFINITY
  for (const { readings } of entries)
    for (const reading of readings)
      if (reading.measuredAt > newest && state.spec.compiled.signals.includes(reading.signal))
        if (isUsable(reading) && covers(state, reading.measuredAt)) newest = reading.measuredAt
  return newest
}

export function graceFor(subject: SubjectState, state: RuleState, { focus, lastDevice }: Silence): number {
  const devices = subject.devices ?? []
  const one = devices.find(({ device }) => device === (focus === '' ? lastDevice : focus))
  return graceOf(one === undefined ? slowest(devices) : one.intervalMs, bodyOf(state).afterMs)
}

/** What a rule is absent of, and since when; null when only readings tell which devices there are. */
function fociOf(subject: SubjectState, state: RuleState): { focus: string; since: EpochMs }[] | null {
  const { compiled, from } = state.spec
  const ofConnection = bodyOf(state).of === 'connection'
  if (!compiled.perDevice && !ofConnection) return [{ focus: '', since: from }]
  if (subject.devices === null) return null
  return subject.devices
    .filter(
      ({ signals }) => ofConnection || signals === undefined || signals.some((code) => compiled.signals.includes(code)),
    )
    .map(({ device, since }) => ({ focus: device, since }))
}

/** Clocks of a new version of the rule, or of other limits: what was heard is known, if it was of the same signals. */
export function carryOverSilences(before: RuleState, after: RuleState): Silence[] {
  if (!after.spec.compiled.isAbsence) return []
  const [old, now] = [bodyOf(before), bodyOf(after)]
  const isSame = JSON.stringify(old.of) === JSON.stringify(now.of)
  return before.silences.map((silence) => {
    if (!isSame)
      return { ...newSilence(silence.focus, silence.since), active: silence.active, raisedAt: silence.raisedAt }
    if (silence.due === null) return { ...silence }
    const due = silence.due - old.afterMs + now.afterMs
    return { ...silence, due, latest: Math.max(silence.latest - old.afterMs, due) + now.afterMs }
  })
}
