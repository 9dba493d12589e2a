/**
 * What falls due by log time alone: holds, clocks, ends of enrolments. Asked at each tick, so it knows a time before which nothing
 * can be due; that time may lie too early and never too late.
 */
import type { EpochMs } from '@careloop/contract'
import type { Silence } from './silence.ts'
import type { RuleState, Track } from './track.ts'

export interface Timer<S> {
  due: EpochMs
  readonly subject: S
  readonly state: RuleState
  readonly of: Track | Silence
}

/** Subjects are told apart, and ordered, by their id. */
export interface Named {
  readonly subject: string
  readonly rules: readonly RuleState[]
}

export class Timers<S extends Named> {
  readonly #timers = new Map<Track | Silence, Timer<S>>()
  #notBefore = Number.POSITIVE_INFINITY

  set(subject: S, state: RuleState, of: Track | Silence, due: EpochMs): void {
    const known = this.#timers.get(of)
    if (due === Number.POSITIVE_INFINITY) {
      if (known !== undefined) this.#timers.delete(of)
      return
    }
    if (known !== undefined) known.due = due
    else this.#timers.set(of, { due, subject, state, of })
    if (due < this.#notBefore) this.#notBefore = due
  }

  delete(of: Track | Silence): void {
    this.#timers.delete(of)
  }

  all(): Iterable<Timer<S>> {
    return this.#timers.values()
  }

  /** Those due before `now`, in an order that does not depend on when they were set. */
  dueBefore(now: EpochMs): readonly Timer<S>[] {
    if (now <= this.#notBefore) return none
    const due: Timer<S>[] = []
    this.#notBefore = Number.POSITIVE_INFINITY
    for (const timer of this.#timers.values()) {
      if (timer.due < now) due.push(timer)
      if (timer.due < this.#notBefore) this.#notBefore = timer.due
    }
    return due.sort(inOrder)
  }
}
const none: readonly never[] = []

function inOrder(a: Timer<Named>, b: Timer<Named>): number {
  if (a.due !== b.due) return a.due - b.due
  if (a.subject !== b.subject) return a.subject.subject < b.subject.subject ? -1 : 1
  const { rules } = a.subject
  return rules.indexOf(a.state) - rules.indexOf(b.state) || (a.of.focus < b.of.focus ? -1 : 1)
}
