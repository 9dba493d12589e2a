/** `careloop doctor --security`: what a security officer asks first, from the settings and from the database as it runs. */
import pg from 'pg'
import { certificateEnd, readTlsFiles } from '../../api/index.ts'
import type { Config } from '../config.ts'
import { isWaived, productionRefusals } from '../production.ts'
import { findRunning } from '../running.ts'
import type { Finding } from './doctor.ts'

const DAY_MS = 86_400_000

export const securityFindings = async (config: Config, now = Date.now()): Promise<Finding[]> => [
  modeFinding(config),
  ...settingFindings(config),
  ...tlsFindings(config, now),
  ...(await accountFindings(config, now)),
]

const modeFinding = ({ mode }: Config): Finding =>
  mode === 'production'
    ? { state: 'good', what: 'production mode: what an evaluation only may have is refused' }
    : {
        state: 'look',
        what: 'evaluation mode: nothing below is refused',
        mend: 'Set CARELOOP_MODE=production before there is anything of a patient in it.',
      }

/** Each point that production refuses, as it stands. */
export function settingFindings(config: Config): Finding[] {
  const refusals = productionRefusals(config)
  if (refusals.length === 0) return [{ state: 'good', what: 'the settings are fit for production' }]
  return refusals.map(({ what, mend, waiver }): Finding => {
    if (isWaived(config, waiver)) return { state: 'look', what: `waived (${waiver}): ${what}`, mend }
    return { state: config.mode === 'production' ? 'bad' : 'look', what, mend }
  })
}

function tlsFindings({ tls }: Config, now: number): Finding[] {
  if (tls === undefined) return []
  try {
    const days = Math.floor((certificateEnd(readTlsFiles(tls)) - now) / DAY_MS)
    const what = `the certificate of the pages ends in ${days} days`
    if (days >= 14) return [{ state: 'good', what }]
    return [
      { state: days < 0 ? 'bad' : 'look', what, mend: 'Renew it; the running server reads the files anew by itself.' },
    ]
  } catch (error) {
    return [{ state: 'bad', what: 'pages and API cannot be served by TLS', mend: (error as Error).message }]
  }
}

/** Counts only: no name and no address is printed. */
async function accountFindings(config: Config, now: number): Promise<Finding[]> {
  const url = config.databaseUrl ?? findRunning(config.dataDir)?.url
  if (url === undefined) return []
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return [await administratorFinding(client), await tokenFinding(client, new Date(now))]
  } catch {
    return [] // that the database cannot be reached, or is of another version, is told elsewhere
  } finally {
    await client.end().catch(() => {})
  }
}

async function administratorFinding(client: pg.Client): Promise<Finding> {
  const { rows } = await client.query<{ organisations: number }>(
    `select count(*)::int as organisations from engine.tenant t
      where (select count(distinct m.user_id) from auth.member m
              where m.tenant_id = t.id and m.ended_at is null and 'administrator' = any(m.roles)) < 2`,
  )
  const alone = rows[0]!.organisations
  return alone === 0
    ? { state: 'good', what: 'every organisation has two administrators or more' }
    : {
        state: 'look',
        what: `${alone} of the organisations have one administrator, or none`,
        mend: 'Have two: one who lost the second factor is let in again by the other, and erasure needs two persons.',
      }
}

async function tokenFinding(client: pg.Client, now: Date): Promise<Finding> {
  const { rows } = await client.query<{ endless: number; all: number }>(
    `select count(*) filter (where expires_at is null)::int as endless, count(*) filter (where '*:*' = any(scopes))::int as all
       from auth.service_token where revoked_at is null and (expires_at is null or expires_at > $1)`,
    [now],
  )
  const { endless, all } = rows[0]!
  return endless + all === 0
    ? { state: 'good', what: 'service tokens have an end and name what they open' }
    : {
        state: 'look',
        what: `service tokens: ${endless} without an end, ${all} that open everything`,
        mend: 'Make narrower ones with an end, move the programs to them, revoke these.',
      }
}
