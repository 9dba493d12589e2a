/** Opens tasks for alerts: one process at a time, in the order of the facts. */
import type { Engine, Stage } from '../engine/index.ts'
import type { Subjects } from '../subjects/index.ts'
import { cursorName, followed, takeFacts } from './open-tasks.ts'
import { watchTasks } from './workflow-metrics.ts'

const leaseMs = 10_000
const retryMs = 1_000

export const workflowStage = (subjects: Pick<Subjects, 'enrolmentsOf'>): Stage => ({
  name: 'workflow',
  async start(engine) {
    watchTasks(engine)
    const stopping = new AbortController()
    const running = holdLease(engine, subjects, stopping.signal)
    return async () => {
      stopping.abort()
      await running
    }
  },
})

async function holdLease(engine: Engine, subjects: Pick<Subjects, 'enrolmentsOf'>, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const lease = await engine.leases.acquire(cursorName, leaseMs).catch(() => null)
    if (lease === null) {
      await engine.clock.sleep(retryMs, stop)
      continue
    }
    try {
      await followFacts(engine, subjects, AbortSignal.any([stop, lease.signal]))
    } catch (err) {
      engine.watch.log.warn({ err }, 'tasks could not be opened; trying again')
      await engine.clock.sleep(retryMs, stop)
    } finally {
      await lease.release().catch(() => {})
    }
  }
}

async function followFacts(engine: Engine, subjects: Pick<Subjects, 'enrolmentsOf'>, stop: AbortSignal): Promise<void> {
  let wake = new AbortController()
  const unsubscribe = engine.db.onFacts(followed, () => wake.abort())
  try {
    while (!stop.aborted) {
      wake = new AbortController()
      if (await takeFacts(engine, subjects)) continue
      // A notification may be lost with its connection: look every second besides.
      await engine.clock.sleep(retryMs, AbortSignal.any([stop, wake.signal]))
    }
  } finally {
    unsubscribe()
  }
}
