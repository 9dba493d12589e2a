/**
 * `migrations/manifest.json`: the hash of every migration and of every table that they make together. It is committed; the check
 * fails when a file changed after it was written down, or when a migration makes another schema than the review saw.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withClient } from '../postgres/first-words.ts'
import { migrate } from './migrate.ts'
import { MIGRATIONS_DIR, readMigrations } from './migration-files.ts'
import { digestSchema, readSchema } from './schema-digest.ts'

export interface Manifest {
  /** File name to SHA-256. */
  readonly migrations: Readonly<Record<string, string>>
  /** Table or function to a digest of all that PostgreSQL says of it. */
  readonly schema: Readonly<Record<string, string>>
}

/** @param emptyUrl an empty database, which is migrated */
export async function makeManifest(emptyUrl: string, dir = MIGRATIONS_DIR): Promise<Manifest> {
  await migrate(emptyUrl, { dir })
  const schema = await withClient(emptyUrl, readSchema)
  return {
    migrations: Object.fromEntries(readMigrations(dir).map(({ file, sha256 }) => [file, sha256])),
    schema: digestSchema(schema),
  }
}

export async function writeManifest(emptyUrl: string, dir = MIGRATIONS_DIR): Promise<void> {
  writeFileSync(join(dir, 'manifest.json'), `${JSON.stringify(await makeManifest(emptyUrl, dir), null, 2)}\n`)
}

/** @returns in words what differs from the committed manifest; empty when it is current */
export async function checkManifest(emptyUrl: string, dir = MIGRATIONS_DIR): Promise<readonly string[]> {
  const wanted = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as Manifest
  const found = await makeManifest(emptyUrl, dir)
  return [
    ...differences('migration', wanted.migrations, found.migrations),
    ...differences('schema of', wanted.schema, found.schema),
  ]
}

function differences(
  what: string,
  wanted: Readonly<Record<string, string>>,
  found: Readonly<Record<string, string>>,
): readonly string[] {
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(found)])].sort()
  return names.flatMap((name) => {
    if (wanted[name] === found[name]) return []
    if (wanted[name] === undefined) return [`${what} ${name}: not in the manifest`]
    return [`${what} ${name}: ${found[name] === undefined ? 'gone' : 'changed'}`]
  })
}
