/**
 * Sealed bytes in files below the data directory: what is too large for a row (old chunks, exports). The row in engine.blob
 * says that the file is whole; a file without a row is what a crash left, and `sweep` takes it.
 * Processes that share one database must share this folder too, until an object store takes this port.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Pool } from 'pg'
import { engineFailure } from '../errors.ts'
import type { Blobs, Clock, Ids, Keys } from '../ports.ts'

export interface BlobsParts {
  /** `<data directory>/blobs` */
  readonly folder: string
  readonly pool: Pool
  readonly keys: Pick<Keys, 'key'>
  readonly ids: Pick<Ids, 'uuid'>
  readonly clock: Pick<Clock, 'now'>
}

export interface SweepableBlobs extends Blobs {
  /** Removes files that no row knows and that are older than a day. @returns how many */
  sweep(): Promise<number>
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const DAY_MS = 86_400_000

/** @throws Failure from `put`: `storage-low` when the disk is full, and what `keys.key` throws */
export function makeBlobs(parts: BlobsParts): SweepableBlobs {
  const { folder, pool, keys, ids } = parts
  // The last two digits are random in a UUIDv7; the first would put a month of blobs into one folder.
  const pathOf = (ref: string) => join(folder, ref.slice(-2), ref)
  return {
    async put(bytes, keyId) {
      const ref = ids.uuid()
      const sealed = (await keys.key(keyId)).seal(bytes, place(ref))
      await writeDurably(pathOf(ref), sealed)
      await pool.query('insert into engine.blob (ref, key_id, bytes, sha256) values ($1, $2, $3, $4)', [
        ...[ref, keyId, sealed.byteLength, digest(sealed)],
      ])
      return ref
    },
    async get(ref) {
      const row = await find(pool, ref)
      const sealed = await readFile(pathOf(ref)).catch((cause: NodeJS.ErrnoException) => {
        throw cause.code === 'ENOENT' ? missing(ref) : cause
      })
      if (!digest(sealed).equals(row.sha256)) throw damaged(ref)
      return (await keys.key(row.key_id)).open(sealed, place(ref))
    },
    async delete(ref) {
      if (!UUID.test(ref)) return
      await pool.query('delete from engine.blob where ref = $1', [ref])
      await rm(pathOf(ref), { force: true })
    },
    async deleteUnder(keyId) {
      const { rows } = await pool.query<{ ref: string }>('select ref from engine.blob where key_id = $1', [keyId])
      for (const { ref } of rows) await this.delete(ref)
    },
    sweep: () => sweep(parts),
  }
}

interface BlobRow {
  readonly key_id: string
  readonly sha256: Buffer
}

async function find(pool: Pool, ref: string): Promise<BlobRow> {
  if (!UUID.test(ref)) throw missing('(malformed reference)')
  const { rows } = await pool.query<BlobRow>('select key_id, sha256 from engine.blob where ref = $1', [ref])
  if (!rows[0]) throw missing(ref)
  return rows[0]
}

/** After this resolves the file is there, whole, also after a power cut: bytes, then name, then the folder's entry. */
async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  const temporary = `${path}.new`
  try {
    const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    if (made) await syncFolder(dirname(made))
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
    await rm(temporary, { force: true })
    const code = (cause as NodeJS.ErrnoException).code
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw cause
    throw engineFailure('storage-low', 'The disk is full. Free some space; nothing was kept of this blob.', { cause })
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return // a folder cannot be opened there
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

async function sweep({ folder, pool, clock }: BlobsParts): Promise<number> {
  let removed = 0
  for (const group of await readdir(folder).catch(() => [])) {
    const names = await readdir(join(folder, group))
    const refs = names.filter((name) => UUID.test(name))
    const known = await pool.query<{ ref: string }>('select ref from engine.blob where ref = any($1::uuid[])', [refs])
    const kept = new Set(known.rows.map((row) => row.ref))
    for (const name of names) {
      const path = join(folder, group, name)
      // A young file may belong to a put whose row is on its way.
      if (kept.has(name) || (await stat(path)).mtimeMs > clock.now() - DAY_MS) continue
      await rm(path, { force: true })
      removed += 1
    }
  }
  return removed
}

function place(ref: string): string {
  return `careloop blob ${ref}`
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function missing(ref: string) {
  return engineFailure('blob-missing', `Blob ${ref} is not there. Restore the blobs folder from a backup.`)
}

function damaged(ref: string) {
  return engineFailure('seal-broken', `Blob ${ref} is damaged on disk. Restore its file from a backup.`)
}
