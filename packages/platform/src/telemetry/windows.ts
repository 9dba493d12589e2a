/**
 * Hourly buckets over windows of 32 days, from which questions over years are answered. They are a cache: whatever changes a
 * chunk deletes the windows it lies in, in the same transaction, and they are made again later.
 */
import { bigints, type EngineTx } from '../engine/index.ts'
import { insertChunks, lockWindows } from './chunks.ts'
import { FORMAT_VERSION } from './codec/chunk.ts'
import { encodeBuckets, mergeBuckets, rollUp } from './codec/rollup.ts'
import { orphanRollups, planBuckets } from './read-series.ts'
import { listParts, PartReader, within } from './read-store.ts'
import { DAY, WINDOW } from './resolution.ts'
import { chunkName } from './sealed-names.ts'
import { findSeries, keyOwner, type Series } from './series.ts'
import type { StorePorts } from './store-ports.ts'

/** A window is made once data has gone on this long after its end; what comes later than that deletes it again. */
const SETTLED_MS = DAY

/** Makes the windows that are missing. @returns how many */
export async function makeWindows(ports: StorePorts, tenant: string): Promise<number> {
  const series = await ports.db.asTenant(tenant, (tx) => findSeries(tx, {}))
  const byId = new Map(series.map((one) => [one.id, one]))
  const { rows } = await ports.db.asEngine((tx) =>
    tx.client.query<{ series_id: string; start: string }>(
      `select c.series_id, w.start from (
         select distinct series_id, (from_ms / $2) * $2 as start from engine.chunk
          where series_id = any($1::bigint[]) and tier = 1) w
       join (select series_id, max(to_ms) as newest from engine.chunk
              where series_id = any($1::bigint[]) and tier = 0 group by series_id) c on c.series_id = w.series_id
       where c.newest >= w.start + $2 + $3
         and not exists (select from engine.chunk x where x.series_id = w.series_id and x.tier = 2 and x.from_ms = w.start)
       order by 1, 2`,
      [bigints([...byId.keys()]), WINDOW.spanMs, SETTLED_MS],
    ),
  )
  for (const row of rows) await makeWindow(ports, byId.get(Number(row.series_id))!, Number(row.start))
  return rows.length
}

async function makeWindow(ports: StorePorts, series: Series, fromMs: number): Promise<void> {
  await ports.db.asEngine(async (tx: EngineTx) => {
    // Whoever changes chunks waits until this is committed, and then deletes it.
    await lockWindows(tx, 'alone')
    const toMs = fromMs + WINDOW.spanMs
    const stored = (await listParts(tx, [series.id], fromMs, toMs - 1)).filter((part) => part.kind !== 'open')
    if (orphanRollups(stored).length > 0) return // its readings are gone in part: the rollups themselves answer
    const plan = planBuckets(
      stored.filter((part) => part.kind !== 'window'),
      fromMs,
      toMs - 1,
      WINDOW.widthMs,
    )
    const reader = new PartReader(ports, tx, [series])
    const found = []
    for await (const { part, buckets } of reader.buckets(plan.rolledUp)) found.push({ at: part.fromMs, buckets })
    for await (const { part, columns } of reader.readings(plan.raw))
      found.push({ at: part.fromMs, buckets: rollUp(within(columns, fromMs, toMs - 0.001), WINDOW.widthMs) })
    found.sort((a, b) => a.at - b.at)
    const whole = mergeBuckets(
      found.map((one) => one.buckets),
      WINDOW.widthMs,
    )
    const n = whole.n.reduce((sum, one) => sum + one, 0)
    const key = await ports.keys.keyFor(...keyOwner(series))
    const body = key.seal(encodeBuckets(whole, 'sealed'), chunkName(series.id, 2, fromMs, 0, toMs, n))
    const place = { series: series.id, tier: 2 as const, fromMs, part: 0, toMs, n }
    await insertChunks(tx, [{ ...place, resolutionMs: WINDOW.widthMs, version: FORMAT_VERSION, body }])
  })
}
