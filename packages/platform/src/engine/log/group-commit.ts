/**
 * Group commit: what is waiting goes together, one commit in flight. A commit whose outcome is unknown (the connection broke)
 * is looked up by its id before anything else happens, so that no reading is acknowledged without being stored or stored twice.
 */

import type { LogEntry } from '@careloop/contract'
import { engineFailure } from '../errors.ts'
import type { Fence } from '../ports.ts'

/** One call of `append` that waits for its commit. */
export interface Waiting {
  readonly entries: readonly LogEntry[]
  readonly fences: readonly Fence[]
  readonly bytes: number
  resolve(done: { position: number; firstIndex: number; storedAt: number }): void
  reject(error: unknown): void
}

export interface Batch {
  readonly items: Waiting[]
  readonly fences: Map<string, number>
  /** Of all that left the queue, those that had lost already included. */
  readonly bytes: number
}

/** Bounds of one commit: enough to amortise the fsync, small enough to keep the event loop free. */
export const MAX_COMMIT_ENTRIES = 4096
export const MAX_COMMIT_BYTES = 2 * 1024 * 1024

/**
 * Takes the next batch off the queue. Two waiting calls that believe different values of one fence cannot both be right: the
 * one with the smaller value has lost, because fences only grow.
 */
export function takeBatch(queue: Waiting[]): Batch {
  const items: Waiting[] = []
  const fences = new Map<string, number>()
  let entries = 0
  let bytes = 0
  let taken = 0
  for (const item of queue) {
    if (
      items.length > 0 &&
      (entries + item.entries.length > MAX_COMMIT_ENTRIES || bytes + item.bytes > MAX_COMMIT_BYTES)
    )
      break
    taken++
    for (const fence of item.fences) fences.set(fence.name, Math.max(fence.value, fences.get(fence.name) ?? 0))
    items.push(item)
    entries += item.entries.length
    bytes += item.bytes
  }
  queue.splice(0, taken)
  const stale = items.filter((item) => item.fences.some((fence) => fences.get(fence.name) !== fence.value))
  rejectLost(stale)
  return { items: stale.length === 0 ? items : items.filter((item) => !stale.includes(item)), fences, bytes }
}

/** Rejects those that relied on a fence that has moved; returns the others. */
export function splitLost(items: readonly Waiting[], lost: readonly string[]): Waiting[] {
  const relied = (item: Waiting) => item.fences.some((fence) => lost.includes(fence.name))
  rejectLost(items.filter(relied))
  return items.filter((item) => !relied(item))
}

function rejectLost(items: readonly Waiting[]): void {
  for (const item of items)
    item.reject(engineFailure('fence-lost', 'What this append relied on has changed. Refresh and decide again.'))
}
