/** Watches the database for a moment to strike at. A moment is a statement that is running now. */
import pg from 'pg'

export interface Aim {
  /** Resolves with the backend's process number when such a statement runs; undefined when none did in time. */
  backend(where: string, patienceMs?: number): Promise<number | undefined>
  /** Whoever writes this table from now on stands still, in the middle of its transaction, until it is let go. */
  obstruct(table: string): Promise<Obstruction>
  close(): Promise<void>
}

export interface Obstruction {
  /** What is true, in `pg_stat_activity`, of those who stand there. */
  readonly standsThere: string
  letGo(): Promise<void>
}

/** A commit of the reading log is under way. */
export const COMMITTING = `application_name = 'careloop-log' and state = 'active'`
/** Readings are being sealed: chunks are being written. */
export const SEALING = `query ilike '%engine.chunk%' and query not ilike '%pg_stat_activity%' and state in ('active', 'idle in transaction')`
/** Telemetry takes in readings. */
export const TAKING_IN = `query ilike '%engine.sample%' and query not ilike '%pg_stat_activity%' and state in ('active', 'idle in transaction')`

export async function takeAim(url: string): Promise<Aim> {
  const client = await connect(url)
  return {
    async backend(where, patienceMs = 30_000) {
      const until = performance.now() + patienceMs
      while (performance.now() < until) {
        const { rows } = await client.query<{ pid: number }>(
          `select pid from pg_stat_activity where pid <> pg_backend_pid() and ${where} limit 1`,
        )
        if (rows[0]) return rows[0].pid
      }
      return undefined
    },
    async obstruct(table) {
      const holder = await connect(url)
      await holder.query('begin')
      await holder.query(`lock table ${table} in share row exclusive mode`)
      const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid')
      return {
        standsThere: `${rows[0]!.pid} = any (pg_blocking_pids(pid))`,
        letGo: () => holder.end().catch(() => {}),
      }
    },
    close: () => client.end().catch(() => {}),
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'story-aim' })
  client.on('error', () => {})
  await client.connect()
  return client
}
