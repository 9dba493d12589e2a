/** Evaluates rules on the reading log: one process at a time for each partition. */
import type { Engine, Stage } from '../engine/index.ts'
import { alertingMetrics } from './alerting-metrics.ts'
import { Evaluation, type EvaluationParts } from './evaluation.ts'

export interface AlertingOptions {
  readonly subjects: EvaluationParts['subjects']
  readonly fault?: NonNullable<EvaluationParts['fault']>
  /** How long a process that was killed keeps others waiting, ms. */
  readonly leaseMs?: number
}

const partition = 0
const tickEveryMs = 1_000
const retryMs = 1_000

export const alertingStage = (options: AlertingOptions): Stage => ({
  name: 'alerting',
  async start(engine) {
    const stopping = new AbortController()
    const running = holdLease(engine, options, stopping.signal)
    return async () => {
      stopping.abort()
      await running
    }
  },
})

async function holdLease(engine: Engine, options: AlertingOptions, stop: AbortSignal): Promise<void> {
  const leaseMs = options.leaseMs ?? 10_000
  while (!stop.aborted) {
    const lease = await engine.leases.acquire(`alerting:${partition}`, leaseMs).catch(() => null)
    if (lease === null) {
      await engine.clock.sleep(Math.min(retryMs, leaseMs / 4), stop)
      continue
    }
    const { fault, subjects } = options
    try {
      await evaluate({ engine, subjects, partition, lease, ...(fault ? { fault } : {}) }, stop)
    } catch (err) {
      // Whatever it was, the outcome of the last commit may be unknown: memory is dropped, the database knows.
      engine.watch.log.warn({ err }, 'rules are evaluated again from the last checkpoint')
      await engine.clock.sleep(retryMs, stop)
    } finally {
      await lease.release().catch(() => {})
    }
  }
}

async function evaluate(parts: EvaluationParts, stop: AbortSignal): Promise<void> {
  const { engine, lease } = parts
  const evaluation = new Evaluation(parts)
  await evaluation.open()
  const stopTicks = tickWhenIdle(engine)
  const stopGauges = gaugeLag(engine, evaluation)
  try {
    const either = AbortSignal.any([stop, lease.signal])
    while (!either.aborted) {
      const found = await evaluation.advance()
      if (!found) await engine.log.waitFor(partition, evaluation.position, tickEveryMs, either)
    }
    if (!lease.signal.aborted) await evaluation.close()
  } finally {
    stopTicks()
    stopGauges()
  }
}

/** How far the rules are behind the log, for operators: an alert cannot come before its reading was evaluated. */
function gaugeLag(engine: Engine, evaluation: Evaluation): () => void {
  const { behindCommits, behindSeconds } = alertingMetrics(engine.watch.metrics)
  return engine.clock.every(tickEveryMs, () => {
    engine.log.head(partition).then(
      (head) => {
        const waiting = Math.max(0, head - evaluation.position)
        behindCommits.set(waiting)
        behindSeconds.set(waiting === 0 ? 0 : Math.max(0, engine.clock.now() - evaluation.evaluatedAt) / 1000)
      },
      (err) => engine.watch.log.debug({ err }, 'the head of the log could not be read'),
    )
  })
}

/** Timers fire on log time: when nothing else comes for a second, the holder of the lease appends that time passed. */
function tickWhenIdle(engine: Engine): () => void {
  let head = -1
  let ticking = false
  const tick = async () => {
    const now = await engine.log.head(partition)
    if (now === head) {
      const appended = await engine.log.append([{ kind: 'tick', at: engine.clock.now() }])
      head = appended.position
    } else head = now
  }
  return engine.clock.every(tickEveryMs, () => {
    if (ticking || engine.log.refusal() !== null) return
    ticking = true
    tick()
      .catch((err) => engine.watch.log.debug({ err }, 'a tick was not appended'))
      .finally(() => {
        ticking = false
      })
  })
}
