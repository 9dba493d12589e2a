/**
 * Brings a database to this code's schema. All that is pending is applied in one transaction under one lock: a kill or an
 * error in the middle leaves the schema as it was, and of two processes that start together one waits and finds nothing to do.
 */
import pg from 'pg'
import { engineFailure } from '../errors.ts'
import { MIGRATIONS_DIR, type MigrationFile, readMigrations } from './migration-files.ts'

export interface MigrateOptions {
  /** Applies everything to see that it can be, and takes it back. */
  readonly dryRun?: boolean
  /** Another folder only in tests. */
  readonly dir?: string
}

export interface Migrated {
  /** Files applied (or, in a dry run, that would be), oldest first. */
  readonly applied: readonly string[]
  /** Number of the newest migration before. 0 = an empty database. */
  readonly from: number
  readonly to: number
}

/** Any number that is ours: `care` in ASCII. */
const LOCK = 0x63617265

/**
 * @param url of the database, with a role that owns it
 * @throws Failure `schema-newer`, `schema-edited`, `migration-failed` (503)
 */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<Migrated> {
  const files = readMigrations(options.dir ?? MIGRATIONS_DIR)
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // a lost connection reaches us by the query that waits
  await client.connect()
  try {
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock($1)', [LOCK])
    const applied = await readApplied(client)
    const pending = choosePending(files, applied)
    for (const file of pending) await apply(client, file)
    await client.query(options.dryRun === true ? 'rollback' : 'commit')
    const from = applied.at(-1)?.number ?? 0
    return { applied: pending.map((file) => file.file), from, to: pending.at(-1)?.number ?? from }
  } finally {
    await client.end() // ends an open transaction as well
  }
}

interface Applied {
  readonly number: number
  readonly name: string
  readonly sha256: string
}

async function readApplied(client: pg.Client): Promise<readonly Applied[]> {
  const { rows: found } = await client.query<{ there: boolean }>(
    `select to_regclass('engine.migration') is not null as there`,
  )
  if (found[0]?.there !== true) return []
  const { rows } = await client.query<Applied>('select number, name, sha256 from engine.migration order by number')
  return rows
}

/** Pure: what is still to be applied, or why nothing may be. */
export function choosePending(files: readonly MigrationFile[], applied: readonly Applied[]): readonly MigrationFile[] {
  const newest = files.at(-1)?.number ?? 0
  for (const done of applied) {
    const file = files.find((candidate) => candidate.number === done.number)
    const label = `${String(done.number).padStart(4, '0')}-${done.name}.sql`
    if (done.number > newest) {
      throw engineFailure(
        'schema-newer',
        `These data were written by a newer Careloop (${label}); this one knows migrations up to ${newest}. Start the newer release, or restore a backup from before the upgrade.`,
      )
    }
    if (file?.sha256 !== done.sha256) {
      throw engineFailure(
        'schema-edited',
        `${label} was applied to these data in another wording than this code has. Applied migrations are never edited: put the file back and write a new one.`,
      )
    }
  }
  const last = applied.at(-1)?.number ?? 0
  const skipped = files.find((file) => file.number < last && !applied.some((done) => done.number === file.number))
  if (skipped !== undefined) {
    throw engineFailure(
      'schema-edited',
      `${skipped.file} was put before migrations that these data already have. Give it the next free number.`,
    )
  }
  return files.filter((file) => file.number > last)
}

async function apply(client: pg.Client, file: MigrationFile): Promise<void> {
  const xid = async () => (await client.query<{ xid: string }>('select pg_current_xact_id()::text as xid')).rows[0]?.xid
  const before = await xid()
  try {
    await client.query(file.sql)
  } catch (cause) {
    throw engineFailure('migration-failed', `${describe(file, cause)} Nothing was applied.`, { cause })
  }
  if ((await xid()) !== before) {
    throw engineFailure(
      'migration-failed',
      `${file.file} ends the transaction. Take its begin, commit and rollback out.`,
    )
  }
  await client.query('insert into engine.migration (number, name, sha256) values ($1, $2, $3)', [
    file.number,
    file.name,
    file.sha256,
  ])
}

function describe(file: MigrationFile, cause: unknown): string {
  const said = cause instanceof Error ? cause.message : String(cause)
  const position = cause instanceof pg.DatabaseError ? Number(cause.position) : Number.NaN
  const line = Number.isNaN(position) ? '' : `:${file.sql.slice(0, position).split('\n').length}`
  const advice =
    cause instanceof pg.DatabaseError && cause.code === '42501'
      ? ' The role of DATABASE_URL must own the database and may create roles (alter role ... createrole).'
      : ''
  return `${file.file}${line}: ${said}.${advice}`
}
