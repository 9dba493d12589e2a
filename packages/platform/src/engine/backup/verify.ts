/** A drill: the newest backup is restored beside the living database, started, read, and thrown away. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { openSeals } from './open-seals.ts'
import { type Restored, type RestoreOptions, restore } from './restore.ts'

export interface Verified extends Restored {
  /** Commits of the reading log that were read. */
  readonly commits: number
}

/**
 * @param options.below where the copy lies meanwhile; default the system's folder for temporary files
 * @throws what `restore` and `openSeals` throw; Error when the restored log has a hole
 */
export async function verifyBackup(
  options: Omit<RestoreOptions, 'into' | 'finish'> & { readonly below?: string },
): Promise<Verified> {
  const below = options.below ?? tmpdir()
  mkdirSync(below, { recursive: true, mode: 0o700 })
  const scratch = mkdtempSync(join(below, 'careloop-drill-'))
  let commits = 0
  try {
    const restored = await restore({
      ...options,
      into: scratch,
      async finish(url) {
        commits = await readThrough(url)
        await openSeals(url, options.masters, scratch)
      },
    })
    return { ...restored, commits }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Reads every table to its end, so that a page that is damaged is noticed by its checksum. @returns commits of the reading log */
async function readThrough(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname in ('engine', 'tenant', 'auth', 'pgboss')`,
    )
    for (const { name } of tables) await client.query(`select count(t.*) from only ${name} t`)
    const { rows } = await client.query<{ commits: number; whole: boolean }>(
      `select count(*)::float8 as commits,
              count(*) = coalesce(max(position) - min(position) + 1, 0) as whole
         from engine.reading_log where partition = 0`,
    )
    if (!rows[0]!.whole) throw new Error('the restored reading log has a hole')
    return rows[0]!.commits
  } finally {
    await client.end()
  }
}
