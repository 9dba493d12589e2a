/** The copy of the erasure ledger on this machine: beside the master key, outside the data directory, so that a restore finds it. */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Engine } from '../../engine/index.ts'
import { subjectFailure } from '../errors.ts'
import { exportLedger, headOf, type LedgerCopy } from './ledger.ts'

/** @returns null where there is no file: nobody was erased yet. @throws Failure `ledger-broken` */
export async function readLedgerFile(path: string): Promise<LedgerCopy | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  try {
    const copy = JSON.parse(text) as LedgerCopy
    if (copy.format === 1 && Array.isArray(copy.entries)) return copy
  } catch {
    // told below
  }
  throw subjectFailure(
    'ledger-broken',
    `The erasure ledger ${path} cannot be read. Put back its copy from the backups.`,
  )
}

/**
 * A file that is not there says that nobody was erased. Where the database knows better it was lost, and this database may be older
 * than what it said.
 * @param vouched erasures that another copy, just read, holds
 * @throws Failure `ledger-broken`
 */
export async function assertNoneErased({ db }: Pick<Engine, 'db'>, path: string, vouched: number): Promise<void> {
  const { rows } = await db.pool.query<{ erased: number }>('select count(*)::int as erased from engine.erasure_ledger')
  const { erased } = rows[0]!
  if (erased <= vouched) return
  throw subjectFailure(
    'ledger-broken',
    `The erasure ledger ${path} is missing, though people were erased (${erased}). Put back its copy, from another server or from where the master key is kept, or make the backup store answer: it holds one too.`,
  )
}

/** Writes it anew, whole, once anybody was erased. Never puts a shorter one over a longer: that would forget the erased. */
export async function keepLedgerFile(engine: Pick<Engine, 'db' | 'keys'>, path: string): Promise<void> {
  const copy = await exportLedger(engine)
  if (copy.entries.length === 0) return
  const there = await readLedgerFile(path)
  if (there !== null && headOf(there.entries).seq > copy.entries.length)
    throw subjectFailure(
      'ledger-broken',
      `The erasure ledger ${path} knows of more erasures than the database. Start again.`,
    )
  const isSame = there !== null && headOf(there.entries).mac === headOf(copy.entries).mac
  if (isSame && there.key.masterId === copy.key.masterId) return
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(copy)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncFolder(dirname(path))
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32' || !(await stat(folder)).isDirectory()) return // a folder cannot be opened there
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}
