import type { Clock } from '../ports.ts'
import type { Stopwatch } from './stopwatch.ts'

/** A clock that stands until a test moves it. It is a `Clock` and a `Stopwatch` over the same hand. */
export interface ManualClock extends Clock, Stopwatch {
  /** Moves the hand by `ms`, stopping at every timer on the way and letting what it woke run before going on. */
  advance(ms: number): Promise<void>
  /** Puts the wall clock elsewhere without any time passing: what NTP or an operator does. Timers do not fire. */
  step(to: number): void
}

interface Timer {
  due: number
  readonly fn: () => void
  readonly everyMs?: number
}

/** @param start wall time at which the clock stands, ms since 1970-01-01Z */
export function makeManualClock(start = Date.UTC(2026, 0, 5, 8)): ManualClock {
  let elapsed = 0
  let offset = start
  const timers = new Set<Timer>()

  const add = (timer: Timer) => {
    timers.add(timer)
    return () => void timers.delete(timer)
  }
  const nextDue = (until: number): Timer | undefined => {
    let first: Timer | undefined
    for (const timer of timers) if (timer.due <= until && (!first || timer.due < first.due)) first = timer
    return first
  }
  const fire = (timer: Timer) => {
    elapsed = Math.max(elapsed, timer.due)
    if (timer.everyMs === undefined) timers.delete(timer)
    else timer.due += timer.everyMs
    timer.fn()
  }

  return {
    now: () => offset + elapsed,
    elapsedMs: () => elapsed,
    after: (ms, fn) => add({ due: elapsed + ms, fn }),
    every: (ms, fn) => add({ due: elapsed + ms, fn, everyMs: Math.max(1, ms) }),
    sleep(ms, signal) {
      if (signal?.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const wake = () => {
          cancel()
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        const cancel = add({ due: elapsed + ms, fn: wake })
        signal?.addEventListener('abort', wake, { once: true })
      })
    },
    async advance(ms) {
      const until = elapsed + ms
      for (let timer = nextDue(until); timer; timer = nextDue(until)) {
        fire(timer)
        await settled()
      }
      elapsed = until
      await settled()
    },
    step(to) {
      offset = to - elapsed
    },
  }
}

/** Lets promises and immediates that are ready now run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
