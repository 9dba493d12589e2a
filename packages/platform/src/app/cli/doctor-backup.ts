/** Backups as the doctor sees them: of the server that runs here, or of the external database. */
import pg from 'pg'
import { readBackupState } from '../../engine/index.ts'
import { backupTroubles } from '../backup-health.ts'
import type { Config } from '../config.ts'
import { findRunning } from '../running.ts'
import type { Finding } from './doctor.ts'

export async function backupFindings(config: Config, now: number): Promise<Finding[]> {
  const url = config.databaseUrl ?? findRunning(config.dataDir)?.url
  if (!config.backup)
    return [
      {
        state: config.mode === 'production' ? 'bad' : 'look',
        what: 'no backup is set up',
        mend: 'Name a folder on another disk, or a bucket, in CARELOOP_BACKUP: docs/backup.md',
      },
    ]
  if (!url)
    return [{ state: 'look', what: 'no server runs, so backups cannot be looked at', mend: 'careloop backup list' }]
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ there: boolean }>(`select to_regclass('engine.backup') is not null as there`)
    if (!rows[0]!.there) return [] // before this version's schema: told of elsewhere
    const troubles = backupTroubles(config, await readBackupState(client), now)
    if (troubles.length === 0) return [{ state: 'good', what: 'backups are well' }]
    return troubles.map(({ what, mend }) => ({ state: 'look', what, mend }))
  } catch {
    return [] // a database that does not answer is told of elsewhere
  } finally {
    await client.end().catch(() => {})
  }
}
