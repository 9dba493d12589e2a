/**
 * The short way for what is well. Of a series whose rules are all quiet, a measurement that no limit minds changes nothing now; so
 * it waits at a gate, and only the first and the newest of each minute are folded into the rules' lanes, later. Whatever is not so
 * plain opens the way: what waits is folded first. What is told, and what is kept, is the same as if nothing had waited.
 */
import type { EpochMs, LoggedReading } from '@careloop/contract'
import { stretchMs, takeWaiting } from './lane.ts'
import type { Point } from './machine.ts'
import { heardAt, type Source } from './rule.ts'
import { aheadMs, historicAfterMs, type RuleState, trackOf } from './track.ts'

/** What a gate needs of the evaluator. */
export interface GateKeeper {
  hear(state: RuleState, at: EpochMs, source: Source): void
  /** A rule threw over what waited: it rests for its subject, and no other rule does. */
  fail(state: RuleState, at: EpochMs, error: unknown): void
}

/** Older ones, and those of a clock ahead, are put in order the long way. */
const freshMs = 60_000
const maxWaiting = 8

export class Gate {
  readonly #rules: readonly RuleState[]
  readonly #absences: readonly RuleState[]
  readonly #focus: string
  /** Between these, both excluded, no rule minds: nothing is breached, and all that cleared would stay clear. */
  #low = Number.NEGATIVE_INFINITY
  #high = Number.POSITIVE_INFINITY
  #from = Number.NEGATIVE_INFINITY
  #to = Number.POSITIVE_INFINITY
  /** Null: to be looked at anew, since something else happened. */
  #isOpen: boolean | null = null
  #waiting: Point[] = []
  /** The newest of its minute, so far; null when that is the first one. In place, since this is the hottest write of all. */
  #newest: Source | null = null
  #newestAt = 0
  #newestValue = 0
  #newestGroup = ''
  /** Whether one of them lies in the newest minute, and when that ends. */
  #inStretch = 0
  #stretchEnd = 0
  #lastAt = Number.NEGATIVE_INFINITY
  #heard = Number.NEGATIVE_INFINITY
  #logAt = Number.NEGATIVE_INFINITY

  constructor(rules: readonly RuleState[], absences: readonly RuleState[], focus: string) {
    this.#rules = rules
    this.#absences = absences
    this.#focus = focus
    for (const { spec } of rules) {
      this.#low = Math.max(this.#low, spec.compiled.quiet!.low)
      this.#high = Math.min(this.#high, spec.compiled.quiet!.high)
    }
    for (const { spec } of [...rules, ...absences]) {
      this.#from = Math.max(this.#from, spec.from)
      this.#to = Math.min(this.#to, spec.to ?? Number.POSITIVE_INFINITY)
    }
  }

  get hasAbsences(): boolean {
    return this.#absences.length > 0
  }

  get rules(): readonly RuleState[] {
    return this.#rules
  }

  /** @returns whether the reading waits here and nothing else is to be done */
  pass(reading: LoggedReading, source: Source): boolean {
    const { value, measuredAt: at } = reading
    if (!(this.#isOpen ?? this.#look())) return false
    if (typeof value !== 'number' || !(value > this.#low && value < this.#high)) return false
    const heard = heardAt(source)
    const ageMs = heard - at
    const logAt = source.storedAt - Math.max(0, ageMs)
    if (at < this.#lastAt || heard < this.#heard || logAt < this.#logAt || reading.flags !== undefined) return false
    if (ageMs > freshMs || ageMs < -aheadMs || at < this.#from || at >= this.#to) return false
    if (at >= this.#stretchEnd && this.#waiting.length >= maxWaiting) return false
    if (at === this.#lastAt && this.#isOfAnother(source.device)) return false
    this.#lastAt = at
    this.#heard = heard
    this.#logAt = logAt
    this.#keep(at, value, reading.groupId ?? '', source)
    return true
  }

  /** Of two devices at one time the clock of an absence must hear both. */
  #isOfAnother(device: string): boolean {
    const newest = this.#newest ?? this.#waiting[this.#waiting.length - 1]?.sources[0]
    return newest !== undefined && newest.device !== device
  }

  #keep(at: EpochMs, value: number, group: string, source: Source): void {
    if (at >= this.#stretchEnd) {
      this.#stretchEnd = (Math.floor(at / stretchMs) + 1) * stretchMs
      this.#inStretch = 0
      this.#lineUp()
    }
    if (this.#inStretch === 0) {
      this.#inStretch = 1
      this.#waiting.push({ at, group, values: [value], sources: [source] })
      return
    }
    this.#newest = source
    this.#newestAt = at
    this.#newestValue = value
    this.#newestGroup = group
  }

  /** The newest of a minute takes its place behind the first. */
  #lineUp(): void {
    if (this.#newest === null) return
    const { length } = this.#waiting
    this.#waiting[length] = {
      ...{ at: this.#newestAt, group: this.#newestGroup },
      ...{ values: [this.#newestValue], sources: [this.#newest] },
    }
    this.#newest = null
  }

  /** Until what came is judged nothing may wait; `reopen` after. */
  close(): void {
    this.#isOpen = false
  }

  /** To be looked at anew. */
  reopen(): void {
    this.#isOpen = null
  }

  /** Folds what waits. Whoever looks at or changes the state of the rules calls this before. */
  settle(keeper: GateKeeper): void {
    this.#isOpen = null
    this.#lineUp()
    const waited = this.#waiting
    if (waited.length === 0) return
    this.#waiting = []
    this.#stretchEnd = 0
    const { at, sources } = waited[waited.length - 1]!
    const source = sources[0]!
    // Rules of one signal share the points: nothing completes or changes a measurement of one value.
    for (const state of this.#rules) this.#guarded(state, at, keeper, () => this.#fold(state, waited))
    for (const state of this.#absences) this.#guarded(state, at, keeper, () => keeper.hear(state, at, source))
  }

  #fold(state: RuleState, waited: readonly Point[]): void {
    const track = trackOf(state, this.#focus)
    if (track !== null) takeWaiting(track.live, waited, this.#heard - historicAfterMs, state.spec.compiled)
  }

  #guarded(state: RuleState, at: EpochMs, keeper: GateKeeper, act: () => void): void {
    if (state.failed !== null) return
    try {
      act()
    } catch (error) {
      keeper.fail(state, at, error)
    }
  }

  /** Whether all is quiet here; then nothing but a reading, a timer or an event changes that. */
  #look(): boolean {
    this.#isOpen = this.#low < this.#high && this.#rules.every((state) => this.#isQuiet(state))
    this.#isOpen &&= this.#absences.every((state) => isHeard(state, this.#focus))
    return this.#isOpen
  }

  #isQuiet(state: RuleState): boolean {
    const { spec, failed } = state
    const track = trackOf(state, this.#focus)
    if (failed !== null || track === null) return false
    const { head } = track.live
    if (head.active || (head.breachSince !== null && spec.compiled.count === null)) return false
    this.#lastAt = Math.max(this.#lastAt, head.lastAt)
    // A backfill that is newer than what is known live goes on in the live stream.
    return track.late === null || track.late.head.lastAt <= head.lastAt
  }
}

function isHeard({ silences, failed }: RuleState, focus: string): boolean {
  const silence = silences.find((each) => each.focus === focus)
  return failed === null && silence !== undefined && silence.pausedAt === null && silence.due !== null
}
