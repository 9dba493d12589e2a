import { statSync } from 'node:fs'
import { resolve, sep } from 'node:path'
import type { Config } from '../config.ts'
import type { Finding } from './doctor.ts'

/** The master key: there, private, and not beside the data that it opens. */
export async function masterKeyFindings(config: Config): Promise<Finding[]> {
  const path = config.masterKeyFile
  if (config.kms !== undefined) return [kmsFinding(config.kms)]
  const file = statSync(path, { throwIfNoEntry: false })
  if (!file)
    return [
      {
        state: 'look',
        what: `no master key at ${path} yet`,
        mend: 'The first start makes one. Copy it to a safe place then.',
      },
    ]
  const findings: Finding[] = []
  if (process.platform !== 'win32' && (file.mode & 0o077) !== 0)
    findings.push({ state: 'bad', what: `others may read the master key ${path}`, mend: `chmod 600 ${path}` })
  if (resolve(path).startsWith(resolve(config.dataDir) + sep))
    findings.push({
      state: 'bad',
      what: `the master key lies in the data directory (${path})`,
      mend: 'A copy of the data holds its own key then. Move the file and name its path in CARELOOP_MASTER_KEY_FILE.',
    })
  if (findings.length === 0) findings.push({ state: 'good', what: `master key ${path}` })
  findings.push({
    state: 'look',
    what: 'key escrow cannot be seen from here',
    mend: `Keep a copy that is neither on this disk nor in its backups: without it nothing stored can be read again. On paper: careloop key escrow; a typed copy is checked by: careloop key verify-escrow`,
  })
  return findings
}

const kmsFinding = ({ address, key }: NonNullable<Config['kms']>): Finding => ({
  state: 'look',
  what: `the master key is kept by ${address} (key ${key}); its backup cannot be seen from here`,
  mend: 'Back that service up and keep its unseal or recovery keys in escrow: without them nothing stored can be read again.',
})
