/**
 * Time that only grows: neither NTP nor an operator steps it. What must not be fooled by the wall clock (leases, time limits
 * inside the process) measures with it.
 */
export interface Stopwatch {
  /** Milliseconds since some fixed instant of this process. */
  elapsedMs(): number
  /** Calls `fn` once, `ms` from now; returns the cancel. */
  after(ms: number, fn: () => void): () => void
}

export function makeStopwatch(): Stopwatch {
  return {
    elapsedMs: () => performance.now(),
    after(ms, fn) {
      const timer = setTimeout(fn, ms)
      return () => clearTimeout(timer)
    },
  }
}
