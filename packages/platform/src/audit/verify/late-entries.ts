/**
 * Entries whose time lies before what was sealed already: slipped in, and signed as if they had been there. Each checkpoint says up to
 * when all that was written is in the tree: its own time, or the earlier one of its `waiting` line.
 */
import type { EpochMs } from '@careloop/contract'
import type { Checkpoint } from '../seal/checkpoint.ts'
import { WAITING_LATE_MS } from '../seal/waiting.ts'
import { type Finding, idOfLine, timeOfLine } from './finding.ts'

export class LateEntries {
  #count = 0
  #worst: { readonly byMs: number; readonly id: string | null; readonly batch: number; readonly at: EpochMs } | null =
    null
  #first: { readonly batch: number; readonly after: EpochMs } | null = null

  /** @param before the checkpoint before the batch; null before the first of all: nothing had been sealed */
  take(before: Checkpoint | null, batch: number, lines: readonly Uint8Array[]): void {
    if (before === null) return
    const sealedUntil = before.waiting ?? before.time
    for (const line of lines) {
      const at = timeOfLine(line)
      if (at === undefined || at >= sealedUntil - WAITING_LATE_MS) continue
      this.#count += 1
      this.#first ??= { batch, after: before.time }
      const byMs = sealedUntil - at
      if (byMs > (this.#worst?.byMs ?? 0)) this.#worst = { byMs, id: idOfLine(line), batch, at }
    }
  }

  finding(): Finding | null {
    if (this.#worst === null || this.#first === null) return null
    const { id, batch, at, byMs } = this.#worst
    const many = this.#count === 1 ? 'One entry was' : `${this.#count} entries were`
    const words = `${many} sealed long after the time that they say; the worst is entry ${id ?? '-'} of batch ${batch}, which says ${new Date(at).toISOString()}, ${Math.round(byMs / 60_000)} min before the checkpoint before it: written then, it would have been sealed then.`
    return { kind: 'late', batch: this.#first.batch, words, after: this.#first.after }
  }
}
