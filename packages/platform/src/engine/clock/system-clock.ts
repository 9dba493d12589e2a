import type { Clock } from '../ports.ts'

/** The machine's clock. `now` follows the wall clock, so it may step; spans are better measured by `makeStopwatch`. */
export function makeClock(): Clock {
  return {
    now: () => Date.now(),
    sleep: (ms, signal) => sleepUntilAborted(ms, signal),
    every(ms, fn) {
      const timer = setInterval(fn, ms)
      return () => clearInterval(timer)
    },
  }
}

function sleepUntilAborted(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}
