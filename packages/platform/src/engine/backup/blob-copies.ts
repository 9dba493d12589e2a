/**
 * Blobs are files beside the database and never change: each is put once, before the log that may name it is shipped. Their names in
 * the store tell nothing.
 */
import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { blobFiles } from './base-copy.ts'
import { type Lock, noLock } from './lock.ts'
import { pack } from './packed.ts'
import type { SealedStore } from './sealed-store.ts'

const PREFIX = 'blob/'

export const blobKey = {
  of: (store: SealedStore, path: string): string =>
    `${PREFIX}${createHmac('sha256', store.key.nameKey).update(`blob ${path}`).digest('hex')}`,
  /** One line with the path below the data directory, then the bytes. */
  write: (path: string, bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from(`${path}\n`), bytes]),
  read(plain: Buffer): { path: string; bytes: Buffer } {
    const end = plain.indexOf(0x0a)
    return { path: plain.toString('utf8', 0, end), bytes: plain.subarray(end + 1) }
  },
}

export interface BlobCopies {
  /** Puts what is new. */
  put(): Promise<void>
}

/** @param lock asked for at each: with object lock all are put anew in each half of its span */
export async function makeBlobCopies(
  store: SealedStore,
  dataDir: string,
  lock: () => Lock = () => noLock,
): Promise<BlobCopies> {
  const held = new Set(await store.names(PREFIX))
  return {
    async put() {
      for (const path of blobFiles(dataDir)) {
        const { suffix, until } = lock()
        const key = `${blobKey.of(store, path)}${suffix}`
        if (held.has(key)) continue
        const bytes = await readFile(join(dataDir, path)).catch(() => null)
        if (bytes === null) continue // deleted meanwhile
        await store.objects.put(
          key,
          pack(store.key, key, blobKey.write(path, bytes)),
          until ? { retainUntil: until } : {},
        )
        held.add(key)
      }
    },
  }
}
