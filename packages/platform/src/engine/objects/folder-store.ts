/**
 * Objects as files. Retention is kept from this program's own mistakes only: whoever may write the folder may remove a file. A
 * place that holds against its own administrator is a bucket with object lock.
 */
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { engineFailure } from '../errors.ts'
import type { Clock, Ids } from '../ports.ts'
import { assertObjectKey, assertObjectPrefix, type ObjectStore, type StoredObject } from './object-store.ts'

export interface FolderStoreParts {
  readonly folder: string
  readonly clock: Pick<Clock, 'now'>
  readonly ids: Pick<Ids, 'uuid'>
}

/** Hidden names, which no key has. */
const RETAINED = '.retained'
const ARRIVING = '.arriving'

export function makeFolderStore({ folder, clock, ids }: FolderStoreParts): ObjectStore {
  const fileOf = (key: string) => join(folder, key)
  const retainedFile = (key: string) => join(folder, RETAINED, key)
  const write = (path: string, bytes: Uint8Array) => writeDurably(path, bytes, join(folder, ARRIVING, ids.uuid()))
  const assertFree = async (key: string) => {
    const until = await readIfThere(retainedFile(key))
    if (until && Date.parse(until.toString()) > clock.now()) throw retained(key, until.toString())
  }
  return {
    name: `folder ${folder}`,
    async put(key, bytes, options = {}) {
      assertObjectKey(key)
      const held = await readIfThere(fileOf(key))
      if (held?.equals(bytes) && options.retainUntil === undefined) return
      if (!held?.equals(bytes)) await assertFree(key)
      // First that it is held, then what: a crash between leaves a hold on nothing, which the same put passes.
      if (options.retainUntil) await write(retainedFile(key), Buffer.from(options.retainUntil.toISOString()))
      await write(fileOf(key), bytes)
    },
    async get(key) {
      assertObjectKey(key)
      return readIfThere(fileOf(key))
    },
    async *list(prefix) {
      assertObjectPrefix(prefix)
      yield* await listFolder(folder, prefix)
    },
    async delete(key) {
      assertObjectKey(key)
      if ((await readIfThere(fileOf(key))) === null) return
      await assertFree(key)
      await rm(fileOf(key), { force: true })
      await rm(retainedFile(key), { force: true })
    },
  }
}

async function readIfThere(path: string): Promise<Buffer | null> {
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR' || cause.code === 'EISDIR') return null
    throw refused(cause)
  })
}

/** Whole or not at all, also after a power cut. */
async function writeDurably(path: string, bytes: Uint8Array, temporary: string): Promise<void> {
  try {
    for (const each of [path, temporary]) await mkdir(dirname(each), { recursive: true, mode: 0o700 })
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {})
    throw refused(cause as NodeJS.ErrnoException)
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return // a folder cannot be opened there
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

async function listFolder(folder: string, prefix: string): Promise<StoredObject[]> {
  const names = await readdir(folder, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw refused(cause)
  })
  const found: StoredObject[] = []
  for (const name of names) {
    const key = name.replaceAll('\\', '/')
    if (key.startsWith('.') || !key.startsWith(prefix)) continue
    // Between reading the names and this, somebody may have taken one away.
    const stats = await stat(join(folder, name)).catch(() => null)
    if (stats?.isFile()) found.push({ key, bytes: stats.size, modifiedAt: Math.floor(stats.mtimeMs) })
  }
  return found.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
}

const retained = (key: string, until: string) =>
  engineFailure('object-retained', `Object ${key} is held until ${until}: it can be neither replaced nor removed.`)

function refused(cause: NodeJS.ErrnoException) {
  if (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')
    return engineFailure('storage-low', 'The folder for objects is on a full disk. Free some space.', { cause })
  return engineFailure('object-store-refused', `The folder for objects refuses (${cause.code}). Look at its rights.`, {
    cause,
  })
}
