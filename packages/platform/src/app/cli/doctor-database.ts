import pg from 'pg'
import type { Config } from '../config.ts'
import { findRunning } from '../running.ts'
import type { Finding } from './doctor.ts'

const DURABLE = ['fsync', 'synchronous_commit', 'full_page_writes'] as const

/** The database as it runs: durable settings, clock, lag of the stages, age of certificates. A stopped one is not started. */
export async function databaseFindings(config: Config): Promise<Finding[]> {
  const url = config.databaseUrl ?? findRunning(config.dataDir)?.url
  if (!url)
    return [
      {
        state: 'look',
        what: 'Careloop does not run here, so its database was not looked at',
        mend: 'Start it (`npm start`) and ask again.',
      },
    ]
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return [...(await settingFindings(client)), await clockFinding(client), ...(await lagFindings(client))]
  } catch {
    return [
      {
        state: 'bad',
        what: 'the database cannot be reached',
        mend: 'See that it runs, and that DATABASE_URL is right.',
      },
    ]
  } finally {
    await client.end().catch(() => {})
  }
}

async function settingFindings(client: pg.Client): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const name of DURABLE) {
    const { rows } = await client.query<{ value: string }>('select current_setting($1) as value', [name])
    const value = rows[0]!.value
    findings.push(
      value === 'on'
        ? { state: 'good', what: `${name} = on` }
        : {
            state: 'bad',
            what: `${name} = ${value}`,
            mend: `Acknowledged readings can be lost. Set ${name} = on and restart PostgreSQL.`,
          },
    )
  }
  return findings
}

async function clockFinding(client: pg.Client): Promise<Finding> {
  const before = Date.now()
  const { rows } = await client.query<{ now: number }>(
    'select extract(epoch from clock_timestamp())::float8 * 1000 as now',
  )
  const after = Date.now()
  const off = Math.round(rows[0]!.now - (before + after) / 2)
  return Math.abs(off) <= 1000 + (after - before)
    ? { state: 'good', what: `clock: database and server agree within ${Math.abs(off)} ms` }
    : {
        state: 'bad',
        what: `clock: database and server are ${off} ms apart`,
        mend: 'Let both follow one time server (chrony, systemd-timesyncd).',
      }
}

async function lagFindings(client: pg.Client): Promise<Finding[]> {
  const { rows } = await client.query<{ name: string; behind: number }>(
    `select c.name, (h.position - c.position::bigint)::float8 as behind
       from engine.cursor c, engine.log_head h where h.partition = 0 and c.position ~ '^[0-9]+$'`,
  )
  return rows.map(({ name, behind }) =>
    behind < 1000
      ? { state: 'good', what: `stage ${name} is ${behind} commits behind` }
      : {
          state: 'look',
          what: `stage ${name} is ${behind} commits behind`,
          mend: 'It catches up by itself; if the number grows, give the server more CPU.',
        },
  )
}
