/** What is said to a server before anyone else may use it: is it ours and well, has it our database, is our password right. */
import pg from 'pg'
import { connectionUrl, DATABASE, type Endpoint, type Layout, makePassword, ROLE } from './layout.ts'
import { scramVerifier } from './scram.ts'

/** Runs `fn` on one connection. `password` null: by open access. */
export async function withClient<T>(url: string, fn: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 60_000 })
  client.on('error', () => {}) // the query that waits learns of it; without a listener Node would end
  await client.connect()
  try {
    return await fn(client)
  } finally {
    await client.end()
  }
}

/** Whether a server that was left behind lets us in and answers. */
export async function isHealthy(endpoint: Endpoint, password: string, startedAt: number): Promise<boolean> {
  try {
    return await withClient(connectionUrl(endpoint, password, 'postgres'), async (client) => {
      const { rows } = await client.query<{ started: string }>(
        'select floor(extract(epoch from pg_postmaster_start_time())) as started',
      )
      // The pid file is written in the second of the start or the one before.
      return Math.abs(Number(rows[0]?.started) - startedAt) <= 1
    })
  } catch {
    return false
  }
}

export async function ensureDatabase(endpoint: Endpoint, password: string): Promise<void> {
  await withClient(connectionUrl(endpoint, password, 'postgres'), async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE])
    if (rowCount === 0) await client.query(`create database ${DATABASE}`)
  })
}

/** Gives our role a new password on a server with open access: the file was lost or the data came from a copy without it. */
export async function replacePassword(endpoint: Endpoint, place: Layout): Promise<void> {
  await withClient(connectionUrl(endpoint, '', 'postgres'), async (client) => {
    await client.query(`alter role ${ROLE} password '${scramVerifier(makePassword(place))}'`)
  })
}
