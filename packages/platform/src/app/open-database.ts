/** The database: the embedded server in the data directory, or the one that DATABASE_URL names. Checked and migrated. */
import { join } from 'node:path'
import {
  assertNoRestoreRuns,
  type EmbeddedPostgres,
  prepareDatabase,
  startPostgres,
  type Watch,
} from '../engine/index.ts'
import type { Config } from './config.ts'

export interface OpenDatabase {
  /** Holds a password: never log it. */
  readonly url: string
  readonly embedded: EmbeddedPostgres | null
  close(): Promise<void>
}

export async function openDatabase(config: Config, watch: Watch): Promise<OpenDatabase> {
  assertNoRestoreRuns(config.dataDir)
  if (config.databaseUrl) {
    await prepareDatabase(config.databaseUrl)
    return { url: config.databaseUrl, embedded: null, close: async () => {} }
  }
  const embedded = await startPostgres({
    dataDir: join(config.dataDir, 'postgres'),
    onEvent: (state) =>
      watch.log[state === 'died' || state === 'restart-failed' ? 'error' : 'info']({ state }, 'embedded PostgreSQL'),
  })
  try {
    await prepareDatabase(embedded.url)
  } catch (error) {
    await embedded.stop()
    throw error
  }
  return { url: embedded.url, embedded, close: () => embedded.stop() }
}
