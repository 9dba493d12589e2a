/**
 * The stage that tells the record of readings. One process at a time (lease, fenced inside every transaction); the cursor moves in
 * the transaction that writes what lies below it; after any error it drops what it holds in memory and begins again.
 */
import { Failure } from '@careloop/contract'
import type { Engine, Lease, Stage } from '../../engine/index.ts'
import type { Clinical } from '../clinical.ts'
import { observationMetrics } from './observation-metrics.ts'
import { ObservationWork, observationsCursor, type WorkParts } from './observation-work.ts'
import { People } from './people.ts'

const leaseMs = 10_000
const retryMs = 1_000

/** Where it stands, and whether there is more: standing still meanwhile is trouble. It lags by what only counts, for seconds. */
export async function observationsProgress(
  engine: Engine,
): Promise<{ readonly at: string; readonly isBehind: boolean }> {
  const at = await engine.db.cursor(observationsCursor)
  return { at, isBehind: (await engine.log.head(0)) > Number(at) }
}

export const clinicalObservationsStage = (clinical: Clinical): Stage => ({
  name: 'clinical-observations',
  async start(engine) {
    const stopping = new AbortController()
    const running = keepWorking(engine, clinical, stopping.signal)
    return async () => {
      stopping.abort()
      await running
    }
  },
})

async function keepWorking(engine: Engine, clinical: Clinical, stop: AbortSignal): Promise<void> {
  const log = engine.watch.log.child({ stage: observationsCursor })
  const metrics = observationMetrics(engine.watch.metrics)
  while (!stop.aborted) {
    const lease = await engine.leases.acquire(observationsCursor, leaseMs).catch(() => null)
    if (lease) {
      const people = new People(engine, clinical)
      const unsubscribe = engine.db.onFacts(['SubjectChanged'], ({ body }) =>
        people.forget((body as { subject: string }).subject),
      )
      try {
        await workOnce({ engine, clinical, people, metrics }, lease, stop)
      } catch (err) {
        const isExpected = err instanceof Failure && ['lease-lost', 'cursor-moved'].includes(err.code)
        log[isExpected ? 'info' : 'warn']({ err }, 'Observations of readings begin again from the database')
      } finally {
        unsubscribe()
        await lease.release().catch(() => {})
      }
    }
    if (!stop.aborted) await engine.clock.sleep(retryMs, stop)
  }
}

async function workOnce(parts: WorkParts, lease: Lease, stop: AbortSignal): Promise<void> {
  const work = new ObservationWork(parts, lease)
  await work.load()
  const signal = AbortSignal.any([stop, lease.signal])
  try {
    while (!signal.aborted) await work.step(signal)
  } finally {
    await work.settled()
  }
}
