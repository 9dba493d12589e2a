/**
 * The newest commits as they were appended, so that readers in the same process decode nothing. Bounded by entries; a commit
 * of another process is a hole, and the reader then goes to the database.
 */
import type { LogCommit } from '../ports.ts'

export class TailCache {
  readonly #byPosition = new Map<number, LogCommit>()
  readonly #maxEntries: number
  #entries = 0

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  push(commit: LogCommit): void {
    this.#byPosition.set(commit.position, commit)
    this.#entries += commit.entries.length
    for (const [position, oldest] of this.#byPosition) {
      if (this.#entries <= this.#maxEntries) break
      this.#byPosition.delete(position)
      this.#entries -= oldest.entries.length
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
