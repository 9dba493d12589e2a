/** Looks once an hour whether a day has ended, and then at what was unusual in it. One process at a time. */
import type { Engine, Stage } from '../engine/index.ts'
import { findUnusual } from './find-unusual.ts'
import type { ComplianceParts } from './office.ts'

const everyMs = 3_600_000
const leaseMs = 60_000

export const unusualAccessStage = (parts: Omit<ComplianceParts, 'engine'>): Stage => ({
  name: 'unusual-access',
  async start(engine) {
    const stopping = new AbortController()
    const running = keepLooking({ ...parts, engine }, stopping.signal)
    return async () => {
      stopping.abort()
      await running
    }
  },
})

async function keepLooking(parts: ComplianceParts, stop: AbortSignal): Promise<void> {
  const { engine } = parts
  while (!stop.aborted) {
    await lookOnce(parts, stop).catch((err: unknown) => {
      engine.watch.log.error({ err }, 'unusual access could not be looked for; it is tried again within the hour')
    })
    await engine.clock.sleep(everyMs, stop)
  }
}

async function lookOnce(parts: ComplianceParts, stop: AbortSignal): Promise<void> {
  const { engine }: { engine: Engine } = parts
  const lease = await engine.leases.acquire('unusual-access', leaseMs)
  if (lease === null) return
  try {
    for (const tenant of await engine.db.tenants()) {
      if (stop.aborted || lease.signal.aborted) return
      await findUnusual(parts, tenant)
    }
  } finally {
    await lease.release()
  }
}
