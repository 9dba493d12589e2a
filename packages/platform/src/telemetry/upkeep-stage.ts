/** What telemetry does now and then, one process at a time: lets go of old readings, makes windows for long questions. */
import type { Engine, Stage } from '../engine/index.ts'
import { type RetentionPolicy, retireChunks } from './retention.ts'
import { telemetryMetrics } from './telemetry-metrics.ts'
import { makeWindows } from './windows.ts'

export interface UpkeepOptions {
  readonly retention?: RetentionPolicy
  /** Default one hour. */
  readonly everyMs?: number
}

export function upkeepStage(options: UpkeepOptions = {}): Stage {
  return {
    name: 'telemetry-upkeep',
    async start(engine) {
      const stopping = new AbortController()
      const running = keepUp(engine, options, stopping.signal)
      return async () => {
        stopping.abort()
        await running
      }
    },
  }
}

async function keepUp(engine: Engine, options: UpkeepOptions, stop: AbortSignal): Promise<void> {
  const everyMs = options.everyMs ?? 3_600_000
  while (!stop.aborted) {
    await once(engine, options, stop).catch((err: unknown) => {
      engine.watch.log.error({ err }, 'telemetry upkeep failed; it is tried again at its next time')
    })
    await engine.clock.sleep(everyMs, stop)
  }
}

async function once(engine: Engine, options: UpkeepOptions, stop: AbortSignal): Promise<void> {
  const lease = await engine.leases.acquire('telemetry-upkeep', 60_000)
  if (!lease) return
  const metrics = telemetryMetrics(engine.watch.metrics)
  try {
    for (const tenant of await engine.db.tenants()) {
      if (stop.aborted || lease.signal.aborted) return
      metrics.retired.inc(await retireChunks(engine, tenant, options.retention ?? {}))
      await makeWindows(engine, tenant)
    }
  } finally {
    await lease.release()
  }
}
