/** The migrations as they stand in `packages/platform/migrations`: `NNNN-name.sql`, applied in the order of their numbers. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { engineFailure } from '../errors.ts'

export interface MigrationFile {
  readonly number: number
  /** Without number and ending: `engine`. */
  readonly name: string
  readonly file: string
  readonly sql: string
  /** Hex, over the file's bytes with Unix line ends, so that a checkout on Windows has the same. */
  readonly sha256: string
}

export const MIGRATIONS_DIR = fileURLToPath(new URL('../../../migrations', import.meta.url))

/** @throws Failure `migration-failed` (503) for two files of one number or a file that is named otherwise */
export function readMigrations(dir = MIGRATIONS_DIR): readonly MigrationFile[] {
  const files = readdirSync(dir)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => readMigration(dir, file))
  for (const [index, { number, file }] of files.entries()) {
    const before = files[index - 1]
    if (before?.number === number) {
      throw engineFailure(
        'migration-failed',
        `${before.file} and ${file} have one number. Give the newer one the next.`,
      )
    }
  }
  return files
}

function readMigration(dir: string, file: string): MigrationFile {
  const match = /^(\d{4})-([a-z0-9-]+)\.sql$/.exec(file)
  if (match === null) {
    throw engineFailure('migration-failed', `${file} is no name of a migration. Name it NNNN-name.sql.`)
  }
  const sql = readFileSync(join(dir, file), 'utf8').replaceAll('\r\n', '\n')
  return {
    number: Number(match[1]),
    name: match[2]!,
    file,
    sql,
    sha256: createHash('sha256').update(sql).digest('hex'),
  }
}
