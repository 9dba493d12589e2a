/**
 * The master key in a file outside the data directory: whoever copies the data (a backup, a stolen disk) does not have what
 * opens it.
 */
import { randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { link, mkdir, open, readdir, realpath, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { engineFailure } from '../errors.ts'
import { type KeyRing, type MasterKey, type MasterKeys, masterKey, masterKeysOf } from './master-key.ts'
import { parseMasterKeys, printMasterKeys } from './master-key-file.ts'
import { KEY_BYTES } from './sealed.ts'

export interface OpenedMasterKey {
  readonly keys: MasterKeys
  /** Their bytes, for the paper form of escrow. */
  readonly ring: KeyRing
  readonly path: string
  /** True when this start made the key. */
  readonly made: boolean
  /** What the operator must be told, one sentence or more each; empty on an ordinary start. */
  readonly notices: readonly string[]
}

/** Where the key is kept: the configured path, else the user's config folder. */
export function masterKeyPath(from: {
  readonly configured?: string | undefined
  readonly configHome?: string | undefined
  readonly home: string
}): string {
  return resolve(from.configured ?? join(from.configHome ?? join(from.home, '.config'), 'careloop', 'master.key'))
}

/**
 * Opens the master key, or makes one on the very first start. Call it before the database is made.
 * @param dataDir with a database in it, no key is made: a new one could not open what is there
 * @throws Failure `master-key-unsafe` (others may read the file), `master-key-malformed`, `master-key-missing`
 */
export async function openMasterKey(place: { path: string; dataDir: string }): Promise<OpenedMasterKey> {
  const path = resolve(place.path)
  const made = await makeIfFirst(path, place.dataDir)
  const file = new MasterKeyFile(path)
  await file.current()
  const notices: string[] = []
  if (made) notices.push(ESCROW(path))
  if (await liesUnder(path, place.dataDir)) notices.push(BESIDE(path))
  return { keys: masterKeysOf(file), ring: file, path, made, notices }
}

const ESCROW = (path: string) =>
  `A new master key was made: ${path}. Without it nothing that Careloop stores can ever be read again. ` +
  'Copy that file now to a safe place that is neither this disk nor its backups, and note where.'
const BESIDE = (path: string) =>
  `The master key lies in the data directory (${path}): a copy of the data then holds its own key. ` +
  'Move the file elsewhere and name the new path in CARELOOP_MASTER_KEY_FILE.'

async function makeIfFirst(path: string, dataDir: string): Promise<boolean> {
  if (await exists(path)) return false
  if (await holdsDatabase(dataDir)) {
    const message = `There is data in ${dataDir} but no master key at ${path}. Put the key back from escrow, or name its path in CARELOOP_MASTER_KEY_FILE.`
    throw engineFailure('master-key-missing', message)
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const text = printMasterKeys([masterKey(randomBytes(KEY_BYTES))])
  const temporary = await writeBeside(path, text)
  try {
    await link(temporary, path) // fails when another process was first: there is one key, never two
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await unlink(temporary)
    await syncFolder(dirname(path))
  }
}

class MasterKeyFile implements KeyRing {
  readonly #path: string
  #keys: readonly [MasterKey, ...MasterKey[]] | undefined
  #stamp = ''

  constructor(path: string) {
    this.#path = path
  }

  all(): Promise<readonly MasterKey[]> {
    return this.#read()
  }

  async current(): Promise<MasterKey> {
    return (await this.#read())[0]
  }

  async find(id: string): Promise<MasterKey | undefined> {
    return this.#keys?.find((key) => key.id === id) ?? (await this.#read()).find((key) => key.id === id)
  }

  async makeCurrent(bytes: Uint8Array): Promise<MasterKey> {
    const next = masterKey(bytes)
    const keys = await this.#read()
    if (keys[0].id === next.id) return keys[0]
    const text = printMasterKeys([next, ...keys.filter((key) => key.id !== next.id)])
    await rename(await writeBeside(this.#path, text), this.#path)
    await syncFolder(dirname(this.#path))
    return (await this.#read())[0]
  }

  /** Reads again when the file has changed: another process may have rotated the key. */
  async #read(): Promise<readonly [MasterKey, ...MasterKey[]]> {
    const file = await open(this.#path, constants.O_RDONLY).catch((cause: NodeJS.ErrnoException) => {
      const message = `The master key ${this.#path} cannot be read (${cause.code}). Put it back, readable by this user.`
      throw engineFailure('master-key-missing', message, { cause })
    })
    try {
      const stats = await file.stat()
      const stamp = `${stats.ino} ${stats.mtimeMs} ${stats.size}`
      if (this.#keys && stamp === this.#stamp) return this.#keys
      refuseUnsafe(this.#path, stats)
      this.#keys = parseMasterKeys(await file.readFile('utf8'))
      this.#stamp = stamp
      return this.#keys
    } finally {
      await file.close()
    }
  }
}

function refuseUnsafe(path: string, stats: Stats): void {
  if (!stats.isFile()) throw engineFailure('master-key-unsafe', `The master key ${path} is not a plain file.`)
  if (process.platform === 'win32') return // access is by ACL there; the user's profile folder is private
  if ((stats.mode & 0o077) !== 0) {
    const message = `Others than its owner may read or write the master key. Say: chmod 600 '${path}'`
    throw engineFailure('master-key-unsafe', message)
  }
  const user = process.getuid?.()
  if (stats.uid !== user && stats.uid !== 0)
    throw engineFailure(
      'master-key-unsafe',
      `The master key ${path} belongs to another user. Make it this server's own.`,
    )
}

async function writeBeside(path: string, text: string): Promise<string> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  return temporary
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return // a folder cannot be opened there
  const handle = await open(folder, constants.O_RDONLY)
  await handle.sync().finally(() => handle.close())
}

/** Whether a cluster of PostgreSQL lies in the folder or one below it. */
/** A PostgreSQL cluster in the folder or up to two levels below it: `postgres/cluster` is where the embedded one lies. */
async function holdsDatabase(folder: string, depth = 2): Promise<boolean> {
  if (await exists(join(folder, 'PG_VERSION'))) return true
  if (depth === 0) return false
  const names = await readdir(folder).catch(() => [])
  for (const name of names) if (await holdsDatabase(join(folder, name), depth - 1)) return true
  return false
}

async function liesUnder(path: string, folder: string): Promise<boolean> {
  const [file, data] = await Promise.all([realpath(path), realpath(folder).catch(() => resolve(folder))])
  const way = relative(data, file)
  return way !== '' && !way.startsWith('..') && resolve(data, way) === file
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false
      throw error
    },
  )
}
