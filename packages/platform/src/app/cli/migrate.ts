/** `careloop migrate [--dry-run]`. */

import { join } from 'node:path'
import { makeWatch, migrate, openMasterKey, startPostgres } from '../../engine/index.ts'
import type { Command } from '../main.ts'
import { findRunning } from '../running.ts'

export const migrateCommand: Command = async (config, _words, options) => {
  const dryRun = options['dry-run'] === true
  const watch = makeWatch({ level: 'warn' })
  // Before there are data there is a master key: data without one could never be opened, and are refused ever after.
  const master = await openMasterKey({ path: config.masterKeyFile, dataDir: config.dataDir })
  for (const notice of master.notices) console.error(notice)
  const url = config.databaseUrl ?? findRunning(config.dataDir)?.url
  const embedded = url
    ? null
    : await startPostgres({
        dataDir: join(config.dataDir, 'postgres'),
        onEvent: (event) => watch.log.debug({ event }, 'embedded PostgreSQL'),
      })
  try {
    const { applied, from, to } = await migrate(url ?? embedded!.url, { dryRun })
    if (applied.length === 0) console.log(`Nothing to do: the schema is at ${from}.`)
    else console.log(`${dryRun ? 'Would apply' : 'Applied'} ${applied.join(', ')}: ${from} -> ${to}`)
  } finally {
    await embedded?.stop()
  }
}
