/** `careloop migrate [--dry-run]`. */

import { join } from 'node:path'
import pg from 'pg'
import { type MasterKeys, makeWatch, migrate, startPostgres } from '../../engine/index.ts'
import type { Command } from '../main.ts'
import { assertMasterFits } from '../master-fits.ts'
import { openMasters } from '../open-masters.ts'
import { findRunning } from '../running.ts'

export const migrateCommand: Command = async (config, _words, options) => {
  const dryRun = options['dry-run'] === true
  const watch = makeWatch({ level: 'warn' })
  // Before there are data there is a master key: data without one could never be opened, and are refused ever after.
  const master = await openMasters(config)
  for (const notice of master.notices) console.error(notice)
  const url = config.databaseUrl ?? findRunning(config.dataDir)?.url
  const embedded = url
    ? null
    : await startPostgres({
        dataDir: join(config.dataDir, 'postgres'),
        onEvent: (event) => watch.log.debug({ event }, 'embedded PostgreSQL'),
      })
  try {
    await assertKeyFits(url ?? embedded!.url, master.keys)
    const { applied, from, to } = await migrate(url ?? embedded!.url, { dryRun })
    if (applied.length === 0) console.log(`Nothing to do: the schema is at ${from}.`)
    else console.log(`${dryRun ? 'Would apply' : 'Applied'} ${applied.join(', ')}: ${from} -> ${to}`)
  } finally {
    await embedded?.stop()
  }
}

/** Before anything is changed, and only where there is something to fit. @throws Failure `master-key-foreign` */
async function assertKeyFits(url: string, masters: MasterKeys): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows } = await client.query<{ there: boolean }>(
      `select to_regclass('engine.data_key') is not null as there`,
    )
    if (rows[0]!.there) await assertMasterFits(client, masters)
  } finally {
    await client.end()
  }
}
