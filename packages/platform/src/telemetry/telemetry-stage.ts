/**
 * The stage that keeps readings: log in, open segments out, chunks behind. One process at a time works a partition (lease,
 * fenced inside every transaction). The cursor moves in the transaction that stores what lies below it, so each reading is
 * stored exactly once; after any error the stage drops what it holds in memory and begins again from the database.
 */
import { type AssignmentSpan, type EpochMs, Failure } from '@careloop/contract'
import type { Engine, Lease, Stage } from '../engine/index.ts'
import { PartitionWork } from './partition-work.ts'

export interface TelemetryOptions {
  /** Open readings of a series are sealed from this many on. Default 1,000. */
  readonly sealReadings?: number
  /** ... or this long after the oldest was stored. Default 15 min. */
  readonly sealAfterMs?: number
  /** A batch is written this long after its first reading came; it grows to twice this under load. Default 2,000. */
  readonly flushAfterMs?: number
  /** Default 10 s. */
  readonly leaseMs?: number
  readonly partition?: number
  /** Wait before the next try after an error, or while another process works. Default 1,000. */
  readonly retryMs?: number
  /** Who wears a device at an instant (`fleet.whoWears`): silence after the end of an assignment is no gap. */
  readonly whoWears?: (tenant: string, device: string, at: EpochMs) => Promise<AssignmentSpan | null>
  /** How often a device is set to report, ms; null when nobody set it. */
  readonly deviceIntervalMs?: (tenant: string, device: string) => Promise<number | null>
  /** Tests throw here to stop at any step, as a crash would. */
  readonly fault?: (step: string) => void
}

/** So many failures in one place are an error, whatever they are. */
const LOUD_FROM = 3

/** Where telemetry stands, and whether the log has more: a stage that stands still while more waits is in trouble. */
export async function telemetryProgress(engine: Engine): Promise<{ readonly at: string; readonly isBehind: boolean }> {
  const at = await engine.db.cursor('telemetry:0')
  return { at, isBehind: (await engine.log.head(0)) > Number(at) }
}

export function telemetryStage(options: TelemetryOptions = {}): Stage {
  return {
    name: 'telemetry',
    async start(engine) {
      const stopping = new AbortController()
      const running = keepWorking(engine, options, stopping.signal)
      return async () => {
        stopping.abort()
        await running
      }
    },
  }
}

async function keepWorking(engine: Engine, options: TelemetryOptions, stop: AbortSignal): Promise<void> {
  const name = `telemetry:${options.partition ?? 0}`
  const log = engine.watch.log.child({ stage: name })
  let failures = { at: '', times: 0 }
  while (!stop.aborted) {
    const lease = await engine.leases.acquire(name, options.leaseMs ?? 10_000).catch((err: Error) => {
      log.warn({ err }, 'the telemetry lease could not be asked for')
      return null
    })
    if (lease) {
      await workOnce(engine, options, lease, stop).catch(async (err: unknown) => {
        // Another process has taken over: no reason to alarm anyone.
        const expected = err instanceof Failure && ['lease-lost', 'cursor-moved', 'segment-vanished'].includes(err.code)
        const at = await engine.db.cursor(name).catch(() => failures.at)
        failures = { at, times: at === failures.at ? failures.times + 1 : 1 }
        const isLoud = !expected || failures.times >= LOUD_FROM
        log[isLoud ? 'error' : 'info']({ err, ...failures }, 'telemetry begins again from the database')
      })
      await lease.release().catch(() => {})
    }
    if (!stop.aborted) await engine.clock.sleep(options.retryMs ?? 1_000, stop)
  }
}

async function workOnce(engine: Engine, options: TelemetryOptions, lease: Lease, stop: AbortSignal): Promise<void> {
  const failed = new AbortController()
  const signal = AbortSignal.any([stop, lease.signal, failed.signal])
  const work = new PartitionWork(engine, options, lease, () => failed.abort())
  await work.load()
  try {
    while (!signal.aborted) await work.step(signal)
    work.throwIfFailed()
    if (!lease.signal.aborted) await work.flush()
  } finally {
    await work.settled()
  }
}
