/** `node scripts/schema-manifest.ts --write|--check`: writes or checks packages/platform/migrations/manifest.json. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkManifest, writeManifest } from '../packages/platform/src/engine/migrate/index.ts'
import { startPostgres } from '../packages/platform/src/engine/postgres/index.ts'

/** @returns what differs from the committed manifest; empty when it is current. About 1 s: it runs the migrations for real. */
export function checkSchemaManifest(): Promise<readonly string[]> {
  return withEmptyDatabase(checkManifest)
}

async function withEmptyDatabase<T>(fn: (url: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'careloop-manifest-'))
  try {
    const server = await startPostgres({ dataDir: join(dir, 'postgres'), initdbArgs: ['--no-sync'] })
    try {
      return await fn(server.url)
    } finally {
      await server.stop()
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

if (import.meta.main) {
  if (process.argv[2] === '--write') {
    await withEmptyDatabase(writeManifest)
  } else if (process.argv[2] === '--check') {
    const found = await checkSchemaManifest()
    for (const line of found) console.error(line)
    if (found.length > 0) {
      console.error('Run "node scripts/schema-manifest.ts --write" and commit what it changes with the migration.')
      process.exitCode = 1
    }
  } else {
    console.error('Say --write or --check.')
    process.exitCode = 2
  }
}
