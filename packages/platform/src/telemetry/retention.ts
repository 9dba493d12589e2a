/**
 * How long readings are kept one by one. Whole raw chunks are deleted, and only those that have a rollup, unless a signal was
 * given days of its own: a home blood pressure has no rollup and is small; it stays. Rollups stay.
 */

import { record } from '../audit/index.ts'
import { bigints, type Engine } from '../engine/index.ts'
import { heldSubjects } from '../subjects/index.ts'
import { DAY } from './resolution.ts'
import { findSeries } from './series.ts'

export interface RetentionPolicy {
  /** Days that raw readings of dense signals are kept. Default 730. null = for ever. */
  readonly rawDays?: number | null
  /** Days by signal, for all its raw chunks; null = for ever. */
  readonly bySignal?: Readonly<Record<string, number | null>>
}

/** Deletes what is past its time, with an audit entry when there was any. @returns how many chunks */
export async function retireChunks(engine: Engine, tenant: string, policy: RetentionPolicy): Promise<number> {
  const now = engine.clock.now()
  const usual = policy.rawDays === undefined ? 730 : policy.rawDays
  const series = await engine.db.asTenant(tenant, async (tx) => {
    const held = await heldSubjects(tx) // under a legal hold nothing is let go by age
    return (await findSeries(tx, {})).filter(({ subject }) => subject === null || !held.has(subject))
  })
  let retired = 0
  for (const [signal, own] of Map.groupBy(series, (one) => one.signal)) {
    const set = policy.bySignal?.[signal]
    const days = set === undefined ? usual : set
    if (days === null) continue
    retired += await engine.db.asEngine(async (tx) => {
      const { rows } = await tx.client.query<{ blob: string | null }>(
        `delete from engine.chunk c where c.series_id = any($1::bigint[]) and c.tier = 0 and c.to_ms < $2
            and ($3 or exists (select from engine.chunk r where r.series_id = c.series_id and r.tier = 1
                                  and r.from_ms = c.from_ms and r.part = c.part))
         returning blob`,
        [bigints(own.map((one) => one.id)), now - days * DAY, set !== undefined],
      )
      if (rows.length > 0)
        await tx.asTenant(tenant, (tenantTx) =>
          record(tenantTx, { actor: 'system:telemetry-upkeep', action: 'delete', resource: 'series', id: signal }),
        )
      tx.afterCommit(() => {
        for (const { blob } of rows) if (blob !== null) void engine.blobs.delete(blob).catch(() => {})
      })
      return rows.length
    })
  }
  return retired
}
