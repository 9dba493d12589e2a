/** Follows facts as the one process that may: in their order, each once, with a look now and then for what was missed. */
import type { FactType } from '@careloop/contract'
import type { Engine } from '../ports.ts'

export interface Following {
  /** Of the lease and of the cursor. */
  readonly name: string
  readonly facts: readonly FactType[]
  /** How often `look` is asked, ms. */
  readonly lookEveryMs: number
  /** What the log says when it failed; it is tried again. */
  readonly failed: string
  /** Each time the lease was taken, before anything else. */
  begin?(): Promise<void>
  /** Takes in the next facts. @returns false when there were none */
  take(): Promise<boolean>
  /** Looks for what no fact told of. */
  look(): Promise<unknown>
}

const leaseMs = 10_000
const retryMs = 1_000

/** @returns the stop; resolves when what runs has ended */
export function followAlone(engine: Engine, following: Following): () => Promise<void> {
  const stopping = new AbortController()
  const running = holdLease(engine, following, stopping.signal)
  return async () => {
    stopping.abort()
    await running
  }
}

async function holdLease(engine: Engine, following: Following, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const lease = await engine.leases.acquire(following.name, leaseMs).catch(() => null)
    if (lease === null) {
      await engine.clock.sleep(retryMs, stop)
      continue
    }
    try {
      await following.begin?.()
      await follow(engine, following, AbortSignal.any([stop, lease.signal]))
    } catch (err) {
      engine.watch.log.warn({ err }, following.failed)
      await engine.clock.sleep(retryMs, stop)
    } finally {
      await lease.release().catch(() => {})
    }
  }
}

async function follow(engine: Engine, { facts, take, look, lookEveryMs }: Following, stop: AbortSignal): Promise<void> {
  let wake = new AbortController()
  let lookedAt = Number.NEGATIVE_INFINITY
  const unsubscribe = engine.db.onFacts(facts, () => {
    // A hundred facts may come at once, and each abort would make an error with its stack.
    if (!wake.signal.aborted) wake.abort()
  })
  try {
    while (!stop.aborted) {
      wake = new AbortController()
      if (await take()) continue
      if (engine.clock.now() - lookedAt >= lookEveryMs) {
        lookedAt = engine.clock.now()
        await look()
      }
      // A notification may be lost with its connection: look every second besides.
      await engine.clock.sleep(retryMs, AbortSignal.any([stop, wake.signal]))
    }
  } finally {
    unsubscribe()
  }
}
