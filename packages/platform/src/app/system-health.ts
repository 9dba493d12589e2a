/** What the page "System health" tells: when things were last done that nobody sees until they are needed. */
import type { SystemHealth } from '@careloop/contract'
import { type Engine, readBackupState } from '../engine/index.ts'
import { backupFacts, backupTroubles } from './backup-health.ts'
import type { Config } from './config.ts'
import { teamTroubles } from './teams-health.ts'

export async function systemHealth(
  engine: Engine,
  config: Pick<Config, 'backup' | 'databaseUrl'>,
): Promise<SystemHealth> {
  const state = await readBackupState(engine.db.pool)
  const troubles = [...backupTroubles(config, state, engine.clock.now()), ...(await teamTroubles(engine))]
  return { facts: backupFacts(config, state), troubles }
}
