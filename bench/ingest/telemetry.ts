/** What telemetry holds, by reading its tables and opening every chunk. */
import type { Rooms } from '../../packages/platform/src/app/rooms.ts'
import type { Engine } from '../../packages/platform/src/engine/index.ts'
import { listParts, PartReader } from '../../packages/platform/src/telemetry/read-store.ts'
import { findSeries } from '../../packages/platform/src/telemetry/series.ts'
import type { StoredReading } from './count.ts'

const FOR_EVER = 8.64e15

/** Resolves when the stages have taken in the whole log. */
export async function caughtUp(engine: Engine, patienceMs = 120_000): Promise<void> {
  const until = performance.now() + patienceMs
  for (;;) {
    // Ticks keep coming, so the head is taken once: what was there when we asked must be taken in.
    const head = await engine.log.head(0)
    for (;;) {
      const positions = await Promise.all(['telemetry:0', 'alerting:0'].map((name) => engine.db.cursor(name)))
      if (positions.every((position) => Number(position) >= head)) return
      if (performance.now() > until) throw new Error(`the stages are still behind: ${positions} of ${head}`)
      await new Promise((go) => setTimeout(go, 100))
    }
  }
}

export async function readingsInTelemetry(rooms: Rooms): Promise<StoredReading[]> {
  const { engine } = rooms
  const readings: StoredReading[] = []
  for (const tenant of await engine.db.tenants())
    await engine.db.asEngine(async (tx) => {
      // One moment for all statements: chunks are joined with others while we read.
      await tx.client.query('set transaction isolation level repeatable read')
      const series = await tx.asTenant(tenant, (inner) => findSeries(inner, {}))
      const byId = new Map(series.map((one) => [one.id, one]))
      for (let i = 0; i < series.length; i += 500) {
        const some = series.slice(i, i + 500)
        const parts = await listParts(
          tx,
          some.map(({ id }) => id),
          0,
          FOR_EVER,
        )
        const raw = parts.filter(({ kind }) => kind === 'open' || kind === 'raw')
        for await (const { part, columns } of new PartReader(engine, tx, some).readings(raw)) {
          const { device, signal } = byId.get(part.series)!
          for (let j = 0; j < columns.n; j++) readings.push({ device, signal, measuredAt: columns.measuredAt[j]! })
        }
      }
    })
  return readings
}

/** Of all readings stored, how many lie in sealed chunks. */
export async function sealedShare(engine: Engine): Promise<number> {
  const { rows } = await engine.db.pool.query<{ sealed: number; open: number }>(
    `select coalesce((select sum(n) from engine.chunk where tier = 0), 0)::float8 as sealed,
            coalesce((select sum(n) from engine.sample), 0)::float8 as open`,
  )
  const { sealed, open } = rows[0]!
  return sealed + open === 0 ? 0 : sealed / (sealed + open)
}

/** Waits until nearly all is sealed: the sealing that a run causes belongs into the run's CPU seconds. */
export async function mostlySealed(engine: Engine, patienceMs = 45_000): Promise<void> {
  const until = performance.now() + patienceMs
  while ((await sealedShare(engine)) < 0.95 && performance.now() < until) await new Promise((go) => setTimeout(go, 250))
}
