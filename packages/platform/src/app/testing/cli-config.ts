/** A configuration on a database of its own, for tests of commands. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testDatabase } from '../../engine/testing/index.ts'
import { type Config, readConfig } from '../config.ts'

export async function cliConfig(): Promise<{ readonly config: Config; remove(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'careloop-test-'))
  const database = await testDatabase()
  const config = readConfig({
    ...{ CARELOOP_DATA: join(dir, 'data'), CARELOOP_MASTER_KEY_FILE: join(dir, 'master.key') },
    ...{ DATABASE_URL: database.url, CARELOOP_BALLAST_BYTES: '0', CARELOOP_DISK_FLOOR_BYTES: '0' },
  })
  return {
    config,
    async remove() {
      await database.drop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
