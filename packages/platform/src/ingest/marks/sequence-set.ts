/**
 * The sequence numbers a device has used, as ranges: a device that counts without holes is one range whatever its age. Beside
 * it the content hashes of the newest ones, so that the same number with other content is found out.
 */

const MAX_RANGES = 1024
const MAX_HASHES = 256

export type SequenceVerdict =
  | 'new'
  | 'duplicate'
  /** Used before with other content. */
  | 'conflict'
  /** Used before, too long ago to compare the content. */
  | 'unknown'

export interface SequenceState {
  /** Flat pairs from, to (inclusive), ascending. */
  readonly ranges: number[]
  /** Newest last. `minute`: when it was first received, minutes since 1970; marks saved by an older version lack it. */
  readonly hashes: [sequence: number, hash: number, minute?: number][]
}

interface Known {
  readonly hash: number
  readonly minute: number | undefined
}

const MINUTE_MS = 60_000

export class SequenceSet {
  #ranges: number[]
  readonly #hashes: Map<number, Known>

  constructor(state: SequenceState = { ranges: [], hashes: [] }) {
    this.#ranges = [...state.ranges]
    this.#hashes = new Map(state.hashes.map(([sequence, hash, minute]) => [sequence, { hash, minute }]))
  }

  verdict(sequence: number, hash: number): SequenceVerdict {
    if (!this.has(sequence)) return 'new'
    const before = this.#hashes.get(sequence)
    if (before === undefined) return 'unknown'
    return before.hash === hash ? 'duplicate' : 'conflict'
  }

  has(sequence: number): boolean {
    const ranges = this.#ranges
    if (ranges.length === 0 || sequence > ranges[ranges.length - 1]!) return false
    for (let i = ranges.length - 2; i >= 0; i -= 2) if (sequence >= ranges[i]!) return sequence <= ranges[i + 1]!
    // Below the oldest range that is kept: only when ranges were let go, and then it counts as used.
    return this.#forgot
  }

  /** When the number was first received, ms to the minute below; undefined when that is forgotten. */
  firstReceived(sequence: number): number | undefined {
    const minute = this.#hashes.get(sequence)?.minute
    return minute === undefined ? undefined : minute * MINUTE_MS
  }

  /** @param receivedAt ms */
  add(sequence: number, hash: number, receivedAt: number): void {
    this.#hashes.set(sequence, { hash, minute: Math.floor(receivedAt / MINUTE_MS) })
    if (this.#hashes.size > MAX_HASHES) this.#hashes.delete(this.#hashes.keys().next().value!)
    this.#insert(sequence)
  }

  /** The device began to count anew. */
  restart(): void {
    this.#ranges = []
    this.#hashes.clear()
  }

  get highest(): number | undefined {
    return this.#ranges.at(-1)
  }

  state(): SequenceState {
    return { ranges: [...this.#ranges], hashes: this.#tuples() }
  }

  #tuples(): SequenceState['hashes'] {
    return Array.from(this.#hashes, ([sequence, { hash, minute }]) =>
      minute === undefined ? [sequence, hash] : [sequence, hash, minute],
    )
  }

  /** Ranges were dropped for space, so what lies below the oldest can no longer be told apart. Marked by a first range from 0. */
  get #forgot(): boolean {
    return this.#ranges[0] === 0
  }

  #insert(sequence: number): void {
    const ranges = this.#ranges
    const last = ranges.length - 1
    if (last > 0 && sequence === ranges[last]! + 1) {
      ranges[last] = sequence
      return
    }
    let at = 0
    while (at < ranges.length && ranges[at]! <= sequence) at += 2
    // `at` is the first range that begins after the sequence; the one before may hold or touch it.
    const before = at - 2
    const joinsBefore = before >= 0 && ranges[before + 1]! >= sequence - 1
    if (joinsBefore && ranges[before + 1]! >= sequence) return
    const joinsAfter = at < ranges.length && ranges[at] === sequence + 1
    if (joinsBefore && joinsAfter) ranges.splice(before + 1, 2)
    else if (joinsBefore) ranges[before + 1] = sequence
    else if (joinsAfter) ranges[at] = sequence
    else ranges.splice(at, 0, sequence, sequence)
    // Too many holes: the two oldest ranges become one from 0, so an old number counts as used and is set aside, not doubled.
    if (ranges.length > MAX_RANGES * 2) ranges.splice(0, 4, 0, ranges[3]!)
  }
}
