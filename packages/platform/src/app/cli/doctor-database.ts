import { existsSync } from 'node:fs'
import { Failure } from '@careloop/contract'
import pg from 'pg'
import { auditHealth, auditTrouble, describeSinks } from '../../audit/index.ts'
import { assertRowSecurity, makeClock, makeIds, parameterLogging } from '../../engine/index.ts'
import type { Config } from '../config.ts'
import { assertMasterFits } from '../master-fits.ts'
import { openMasters } from '../open-masters.ts'
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
    return [
      ...(await settingFindings(client)),
      await rowSecurityFinding(client),
      ...(await logFindings(client)),
      await keyFinding(client, config),
      ...(await certificateFindings(client, Date.now())),
      await clockFinding(client),
      ...(await lagFindings(client)),
      await auditFinding(client, config, Date.now()),
    ]
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

/** How old what a sink has of the audit trail is: what could be changed unseen. */
async function auditFinding(client: pg.Client, { auditSinks }: Config, now: number): Promise<Finding> {
  const health = await auditHealth(client)
  const said = health.acknowledged.map(({ sink, signedAt }) => `${sink} ${Math.round((now - signedAt) / 1000)} s`)
  const clock = makeClock()
  const sinks = describeSinks(auditSinks, { clock, ids: makeIds(clock) })
  const trouble = auditTrouble(health, { now, since: 0, sinks })
  const what = `checkpoints of the audit trail, age of the newest acknowledged: ${said.join(', ') || 'none yet'}`
  return trouble === null ? { state: 'good', what } : { state: 'bad', what, mend: trouble }
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

/** A log of parameters is a second store of what is written, without a key. */
async function logFindings(client: pg.Client): Promise<Finding[]> {
  const leaks = await parameterLogging(client)
  if (leaks.length === 0) return [{ state: 'good', what: 'the database logs no parameters of statements' }]
  return leaks.map(
    (leak): Finding => ({
      state: 'bad',
      what: `the database logs what statements carry: ${leak.split(';')[0]}`,
      mend: `As its superuser: alter system ${leak.split('; ')[1]}; then select pg_reload_conf().`,
    }),
  )
}

async function rowSecurityFinding(client: pg.Client): Promise<Finding> {
  return assertRowSecurity(client).then(
    () => ({ state: 'good', what: 'row-level security holds organisations apart' }) as const,
    (error: unknown) => refused('row-level security does not hold organisations apart', error),
  )
}

/** The file is looked at only: where there is none, that is told elsewhere. */
async function keyFinding(client: pg.Client, config: Config): Promise<Finding> {
  if (config.kms === undefined && !existsSync(config.masterKeyFile))
    return { state: 'look', what: 'no master key to try on the database' }
  try {
    const { keys } = await openMasters(config)
    await assertMasterFits(client, keys)
    return { state: 'good', what: 'the master key opens what the database holds' }
  } catch (error) {
    return refused('the master key does not open what the database holds', error)
  }
}

function refused(what: string, error: unknown): Finding {
  if (!(error instanceof Failure)) throw error
  return { state: 'bad', what, mend: error.message }
}

const DAY_MS = 86_400_000

/** The authority, which is followed by another in time while a server runs, and certificates of devices, which are not. */
export async function certificateFindings(client: pg.Client | pg.Pool, now: number): Promise<Finding[]> {
  const ca = await client.query<{ at: number | null }>(
    'select (extract(epoch from max(not_after)) * 1000)::float8 as at from engine.certificate_authority',
  )
  const devices = await client.query<{ over: number; soon: number }>(
    `select count(*) filter (where expires_at <= $1)::int as over,
            count(*) filter (where expires_at > $1 and expires_at <= $2)::int as soon
       from engine.device_credential where kind = 'certificate' and revoked_at is null`,
    [now, now + 30 * DAY_MS],
  )
  const { over, soon } = devices.rows[0]!
  const mend = 'Issue each such device a new certificate: its page, or POST /api/v1/devices/{id}/certificates.'
  const ofDevices: Finding =
    over + soon === 0
      ? { state: 'good', what: 'no certificate of a device ends within 30 days' }
      : { state: 'look', what: `certificates of devices: ${over} have ended, ${soon} end within 30 days`, mend }
  const at = ca.rows[0]?.at ?? null
  if (at === null) return [ofDevices]
  const days = Math.floor((at - now) / DAY_MS)
  const what = `the certificate authority of devices ends in ${days} days`
  return [
    days >= 90
      ? { state: 'good', what }
      : {
          state: days < 0 ? 'bad' : 'look',
          what,
          mend: 'Start the server anew: it makes the next one. Then renew certificates of devices.',
        },
    ofDevices,
  ]
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
