/** `careloop backup run`: a base copy now, by the server that runs, or by this command where none runs. */
import { join } from 'node:path'
import pg from 'pg'
import { makeWatch, openEngine, readBackupState, startPostgres, writeBackupState } from '../../engine/index.ts'
import { backupStage } from '../../engine/stages.ts'
import { backupPartsOf } from '../backups.ts'
import type { Config } from '../config.ts'
import { appFailure } from '../errors.ts'
import { openMasters } from '../open-masters.ts'
import { findRunning } from '../running.ts'

/** @throws Failure `usage`, and what the stage ran into by its code */
export async function backupNow(config: Config): Promise<void> {
  if (!config.backup) throw appFailure('usage', 'No store is named. Set CARELOOP_BACKUP: docs/backup.md')
  if (config.databaseUrl)
    throw appFailure(
      'usage',
      'An external database is backed up by its own means; tell it here: careloop backup report',
    )
  const running = findRunning(config.dataDir)
  if (running) return ask(running.url)
  const server = await startPostgres({ dataDir: join(config.dataDir, 'postgres') })
  try {
    await byOurselves(config, server.url)
  } finally {
    await server.stop()
  }
}

async function byOurselves(config: Config, url: string): Promise<void> {
  const { keys: masters } = await openMasters(config)
  const watch = makeWatch({ level: 'warn' })
  const opened = openEngine({ url, masters, dataDir: config.dataDir, watch, maxConnections: 4 })
  const stop = await backupStage(backupPartsOf(config, masters, url, opened.engine)).start(opened.engine)
  try {
    await ask(url)
  } finally {
    await stop()
    await opened.close()
  }
}

const LOOK_MS = 200

async function ask(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  pool.on('error', () => {})
  try {
    const before = await readBackupState(pool)
    const { rows } = await pool.query<{ at: number }>('select floor(extract(epoch from now()) * 1000)::float8 as at')
    const wantedAt = rows[0]!.at
    await writeBackupState(pool, { wantedAt, errorCode: null, errorSince: null })
    for (;;) {
      const state = await readBackupState(pool)
      if (state.baseId !== before.baseId && (state.baseAt ?? 0) >= wantedAt) {
        const mb = (bytes: number | null) => Math.ceil((bytes ?? 0) / 1e6)
        console.log(`backup      ${state.baseId}: ${mb(state.baseBytes)} MB, ${mb(state.basePutBytes)} MB of it new`)
        return
      }
      if (state.errorCode !== null)
        throw appFailure('backup-failed', `The base copy failed (${state.errorCode}: docs/errors.md). See the log.`)
      await new Promise((go) => setTimeout(go, LOOK_MS))
    }
  } finally {
    await pool.end()
  }
}
