/** Keeps the days on which something was measured: one process at a time, in the log's order. */
import { Failure } from '@careloop/contract'
import { type Engine, followLog, followOnce, type Stage } from '../engine/index.ts'
import { deriveDays } from './derive-days.ts'
import { Calendar } from './measurement-day.ts'
import { DaysFollower, daysCursor, portsOf } from './measurement-days.ts'

const leaseMs = 15_000
const retryMs = 1_000

export const measurementDaysStage: Stage = {
  name: 'measurement-days',
  async start(engine) {
    const stopping = new AbortController()
    const running = keepFollowing(engine, stopping.signal)
    return async () => {
      stopping.abort()
      await running
    }
  },
}

async function keepFollowing(engine: Engine, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const lease = await engine.leases.acquire(daysCursor, leaseMs).catch(() => null)
    if (!lease) {
      await engine.clock.sleep(5_000, stop)
      continue
    }
    const follower = new DaysFollower(engine)
    const unsubscribe = engine.db.onFacts(['SubjectChanged'], ({ body }) =>
      follower.forget((body as { subject: string }).subject),
    )
    try {
      await deriveFromBefore(engine)
      await followLog(engine, follower, AbortSignal.any([stop, lease.signal]))
    } catch (err) {
      const isWaiting = err instanceof Failure && err.code === 'days-ahead'
      engine.watch.log[isWaiting ? 'debug' : 'warn']({ err }, 'days of measurement could not be kept; trying again')
      await engine.clock.sleep(retryMs, stop)
    } finally {
      unsubscribe()
      await lease.release().catch(() => {})
    }
  }
}

/** What was stored before days were kept, where the log has let it go: once, when this begins. */
async function deriveFromBefore(engine: Engine): Promise<void> {
  if ((await engine.db.cursor(daysCursor)) !== '0' || (await engine.log.floor(0)) <= 1) return
  const ports = portsOf(engine)
  const calendar = new Calendar()
  for (const tenant of await engine.db.tenants()) {
    const { rows } = await engine.db.asTenant(tenant, (tx) =>
      tx.client.query<{ device: string }>('select distinct device from tenant.series where tenant_id = $1', [tenant]),
    )
    for (const { device } of rows)
      await engine.db.asEngine((tx) => deriveDays(ports, tx, calendar, { tenant, device, since: 0 }))
  }
}

/** Takes in what the log holds now. @returns whether there was anything */
export const takeDays = (engine: Engine): Promise<boolean> => followOnce(engine, new DaysFollower(engine))
