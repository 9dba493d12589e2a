/** Opens tasks for alerts: one process at a time, in the order of the facts. Timers of tasks fire in every process that has them. */
import { type Engine, followAlone, type Stage } from '../engine/index.ts'
import { escalationTimer, stepDue } from './escalation.ts'
import { openForgotten } from './forgotten-alerts.ts'
import { releasedTimer, tellReleased } from './given-back.ts'
import { cursorName, followed, type TakingFacts, takeFacts } from './open-tasks.ts'
import { limitPassed, overdueTimer } from './overdue.ts'
import { pageSettled, pageTimer } from './paging.ts'
import { rearm } from './rearm.ts'
import type { Ways } from './ways.ts'
import { watchTasks, watchTimers } from './workflow-metrics.ts'

export { reviewsStage } from './reviews/take-reviews.ts'

/** How often alerts without a task are looked for. */
const lookEveryMs = 60_000

export const workflowStage = (taking: TakingFacts): Stage => ({
  name: 'workflow',
  async start(engine) {
    watchTasks(engine)
    watchTimers(engine)
    const stopTimers = workOnTimers(engine, taking.ways)
    const stop = followAlone(engine, {
      ...{ name: cursorName, facts: followed, lookEveryMs, failed: 'tasks could not be opened; trying again' },
      begin: () => rearm(engine),
      take: () => takeFacts(engine, taking),
      look: () => openForgotten(engine, taking),
    })
    return async () => {
      await stop()
      await stopTimers()
    }
  },
})

/** What fires by itself: steps of escalation, and pages that waited until Careloop had caught up. */
export function workOnTimers(engine: Engine, ways: Ways): () => Promise<void> {
  const stops = [
    engine.timers.work(escalationTimer, (fired, tx) => stepDue(engine, ways, fired, tx)),
    engine.timers.work(pageTimer, (fired, tx) => pageSettled(engine, ways, fired, tx)),
    engine.timers.work(overdueTimer, (fired, tx) => limitPassed(engine, fired, tx)),
    engine.timers.work(releasedTimer, (fired, tx) => tellReleased(engine, ways, fired, tx)),
  ]
  return async () => {
    await Promise.all(stops.map((stop) => stop()))
  }
}
