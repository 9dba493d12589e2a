/**
 * What one signal of a device has reported without sequence numbers: the newest (raw device time, ordinal, value hash), sorted
 * by time. A time above the newest is new without a search, which is nearly every message.
 *
 * The newest 256 to 512 stand here one by one, at least 3,800 before them packed (`OldTimes`). Of what is older than both nobody
 * can say whether it came before: `unknown`.
 */
import { OldTimes, type OldTimesState } from './old-times.ts'

const MAX = 256

export type TimeVerdict = 'new' | 'duplicate' | 'conflict' | 'unknown'

/** Flat triples time, ordinal, hash, ascending by (time, ordinal); alone as long as nothing is older than they are. */
export type TimeWindowState = readonly number[] | { readonly newest: readonly number[]; readonly old: OldTimesState }

export class TimeWindow {
  #entries: number[]
  #old: OldTimes | undefined

  constructor(state: TimeWindowState = []) {
    const whole = 'newest' in state
    this.#entries = [...(whole ? state.newest : state)]
    this.#old = whole ? new OldTimes(state.old) : undefined
  }

  verdict(time: number, ordinal: number, hash: number): TimeVerdict {
    const entries = this.#entries
    if (entries.length === 0 || time > entries[entries.length - 3]!) return 'new'
    const at = this.#after(time, ordinal) - 3
    if (at >= 0 && entries[at] === time && entries[at + 1] === ordinal)
      return entries[at + 2] === hash ? 'duplicate' : 'conflict'
    return this.#old?.verdict(time, ordinal, hash) ?? 'new'
  }

  /** Learning the same reading twice, as a rebuild from the log may, changes nothing. */
  add(time: number, ordinal: number, hash: number): void {
    const entries = this.#entries
    const at = this.#after(time, ordinal)
    if (at > 0 && entries[at - 3] === time && entries[at - 2] === ordinal) return
    if (at === entries.length) entries.push(time, ordinal, hash)
    else entries.splice(at, 0, time, ordinal, hash)
    // Trimmed by halves, so that the steady state does not shift the whole array for each message.
    if (entries.length <= MAX * 6) return
    this.#old ??= new OldTimes()
    this.#old.take(entries.splice(0, entries.length - MAX * 3))
  }

  /** The newest device time seen, or undefined. */
  get newest(): number | undefined {
    return this.#entries.at(-3)
  }

  state(): TimeWindowState {
    return this.#old ? { newest: [...this.#entries], old: this.#old.state() } : [...this.#entries]
  }

  /** Index of the first entry that comes after (time, ordinal). */
  #after(time: number, ordinal: number): number {
    const entries = this.#entries
    let at = entries.length
    while (at > 0 && (entries[at - 3]! > time || (entries[at - 3] === time && entries[at - 2]! > ordinal))) at -= 3
    return at
  }
}
