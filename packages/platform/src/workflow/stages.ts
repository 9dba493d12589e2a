/** Opens tasks for alerts: one process at a time, in the order of the facts. Timers of tasks fire in every process that has them. */
import type { Engine, Stage } from '../engine/index.ts'
import { escalationTimer, stepDue } from './escalation.ts'
import { openForgotten } from './forgotten-alerts.ts'
import { releasedTimer, tellReleased } from './given-back.ts'
import { cursorName, followed, type TakingFacts, takeFacts } from './open-tasks.ts'
import { pageSettled, pageTimer } from './paging.ts'
import { rearm } from './rearm.ts'
import type { Ways } from './ways.ts'
import { watchTasks, watchTimers } from './workflow-metrics.ts'

export { reviewsStage } from './reviews/take-reviews.ts'

const leaseMs = 10_000
const retryMs = 1_000
/** How often alerts without a task are looked for. */
const lookEveryMs = 60_000

export const workflowStage = (taking: TakingFacts): Stage => ({
  name: 'workflow',
  async start(engine) {
    watchTasks(engine)
    watchTimers(engine)
    const stopTimers = workOnTimers(engine, taking.ways)
    const stopping = new AbortController()
    const running = holdLease(engine, taking, stopping.signal)
    return async () => {
      stopping.abort()
      await running
      await stopTimers()
    }
  },
})

/** What fires by itself: steps of escalation, and pages that waited until Careloop had caught up. */
export function workOnTimers(engine: Engine, ways: Ways): () => Promise<void> {
  const stops = [
    engine.timers.work(escalationTimer, (fired, tx) => stepDue(engine, ways, fired, tx)),
    engine.timers.work(pageTimer, (fired, tx) => pageSettled(engine, ways, fired, tx)),
    engine.timers.work(releasedTimer, (fired, tx) => tellReleased(engine, ways, fired, tx)),
  ]
  return async () => {
    await Promise.all(stops.map((stop) => stop()))
  }
}

async function holdLease(engine: Engine, taking: TakingFacts, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const lease = await engine.leases.acquire(cursorName, leaseMs).catch(() => null)
    if (lease === null) {
      await engine.clock.sleep(retryMs, stop)
      continue
    }
    try {
      await rearm(engine)
      await followFacts(engine, taking, AbortSignal.any([stop, lease.signal]))
    } catch (err) {
      engine.watch.log.warn({ err }, 'tasks could not be opened; trying again')
      await engine.clock.sleep(retryMs, stop)
    } finally {
      await lease.release().catch(() => {})
    }
  }
}

async function followFacts(engine: Engine, taking: TakingFacts, stop: AbortSignal): Promise<void> {
  let wake = new AbortController()
  let lookedAt = Number.NEGATIVE_INFINITY
  const unsubscribe = engine.db.onFacts(followed, () => wake.abort())
  try {
    while (!stop.aborted) {
      wake = new AbortController()
      if (await takeFacts(engine, taking)) continue
      if (engine.clock.now() - lookedAt >= lookEveryMs) {
        lookedAt = engine.clock.now()
        await openForgotten(engine, taking)
      }
      // A notification may be lost with its connection: look every second besides.
      await engine.clock.sleep(retryMs, AbortSignal.any([stop, wake.signal]))
    }
  } finally {
    unsubscribe()
  }
}
