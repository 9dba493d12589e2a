/** What a database must be before Careloop trusts it with a reading, be it embedded or behind DATABASE_URL. */
import type { ClientBase } from 'pg'
import { engineFailure } from '../errors.ts'
import { DURABLE } from './settings.ts'

/** Oldest PostgreSQL that has all we use (the grants and views of 15). */
const OLDEST = 150_000

/**
 * Asserts that a commit that was answered survives a power cut.
 * @throws Failure `postgres-unsafe` (503)
 */
export async function assertDurable(client: ClientBase): Promise<void> {
  for (const [name, wanted] of Object.entries(DURABLE)) {
    const { rows } = await client.query<{ setting: string }>('select current_setting($1) as setting', [name])
    const found = rows[0]?.setting ?? 'unknown'
    if (found === wanted || (name === 'synchronous_commit' && STRONGER.has(found))) continue
    throw engineFailure(
      'postgres-unsafe',
      `The database runs with ${name} = ${found}: what it says it has stored, it may lose. Set ${name} = ${wanted} (alter system, role and database settings count too).`,
    )
  }
}

/** They wait for a standby as well. */
const STRONGER = new Set(['remote_write', 'remote_apply'])

/**
 * By which settings the database's log would keep what statements carry: mostly ciphertext and opaque ids, and never to be relied on.
 * @returns a line for each, with what to set; empty when the log keeps none
 */
export async function parameterLogging(client: Pick<ClientBase, 'query'>): Promise<string[]> {
  const { rows } = await client.query<{ name: string; setting: string }>(
    'select name, setting from pg_settings where name = any($1)',
    [Object.keys(QUIET)],
  )
  return rows
    .filter(({ name, setting }) => !QUIET[name]!.includes(setting))
    .map(({ name, setting }) => {
      const wanted = QUIET[name]![0]!
      return `${name} = ${setting}; set ${name} = ${wanted}`
    })
}

const QUIET: Readonly<Record<string, readonly string[]>> = {
  log_statement: ['none', 'ddl'],
  log_min_duration_statement: ['-1'],
  log_min_duration_sample: ['-1'],
  log_transaction_sample_rate: ['0'],
  log_parameter_max_length: ['0'],
  log_parameter_max_length_on_error: ['0'],
  'auto_explain.log_min_duration': ['-1'],
}

/** @throws Failure `postgres-unsafe` (503) */
export async function assertVersion(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ version: string }>(`select current_setting('server_version_num') as version`)
  const version = Number(rows[0]?.version)
  if (version >= OLDEST) return
  throw engineFailure(
    'postgres-unsafe',
    `This is PostgreSQL ${Math.trunc(version / 10_000)}; Careloop needs 15 or newer. Upgrade it, or leave DATABASE_URL unset for the embedded one.`,
  )
}

/**
 * Asserts that role careloop_app, as which every room reads and writes, is held by row-level security: neither it nor a role it
 * can become may bypass it, every tenant table applies it, and the timers are closed to it. Call after `migrate`.
 * @throws Failure `postgres-unsafe` (503)
 */
export async function assertRowSecurity(client: ClientBase): Promise<void> {
  const { rows: may } = await client.query<{ may: boolean }>(`select pg_has_role('careloop_app', 'member') as may`)
  if (may[0]?.may !== true) {
    throw engineFailure(
      'postgres-unsafe',
      'The role of DATABASE_URL cannot become careloop_app. Run as an administrator: grant careloop_app to that role.',
    )
  }
  const roles = await client.query<{ name: string }>(
    `select r.rolname as name from pg_roles r
      where pg_has_role('careloop_app', r.oid, 'member') and (r.rolsuper or r.rolbypassrls)`,
  )
  if (roles.rows.length > 0) {
    throw engineFailure(
      'postgres-unsafe',
      `Role careloop_app can bypass row-level security by ${roles.rows.map((row) => row.name).join(', ')}. Run: alter role careloop_app nosuperuser nobypassrls; and revoke those roles from it.`,
    )
  }
  // Timers carry ids of all tenants, and what fires pages people.
  const { rows: timers } = await client.query<{ open: boolean }>(
    `select coalesce(has_schema_privilege('careloop_app', to_regnamespace('pgboss')::oid, 'usage, create'), false) as open`,
  )
  if (timers[0]?.open === true) {
    throw engineFailure(
      'postgres-unsafe',
      'Role careloop_app can use schema pgboss, which is closed to it. Run: revoke all on schema pgboss from careloop_app, public.',
    )
  }
  const open = await client.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'tenant' and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)`,
  )
  if (open.rows.length > 0) {
    throw engineFailure(
      'postgres-unsafe',
      `Row-level security is off for ${open.rows.map((row) => row.name).join(', ')}. Run for each: alter table ... enable row level security; alter table ... force row level security.`,
    )
  }
}
