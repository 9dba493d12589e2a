/** The keeper of the master key: a file by default, or the key management service that the configuration names. */
import { setTimeout as wait } from 'node:timers/promises'
import { type MasterKeys, openMasterKey, transitMasterKeys } from '../engine/index.ts'
import type { Config } from './config.ts'

export interface OpenedMasters {
  readonly keys: MasterKeys
  /** Where it is, for words to operators. */
  readonly where: string
  readonly notices: readonly string[]
}

/** @throws Failure those of `openMasterKey`; `kms-unavailable`, `kms-refused` */
export async function openMasters(config: Pick<Config, 'kms' | 'masterKeyFile' | 'dataDir'>): Promise<OpenedMasters> {
  if (config.kms === undefined) {
    const { keys, path, notices } = await openMasterKey({ path: config.masterKeyFile, dataDir: config.dataDir })
    return { keys, where: path, notices }
  }
  const keys = transitMasterKeys(config.kms, (ms) => wait(ms))
  await keys.current() // a wrong token or name is told now, not by the first patient
  return { keys, where: `key ${config.kms.key} of ${config.kms.address}`, notices: [] }
}
