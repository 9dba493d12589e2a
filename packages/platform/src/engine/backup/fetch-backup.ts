/** Brings a backup from the store into an empty directory: every object opened and checked before a byte of it counts. */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { engineFailure } from '../errors.ts'
import { blobKey } from './blob-copies.ts'
import type { ManifestChunk } from './manifest.ts'
import { damaged } from './packed.ts'
import type { RestorePlan } from './plan-restore.ts'
import { noteRestore } from './restore-note.ts'
import { contentKey } from './seal-job.ts'
import type { SealedStore } from './sealed-store.ts'
import { inOrder } from './wal-pieces.ts'
import { segmentName } from './wal-position.ts'

/** Objects that are on their way at once; each is a few MiB. */
const AT_ONCE = 4

/**
 * @param into the data directory: made when missing
 * @throws Failure `backup-not-empty`, `backup-no-space`, `backup-damaged`, `backup-gap`
 */
export async function fetchBackup(store: SealedStore, plan: RestorePlan, into: string, cluster: string): Promise<void> {
  mkdirSync(into, { recursive: true, mode: 0o700 })
  assertEmpty(into)
  assertSpace(plan, into)
  noteRestore(into, plan.manifest.id)
  for (const folder of plan.manifest.folders) mkdirSync(below(into, folder), { recursive: true, mode: 0o700 })
  await eachOf(plan.manifest.chunks, (chunk) => fetchChunk(store, chunk, into))
  await fetchBlobs(store, into)
  const wal = join(into, cluster, 'pg_wal')
  mkdirSync(wal, { recursive: true, mode: 0o700 })
  for (const { name, text } of plan.histories) writeFileSync(join(wal, name), text, { mode: 0o600 })
  await eachOf(plan.log.segments, (segment) => fetchSegment(store, segment, plan.manifest.segmentBytes, wal))
  writeFileSync(join(into, cluster, 'backup_label'), plan.manifest.backupLabel, { mode: 0o600 })
}

function assertEmpty(into: string): void {
  if (readdirSync(into).length > 0)
    throw engineFailure(
      'backup-not-empty',
      `${into} is not empty: a restore never writes over anything. Name an empty or a new directory with --into.`,
    )
}

function assertSpace({ manifest, log }: RestorePlan, into: string): void {
  const needed = manifest.bytes + log.segments.length * manifest.segmentBytes
  const { bavail, bsize } = statfsSync(into)
  if (bavail * bsize > needed * 1.05) return
  const mib = (bytes: number) => Math.ceil(bytes / 1024 ** 2)
  throw engineFailure(
    'backup-no-space',
    `The restore needs ${mib(needed * 1.05)} MiB in ${into}; ${mib(bavail * bsize)} MiB are free. Take a larger disk.`,
  )
}

async function fetchChunk(store: SealedStore, chunk: ManifestChunk, into: string): Promise<void> {
  const plain = await store.get(chunk.key)
  if (!plain) throw missing(chunk.key)
  const length = chunk.files.reduce((sum, [, , bytes]) => sum + bytes, 0)
  const name = contentKey(store.key.nameKey, plain)
  if (length !== plain.byteLength || !chunk.key.startsWith(name)) throw damaged(chunk.key)
  let at = 0
  for (const [path, offset, bytes] of chunk.files) {
    write(below(into, path), plain.subarray(at, at + bytes), offset)
    at += bytes
  }
}

const missing = (key: string) =>
  engineFailure(
    'backup-gap',
    `Object ${key} of the backup is missing. Put it back from another copy of the store, or choose another backup (careloop backup list).`,
  )

/** A manifest that was not damaged names no path elsewhere; one that does is not followed. */
function below(into: string, path: string): string {
  const full = resolve(into, path)
  if (relative(into, full).startsWith('..') || !full.startsWith(into + sep)) throw damaged(path)
  return full
}

function write(path: string, bytes: Uint8Array, offset: number): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const fd = openSync(path, 'a', 0o600)
  closeSync(fd)
  const file = openSync(path, 'r+')
  try {
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(file, bytes, at, bytes.byteLength - at, offset + at)
  } finally {
    closeSync(file)
  }
}

async function fetchSegment(
  store: SealedStore,
  { segment, pieces, bytes }: RestorePlan['log']['segments'][number],
  segmentBytes: number,
  wal: string,
): Promise<void> {
  const path = join(wal, segmentName(segment, segmentBytes))
  for (const piece of inOrder(pieces)) {
    const plain = await store.get(piece.key)
    // Taken away since it was listed: a server that runs has put it together with others, which are listed too.
    if (!plain) throw missing(piece.key)
    if (plain.byteLength !== piece.to - piece.from) throw damaged(piece.key)
    if (piece.from < bytes) write(path, plain, piece.from)
  }
  const file = openSync(path, 'r+')
  ftruncateSync(file, segmentBytes)
  closeSync(file)
}

async function fetchBlobs(store: SealedStore, into: string): Promise<void> {
  await eachOf(await store.names('blob/'), async (key) => {
    const plain = await store.get(key)
    if (!plain) return // taken away since it was listed: nothing names it any more
    const { path, bytes } = blobKey.read(plain)
    write(below(into, path), bytes, 0)
  })
}

async function eachOf<T>(items: readonly T[], fn: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]()
  const worker = async () => {
    for (const item of rest) await fn(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
