/** When to try again what an endpoint did not take, and when to stop trying. */

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** Waits after the first failures in a row, ms; the last goes on. */
const waitsMs = [5 * second, 15 * second, 45 * second, 2 * minute, 5 * minute, 15 * minute, 30 * minute, hour] as const

/** After this long in vain the subscription is in error, ms: a weekend and a working day. */
export const givesUpAfterMs = 72 * hour
/** A handshake is made by somebody who waits for it, ms. */
export const handshakeGivesUpAfterMs = 10 * minute

/**
 * @param failures in a row, from 1
 * @param askedMs what the endpoint asked for (`Retry-After`)
 */
export function waitMs(failures: number, askedMs: number | null = null): number {
  const ours = waitsMs[Math.min(failures, waitsMs.length) - 1]!
  return askedMs === null ? ours : Math.min(Math.max(ours, askedMs), hour)
}
