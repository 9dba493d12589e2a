/**
 * The newest commits as they were appended, so that readers in the same process decode nothing. Bounded by
 * entries and by the bytes of their frames; a commit of another process is a hole, and the reader then goes to the database.
 */
import type { LogCommit } from '../ports.ts'

export class TailCache {
  readonly #byPosition = new Map<number, LogCommit>()
  readonly #maxEntries: number
  readonly #maxBytes: number
  #entries = 0
  #bytes = 0

  constructor(maxEntries: number, maxBytes = 64 * 1024 * 1024) {
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
  }

  push(commit: LogCommit): void {
    this.#byPosition.set(commit.position, commit)
    this.#entries += commit.entries.length
    this.#bytes += frameBytes(commit)
    for (const [position, oldest] of this.#byPosition) {
      if (this.#entries <= this.#maxEntries && this.#bytes <= this.#maxBytes) break
      this.#byPosition.delete(position)
      this.#entries -= oldest.entries.length
      this.#bytes -= frameBytes(oldest)
    }
  }

  /** Commits after `after` without a hole, up to about `maxEntries`; empty when the next one is not here. */
  read(after: number, maxEntries: number): LogCommit[] {
    const found: LogCommit[] = []
    let entries = 0
    for (let position = after + 1; entries < maxEntries; position++) {
      const commit = this.#byPosition.get(position)
      if (!commit) break
      found.push(commit)
      entries += commit.entries.length
    }
    return found
  }
}

function frameBytes({ entries }: LogCommit): number {
  let bytes = 0
  for (const entry of entries) if ('frame' in entry) bytes += entry.frame.bytes.byteLength
  return bytes
}
