/**
 * Readings that a window no longer holds one by one, packed: some 5 bytes each. A block is a run of (time, ordinal, 7 bits of the
 * value's hash) in ascending order of time: varint of the difference to the time before, a byte of hash with its top bit set when
 * a varint of the ordinal follows. Blocks may overlap, since a backlog is older than what came before it.
 */

const MAX_BLOCKS = 16

/** `from` and `to`: first and last time, ms. */
interface Block {
  readonly from: number
  readonly to: number
  readonly bytes: Buffer
}

export interface OldTimesState {
  readonly blocks: readonly [from: number, to: number, base64: string][]
  readonly floor: number | null
}

export class OldTimes {
  #blocks: Block[]
  /** Of what is at or below, nobody knows whether it came: blocks were let go. */
  #floor: number

  constructor(state?: OldTimesState) {
    this.#blocks = (state?.blocks ?? []).map(([from, to, text]) => ({ from, to, bytes: Buffer.from(text, 'base64') }))
    this.#floor = state?.floor ?? Number.NEGATIVE_INFINITY
  }

  verdict(time: number, ordinal: number, hash: number): 'new' | 'duplicate' | 'conflict' | 'unknown' {
    for (const block of this.#blocks) {
      if (time < block.from || time > block.to) continue
      const known = find(block, time, ordinal)
      if (known !== undefined) return known === (hash & 0x7f) ? 'duplicate' : 'conflict'
    }
    return time <= this.#floor ? 'unknown' : 'new'
  }

  /** @param triples flat time, ordinal, hash, ascending by time; not empty */
  take(triples: readonly number[]): void {
    const from = triples[0]!
    const bytes: number[] = []
    let before = from
    for (let i = 0; i < triples.length; i += 3) {
      const [time, ordinal, hash] = [triples[i]!, triples[i + 1]!, triples[i + 2]!]
      writeVarint(bytes, time - before)
      bytes.push((hash & 0x7f) | (ordinal > 0 ? 0x80 : 0))
      if (ordinal > 0) writeVarint(bytes, ordinal)
      before = time
    }
    this.#blocks.push({ from, to: before, bytes: Buffer.from(bytes) })
    if (this.#blocks.length > MAX_BLOCKS) this.#dropOldest()
  }

  state(): OldTimesState {
    return {
      blocks: this.#blocks.map(({ from, to, bytes }) => [from, to, bytes.toString('base64')]),
      floor: Number.isFinite(this.#floor) ? this.#floor : null,
    }
  }

  #dropOldest(): void {
    const oldest = this.#blocks.reduce((a, b) => (b.to < a.to ? b : a))
    this.#blocks = this.#blocks.filter((block) => block !== oldest)
    if (oldest.to > this.#floor) this.#floor = oldest.to
  }
}

/** The 7 bits of hash of a reading, undefined when the block has none of this time and ordinal. */
function find({ from, bytes }: Block, time: number, ordinal: number): number | undefined {
  let at = 0
  const varint = (): number => {
    let value = 0
    let scale = 1
    for (; ; scale *= 128) {
      const byte = bytes[at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  let now = from
  while (at < bytes.length) {
    now += varint()
    if (now > time) return undefined
    const head = bytes[at++]!
    const its = head & 0x80 ? varint() : 0
    if (now === time && its === ordinal) return head & 0x7f
  }
  return undefined
}

/** Seven bits a byte, lowest first; by arithmetic, since a difference of times may be beyond 32 bits. */
function writeVarint(out: number[], value: number): void {
  let rest = value
  while (rest >= 128) {
    out.push((rest % 128) | 0x80)
    rest = Math.floor(rest / 128)
  }
  out.push(rest)
}
