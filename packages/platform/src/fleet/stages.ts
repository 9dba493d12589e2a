import type { Engine, Stage } from '../engine/index.ts'
import type { Attribution } from './attribution.ts'
import { noteEntries } from './device-status.ts'

/** Keeps this process's copy of who wears what. Doors need it. */
export const attributionStage = (attribution: Attribution): Stage => ({
  name: 'attribution',
  start: () => attribution.start(),
})

const cursorName = 'fleet-status'
const batchEntries = 2000

/** Takes what devices told of themselves from the log into their status; one process at a time. */
export const deviceStatusStage: Stage = {
  name: 'device-status',
  async start(engine) {
    const stopping = new AbortController()
    const running = followLog(engine, stopping.signal)
    return async () => {
      stopping.abort()
      await running
    }
  },
}

async function followLog(engine: Engine, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const lease = await engine.leases.acquire(cursorName, 15_000).catch(() => null)
    if (!lease) {
      await engine.clock.sleep(5000, stop)
      continue
    }
    try {
      while (!stop.aborted && !lease.signal.aborted) {
        const moved = await takeReports(engine)
        if (moved === null) await engine.log.waitFor(0, await position(engine), 1000, stop)
      }
    } catch (err) {
      engine.watch.log.warn({ err }, 'device status could not be taken from the log; trying again')
      await engine.clock.sleep(1000, stop)
    } finally {
      await lease.release().catch(() => {})
    }
  }
}

const position = async (engine: Engine): Promise<number> => Number(await engine.db.cursor(cursorName))

/** Takes in the next commits of the log. @returns the new position, null when there was nothing */
export async function takeReports(engine: Engine): Promise<number | null> {
  const from = await engine.db.cursor(cursorName)
  const commits = await engine.log.read(0, Number(from), batchEntries)
  const newest = commits.at(-1)
  if (!newest) return null
  const entries = commits.flatMap((commit) => commit.entries)
  await engine.db.asEngine(async (tx) => {
    await noteEntries(engine, tx, entries)
    await engine.db.moveCursor(tx, cursorName, from, String(newest.position))
  })
  return newest.position
}
