/**
 * The time by which the pages count ages: the server's, because a ward computer's clock may be minutes wrong and an age that
 * is wrong is worse than none.
 */
import { useSyncExternalStore } from 'react'

let offsetMs = 0

/** @param date the HTTP `Date` of an answer; it has whole seconds, so only a real difference moves the clock */
export function hearServerClock(date: string | null): void {
  const server = date === null ? Number.NaN : Date.parse(date) + 500
  if (!Number.isFinite(server)) return
  const wanted = server - Date.now()
  if (Math.abs(wanted - offsetMs) > 2_000) offsetMs = Math.abs(wanted) > 2_000 ? wanted : 0
}

/** Milliseconds since 1970 by the server's clock. */
export const serverNow = (): number => Date.now() + offsetMs

const tickMs = 1_000
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined
let shown = serverNow()

function listen(listener: () => void): () => void {
  listeners.add(listener)
  shown = serverNow()
  timer ??= setInterval(() => {
    shown = serverNow()
    for (const each of listeners) each()
  }, tickMs)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** Now by the server's clock, again each second: whatever shows an age grows old by itself. */
export const useNow = (): number => useSyncExternalStore(listen, () => shown)

/** A moment from which time is counted on this machine, whatever happens to its clock. */
export interface AgeStart {
  readonly clock: number
  readonly steady: number
}

export const startOfAge = (): AgeStart => ({ clock: Date.now(), steady: performance.now() })

/**
 * Milliseconds since then. The greater of two clocks: one stands still while a laptop sleeps, the other is set back by people and
 * time servers; a value must never look younger than it is.
 */
export const ageSince = ({ clock, steady }: AgeStart): number =>
  Math.max(0, Date.now() - clock, performance.now() - steady)
