/** Evaluates rules on the reading log: one process at a time for each partition. */
import type { Engine, Stage } from '../engine/index.ts'
import { settleDoors } from '../ingest/index.ts'
import { alertingMetrics } from './alerting-metrics.ts'

export { alertingUpkeepStage } from './upkeep.ts'

import { cursorOf, Evaluation, type EvaluationParts } from './evaluation.ts'

export interface AlertingOptions {
  readonly subjects: EvaluationParts['subjects']
  readonly fault?: NonNullable<EvaluationParts['fault']>
  /** How long a process that was killed keeps others waiting, ms. */
  readonly leaseMs?: number
}

const partition = 0
const tickEveryMs = 1_000
const retryMs = 1_000
/** So many failures in one place are told as an error. */
const loudFrom = 3

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
  const stopGauges = gaugeLag(engine)
  let failures: Failures = { at: '', times: 0 }
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
      failures = await failedAgain(engine, failures)
      const level = failures.times >= loudFrom ? 'error' : 'warn'
      engine.watch.log[level]({ err, ...failures }, 'rules are evaluated again from the last checkpoint')
      await engine.clock.sleep(retryMs, stop)
    } finally {
      await lease.release().catch(() => {})
    }
  }
  stopGauges()
}

interface Failures {
  /** Where the cursor stood. */
  readonly at: string
  readonly times: number
}

/** The same place again and again is no passing trouble. A database that does not answer counts as the same place. */
async function failedAgain(engine: Engine, before: Failures): Promise<Failures> {
  const at = await engine.db.cursor(cursorOf(partition)).catch(() => before.at)
  return { at, times: at === before.at ? before.times + 1 : 1 }
}

async function evaluate(parts: EvaluationParts, stop: AbortSignal): Promise<void> {
  const { engine, lease } = parts
  const evaluation = new Evaluation(parts)
  await evaluation.open()
  const ended = new AbortController()
  const either = AbortSignal.any([stop, lease.signal, ended.signal])
  let stopTicks = () => {}
  // The first tick after a kill must not find silence where nobody listened.
  const settled = settleDoors(engine, either)
    .catch((err) => engine.watch.log.warn({ err }, 'whether doors are up could not be found out'))
    .then(() => {
      if (!either.aborted) stopTicks = tickWhenIdle(engine)
    })
  try {
    while (!either.aborted) {
      const found = await evaluation.advance()
      if (!found) await engine.log.waitFor(partition, evaluation.position, tickEveryMs, either)
    }
    if (!lease.signal.aborted) await evaluation.close()
  } finally {
    ended.abort()
    await settled
    await evaluation.settle()
    stopTicks()
  }
}

/**
 * How far the rules are behind the log, for operators: an alert cannot come before its reading was evaluated. From the database,
 * whoever evaluates: a process that never gets so far as to evaluate must not look as if nothing waited. What is evaluated and
 * told nothing counts as waiting until the next checkpoint, a few seconds.
 */
function gaugeLag(engine: Engine): () => void {
  const { behindCommits, behindSeconds } = alertingMetrics(engine.watch.metrics)
  const gauge = async () => {
    const cursor = Number(await engine.db.cursor(cursorOf(partition)))
    const waiting = Math.max(0, (await engine.log.head(partition)) - cursor)
    const next = waiting === 0 ? undefined : (await engine.log.read(partition, cursor, 1))[0]
    behindCommits.set(waiting)
    behindSeconds.set(next === undefined ? 0 : Math.max(0, engine.clock.now() - next.storedAt) / 1000)
  }
  return engine.clock.every(tickEveryMs, () => {
    gauge().catch((err) => engine.watch.log.debug({ err }, 'how far the rules are behind could not be read'))
  })
}

/** Where rules stand, and whether the log has more: a stage that stands still while more waits is in trouble. */
export async function alertingProgress(engine: Engine): Promise<{ readonly at: string; readonly isBehind: boolean }> {
  const at = await engine.db.cursor(cursorOf(partition))
  return { at, isBehind: (await engine.log.head(partition)) > Number(at) }
}

/** Timers fire on log time: when nothing else comes for a second, the holder of the lease appends that time passed. */
function tickWhenIdle(engine: Engine): () => void {
  let head = -1
  let ticking = false
  const tick = async () => {
    const now = await engine.log.head(partition)
    if (now === head) {
      const appended = await appendTick(engine)
      head = appended.position
    } else head = now
  }
  return engine.clock.every(tickEveryMs, () => {
    const refusal = engine.log.refusal()
    if (ticking || (refusal !== null && refusal !== 'storage-low')) return
    ticking = true
    tick()
      .catch((err) => engine.watch.log.debug({ err }, 'a tick was not appended'))
      .finally(() => {
        ticking = false
      })
  })
}

/**
 * A low disk refuses what is new, but what was acknowledged is still judged: a hold must end although nothing more comes. A tick
 * takes some hundred bytes of the reserve that refusing keeps free.
 */
function appendTick(engine: Engine) {
  const tick = { kind: 'tick', at: engine.clock.now() } as const
  if (engine.log.refusal() !== 'storage-low') return engine.log.append([tick])
  return engine.db.asEngine((tx) => engine.log.appendWithin(tx, [tick]))
}
