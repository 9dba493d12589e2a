/**
 * Stage `retention`: lets go of what the log and the outbox no longer owe to anybody: older than their days, and taken in by
 * every reader. The floor moves in the same transaction, so a reader that comes too late learns that it did.
 */
import { Counter } from 'prom-client'
import type { Engine, Stage } from '../ports.ts'

export interface RetentionOptions {
  /** Days that raw frames stay in the reading log. Default 7. */
  readonly logDays?: number
  /** Days that facts stay for readers and live pages. Default 30. */
  readonly factDays?: number
  /** How often it looks, ms. Default 10 min. */
  readonly everyMs?: number
}

const DAY_MS = 86_400_000
const BATCH = 2000
/** A reader may begin again from a checkpoint somewhat below its cursor: this many commits stay whatever their age. */
const KEEP_COMMITS = 20_000

export function retentionStage(options: RetentionOptions = {}): Stage {
  return {
    name: 'retention',
    async start(engine) {
      const stopping = new AbortController()
      const commits = new Counter({
        name: 'careloop_log_commits_let_go_total',
        help: 'Commits of the reading log deleted after their days',
        registers: [engine.watch.metrics],
      })
      const running = run(engine, options, stopping.signal, (count) => commits.inc(count))
      return async () => {
        stopping.abort()
        await running
      }
    },
  }
}

async function run(
  engine: Engine,
  options: RetentionOptions,
  stop: AbortSignal,
  count: (commits: number) => void,
): Promise<void> {
  while (!stop.aborted) {
    const lease = await engine.leases.acquire('retention', 60_000).catch(() => null)
    try {
      if (lease) {
        const now = engine.clock.now()
        count(await letGoOfCommits(engine, now - (options.logDays ?? 7) * DAY_MS, stop))
        await letGoOfFacts(engine, now - (options.factDays ?? 30) * DAY_MS)
      }
    } catch (err) {
      engine.watch.log.warn({ err }, 'old commits could not be let go; trying again')
    } finally {
      await lease?.release().catch(() => {})
    }
    await engine.clock.sleep(options.everyMs ?? 600_000, stop)
  }
}

/**
 * Deletes commits stored before `before` that every reader has taken in.
 * @returns how many
 */
export async function letGoOfCommits(engine: Engine, before: number, stop?: AbortSignal): Promise<number> {
  let total = 0
  for (;;) {
    const deleted = await engine.db.asEngine(async ({ client }) => {
      const { rows } = await client.query<{ floor: number | null }>(
        `select max(position)::float8 as floor from (
           select position from engine.reading_log
            where partition = 0 and stored_at < $1
              and position <= (select coalesce(min(position::bigint), 0) from engine.cursor where position ~ '^[0-9]+$')
              and position <= (select coalesce(min(checkpoint), 0) from engine.door_process where not ended)
              and position <= (select position - $2 from engine.log_head where partition = 0)
            order by position limit $3) oldest`,
        [before, KEEP_COMMITS, BATCH],
      )
      const floor = rows[0]?.floor
      if (floor === null || floor === undefined) return 0
      await client.query('update engine.log_head set floor = greatest(floor, $1) where partition = 0', [floor])
      const gone = await client.query('delete from engine.reading_log where partition = 0 and position <= $1', [floor])
      return gone.rowCount ?? 0
    })
    total += deleted
    if (deleted < BATCH || stop?.aborted) return total
  }
}

/** Deletes facts told before `before` that every reader of facts has heard. @returns how many */
export async function letGoOfFacts(engine: Engine, before: number): Promise<number> {
  const { rowCount } = await engine.db.pool.query(
    `delete from engine.fact where at < to_timestamp($1 / 1000.0) and (xid, id) <= (
       select split_part(position, ':', 1)::xid8, split_part(position, ':', 2)::bigint from engine.cursor
        where position like '%:%' order by 1, 2 limit 1)`,
    [before],
  )
  return rowCount ?? 0
}
