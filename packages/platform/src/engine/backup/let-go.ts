/** What a store need not keep any longer: decided by what going back within the span still needs. */
import type { EpochMs } from '@careloop/contract'
import type { StoredObject } from '../objects/object-store.ts'
import { LEDGERS, newestLedger } from './erasure-ledger.ts'
import { newestOfEach } from './lock.ts'
import { BASES, listBases, type Manifest, readManifest } from './manifest.ts'
import type { SealedStore } from './sealed-store.ts'
import { readPieceKey } from './wal-pieces.ts'
import { readLsn, startOf } from './wal-position.ts'

const DAY_MS = 86_400_000
/** Young objects may belong to what is just being made. */
const YOUNG_MS = 3_600_000

/** @returns bases to keep, oldest first: all of the span, and the newest from before it, from which its beginning is reached */
export function basesToKeep(
  bases: readonly Pick<Manifest, 'id' | 'finishedAt'>[],
  now: EpochMs,
  days: number,
): string[] {
  const begin = now - days * DAY_MS
  const inOrder = [...bases].sort((a, b) => a.finishedAt - b.finishedAt)
  const before = inOrder.filter(({ finishedAt }) => finishedAt <= begin).at(-1)
  return inOrder.filter((base) => base === before || base.finishedAt > begin).map(({ id }) => id)
}

/**
 * Removes what nothing needs. What the store holds against removal stays, and is tried again the next time.
 * @returns how many objects went, and how many could not
 */
export async function letGoOfBackups(
  store: SealedStore,
  now: EpochMs,
  retentionDays: number,
): Promise<{ removed: number; held: number }> {
  const manifests: Manifest[] = []
  for (const id of await listBases(store)) {
    const manifest = await readManifest(store, id).catch(() => null)
    // One that cannot be read says not what it needs: nothing goes until somebody has looked at it.
    if (!manifest) return { removed: 0, held: 0 }
    manifests.push(manifest)
  }
  const keep = new Set(basesToKeep(manifests, now, retentionDays))
  const kept = manifests.filter(({ id }) => keep.has(id))
  if (kept.length === 0) return { removed: 0, held: 0 }
  const isNeeded = makeNeeded(kept, now)
  // Bases first: a copy whose chunks are gone must not be on the list.
  let [removed, held] = [0, 0]
  for (const prefix of [BASES, 'chunk/', 'wal/', 'blob/', LEDGERS]) {
    const objects = await all(store, prefix)
    // Of ledgers none goes while the last cannot be read: something else may lie in its place.
    if (prefix === LEDGERS && (await newestLedger(store).catch(() => null)) === null) continue
    const newest = newestOf(prefix, objects)
    for (const object of objects) {
      if (newest?.has(object.key) ?? isNeeded(object)) continue
      const gone = await store.objects.delete(object.key).then(
        () => true,
        () => false,
      )
      if (gone) removed += 1
      else held += 1
    }
  }
  return { removed, held }
}

/** Of what was put again and again the last is needed; blobs that were deleted since are few, and one that a kept copy names stays. */
function newestOf(prefix: string, objects: readonly StoredObject[]): ReadonlySet<string> | null {
  const names = objects.map(({ key }) => key)
  if (prefix === LEDGERS) return new Set(names.sort().slice(-1))
  return prefix === 'blob/' ? new Set(newestOfEach(names)) : null
}

async function all(store: SealedStore, prefix: string): Promise<StoredObject[]> {
  const found: StoredObject[] = []
  for await (const object of store.objects.list(prefix)) found.push(object)
  return found
}

function makeNeeded(kept: readonly Manifest[], now: EpochMs): (object: StoredObject) => boolean {
  const ids = new Set(kept.map(({ id }) => `${BASES}${id}`))
  const chunks = new Set(kept.flatMap((manifest) => manifest.chunks.map(({ key }) => key)))
  const oldest = kept[0]!
  const starts = kept.map(({ startLsn }) => readLsn(startLsn))
  const first = starts.reduce((least, lsn) => (lsn < least ? lsn : least))
  return ({ key, modifiedAt }) => {
    if (key.startsWith(BASES)) return ids.has(key)
    if (modifiedAt > now - YOUNG_MS) return true
    if (key.startsWith('chunk/')) return chunks.has(key)
    const piece = readPieceKey(key, oldest.segmentBytes)
    if (piece) return startOf(piece.segment.number + 1n, oldest.segmentBytes) > first
    return true
  }
}
