/**
 * What one signal of a device has reported without sequence numbers: the newest (raw device time, ordinal, value hash), sorted
 * by time. A time above the newest is new without a search, which is nearly every message.
 *
 * Bounded to 256 readings. A reading older than the window's oldest cannot be judged here; telemetry's sample key
 * (series, measuredAt, ordinal) still keeps it from being stored twice.
 */

const MAX = 256

export type TimeVerdict = 'new' | 'duplicate' | 'conflict'

/** Flat triples time, ordinal, hash, ascending by (time, ordinal). */
export type TimeWindowState = number[]

export class TimeWindow {
  #entries: number[]

  constructor(state: TimeWindowState = []) {
    this.#entries = [...state]
  }

  verdict(time: number, ordinal: number, hash: number): TimeVerdict {
    const entries = this.#entries
    for (let i = entries.length - 3; i >= 0; i -= 3) {
      const t = entries[i]!
      if (t < time || (t === time && entries[i + 1]! < ordinal)) return 'new'
      if (t === time && entries[i + 1] === ordinal) return entries[i + 2] === hash ? 'duplicate' : 'conflict'
    }
    return 'new'
  }

  add(time: number, ordinal: number, hash: number): void {
    const entries = this.#entries
    let at = entries.length
    while (at > 0 && (entries[at - 3]! > time || (entries[at - 3] === time && entries[at - 2]! > ordinal))) at -= 3
    if (at === entries.length) entries.push(time, ordinal, hash)
    else entries.splice(at, 0, time, ordinal, hash)
    // Trimmed by halves, so that the steady state does not shift the whole array for each message.
    if (entries.length > MAX * 6) entries.splice(0, entries.length - MAX * 3)
  }

  /** The newest device time seen, or undefined. */
  get newest(): number | undefined {
    return this.#entries.at(-3)
  }

  state(): TimeWindowState {
    return this.#entries.slice(-MAX * 3)
  }
}
