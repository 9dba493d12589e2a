import { type Engine, followLog, followOnce, type LogFollower, type Stage } from '../engine/index.ts'
import type { Attribution } from './attribution.ts'
import { noteEntries } from './device-status.ts'

/** Keeps this process's copy of who wears what. Doors need it. */
export const attributionStage = (attribution: Attribution): Stage => ({
  name: 'attribution',
  start: () => attribution.start(),
})

const cursorName = 'fleet-status'
const wantedKinds: ReadonlySet<string> = new Set(['device-reported', 'door-up', 'door-down'])

/** Takes what devices told of themselves from the log into their status; one process at a time. */
export const deviceStatusStage: Stage = {
  name: 'device-status',
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
    const lease = await engine.leases.acquire(cursorName, 15_000).catch(() => null)
    if (!lease) {
      await engine.clock.sleep(5000, stop)
      continue
    }
    try {
      await followLog(engine, reports(engine), AbortSignal.any([stop, lease.signal]))
    } catch (err) {
      engine.watch.log.warn({ err }, 'device status could not be taken from the log; trying again')
      await engine.clock.sleep(1000, stop)
    } finally {
      await lease.release().catch(() => {})
    }
  }
}

const reports = (engine: Engine): LogFollower => ({
  cursor: cursorName,
  wants: (entry) => wantedKinds.has(entry.kind),
  take: (tx, found) =>
    noteEntries(
      engine,
      tx,
      found.map(({ entry }) => entry),
    ),
})

/** Takes in what the log holds now. @returns whether there was anything */
export const takeReports = (engine: Engine): Promise<boolean> => followOnce(engine, reports(engine))
