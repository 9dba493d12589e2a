/**
 * pg-boss as our store of timers: it keeps the jobs, orders them, and lets each be taken by one process only. Its workers, its
 * supervision and its schema migrations stay off: docs/adr/0010-timers-and-notifications.md says why.
 */
import type { ClientBase, Pool } from 'pg'
import { type Clock as BossClock, type Db as BossDb, PgBoss } from 'pg-boss'
import type { Clock } from '../ports.ts'

export const schema = 'pgboss'

/** A job's place in time as tests script it; null = the database's own clock. */
export type ScriptedNow = (() => number) | null

/**
 * @param pool for what pg-boss asks by itself: it is asked for inside transactions, and must not wait behind them
 * @param clock of its own timers, which only renew its list of queues
 */
export function makeBoss(pool: Pool, clock: Clock, scripted: ScriptedNow): PgBoss {
  return new PgBoss({
    db: scripted === null ? plain(pool) : onScriptedTime(pool, scripted),
    schema,
    clock: bossClock(clock, scripted !== null),
    ...{ migrate: false, supervise: false, schedule: false, registerInstance: false },
    openTelemetry: { enabled: false },
  })
}

const plain = (pool: Pool): BossDb => ({ executeSql: (text, values) => pool.query(text, values) })

const onScriptedTime = (pool: Pool, now: () => number): BossDb => ({
  async executeSql(text, values) {
    const client = await pool.connect()
    try {
      await tellTime(client, now)
      return await client.query(text, values)
    } finally {
      client.release()
    }
  },
})

/** pg-boss over the caller's connection: what it writes commits with the caller's transaction. */
export const withinTransaction = (client: ClientBase, scripted: ScriptedNow): BossDb => ({
  async executeSql(text, values) {
    if (scripted !== null) await tellTime(client, scripted)
    return client.query(text, values)
  },
})

const tellTime = (client: ClientBase, now: () => number) =>
  client.query(`select set_config('careloop.now', $1, false)`, [new Date(now()).toISOString()])

/**
 * For tests: pg-boss compares times with `job_now()`, which from now on is what the asking connection was told. Its own `TestClock`
 * keeps the time in one table for all, which processes with clocks of their own would take from each other.
 */
export async function scriptTime(pool: Pool): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('select pg_advisory_lock(727273)')
    await client.query(
      `create or replace function ${schema}.job_now() returns timestamp with time zone language sql stable as
        $$ select coalesce(nullif(current_setting('careloop.now', true), '')::timestamptz, pg_catalog.now()) $$`,
    )
    await client.query('select pg_advisory_unlock(727273)')
  } finally {
    client.release()
  }
}

/** Its own intervals renew its list of queues and count what is under way: a test that plays a night plays 40,000 of them, so it has none. */
function bossClock(clock: Clock, isScripted: boolean): BossClock {
  return {
    now: () => clock.now(),
    setTimeout(fn, ms) {
      const abort = new AbortController()
      void clock.sleep(ms, abort.signal).then(() => abort.signal.aborted || fn())
      return abort
    },
    clearTimeout: (timer) => (timer as AbortController | undefined)?.abort(),
    setInterval: (fn, ms) => (isScripted ? () => {} : clock.every(ms, fn)),
    clearInterval: (stop) => (stop as (() => void) | undefined)?.(),
  }
}
