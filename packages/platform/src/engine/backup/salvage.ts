/**
 * Ships what a dead server could not: the end of the log from its data directory. With it a restore has every reading that was ever
 * acknowledged, if only the disk can still be read.
 */
import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { EpochMs } from '@careloop/contract'
import { engineFailure } from '../errors.ts'
import { readPostmasterPid, runsIn } from '../postgres/postmaster-pid.ts'
import { makeBlobCopies } from './blob-copies.ts'
import { listBases, type Mark, putMark, readManifest, readMarks } from './manifest.ts'
import { pack } from './packed.ts'
import { CLUSTER } from './restore.ts'
import type { SealedStore } from './sealed-store.ts'
import { forgetOwner } from './store-owner.ts'
import { pieceKey } from './wal-pieces.ts'
import { type Lsn, printLsn, readLsn, readSegmentName, segmentAt, segmentName, startOf } from './wal-position.ts'

export interface Salvaged {
  readonly segments: number
  /** Where the log ends now in the store. */
  readonly end: string
}

/** @throws Failure `data-dir-in-use` while a server runs there, `backup-none`, `backup-gap` when the log there begins too late */
export async function salvage(store: SealedStore, dataDir: string, now: EpochMs): Promise<Salvaged> {
  const cluster = join(dataDir, CLUSTER)
  assertDead(cluster)
  const newest = (await listBases(store)).at(-1)
  const manifest = newest === undefined ? null : await readManifest(store, newest)
  if (!manifest) throw engineFailure('backup-none', 'The store holds no base copy that the log could follow.')
  const { segmentBytes } = manifest
  const marks = await readMarks(store)
  const mark = markOf(marks, cluster, segmentBytes)
  const session = Math.max(0, ...marks.map((each) => each.session)) + 1
  await (await makeBlobCopies(store, dataDir)).put()
  let [segments, end] = [0, readLsn(mark.lsn)]
  for (let number = segmentAt(end, segmentBytes); ; number++) {
    const segment = { timeline: mark.timeline, number }
    const bytes = readSegment(join(cluster, 'pg_wal', segmentName(segment, segmentBytes)), segment, segmentBytes)
    if (bytes.byteLength === 0) break
    const key = pieceKey(segment, { session, from: 0, to: bytes.byteLength }, segmentBytes)
    await store.objects.put(key, pack(store.key, key, bytes))
    segments += 1
    end = startOf(number, segmentBytes) + BigInt(bytes.byteLength)
    if (bytes.byteLength < segmentBytes) break
  }
  if (end < readLsn(mark.lsn)) throw tooLate(mark)
  // It is dead: whoever is restored need not wait until it is believed to be.
  await forgetOwner(store)
  await putMark(store, { ...mark, session, lsn: printLsn(end), at: now })
  return { segments, end: printLsn(end) }
}

function assertDead(cluster: string): void {
  if (!existsSync(join(cluster, 'PG_VERSION')))
    throw engineFailure('backup-none', `There is no database in ${cluster}. Name the data directory (CARELOOP_DATA).`)
  const found = readPostmasterPid(cluster)
  if (found && runsIn(cluster, found.pid) !== false)
    throw engineFailure(
      'data-dir-in-use',
      `A database runs in ${cluster} (process ${found.pid}): nothing is lost there. Start Careloop on it again, or end that process first.`,
    )
}

/** Of the timeline that the directory was on last. */
function markOf(marks: readonly Mark[], cluster: string, segmentBytes: number): Mark {
  const timelines = readdirSync(join(cluster, 'pg_wal')).flatMap(
    (name) => readSegmentName(name, segmentBytes)?.timeline ?? [],
  )
  const timeline = Math.max(0, ...timelines)
  const mark = marks.find((each) => each.timeline === timeline)
  if (mark) return mark
  throw engineFailure('backup-gap', `The store has nothing of timeline ${timeline}, on which this directory is.`)
}

const PAGE_BYTES = 8192

/** Pages of a file that belong where they stand; a segment that was recycled still holds what it was before, under other addresses. */
function readSegment(path: string, segment: { timeline: number; number: bigint }, segmentBytes: number): Buffer {
  if (!existsSync(path)) return Buffer.alloc(0)
  const bytes = readWhole(path, segmentBytes)
  const start = startOf(segment.number, segmentBytes)
  let end = 0
  while (end + PAGE_BYTES <= bytes.byteLength && pageAddress(bytes, end) === start + BigInt(end)) end += PAGE_BYTES
  return bytes.subarray(0, end)
}

/** `xlp_pageaddr` of the page's header: behind magic (2), info (2) and timeline (4). */
const pageAddress = (bytes: Buffer, at: number): Lsn => bytes.readBigUInt64LE(at + 8)

function readWhole(path: string, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  const fd = openSync(path, 'r')
  try {
    let at = 0
    for (let read = -1; read !== 0 && at < bytes; at += read) read = readSync(fd, buffer, at, bytes - at, at)
    return buffer.subarray(0, at)
  } finally {
    closeSync(fd)
  }
}

function tooLate(mark: Mark) {
  return engineFailure(
    'backup-gap',
    `The log in the directory does not reach ${mark.lsn}, to which it was shipped: it is not the directory of this store's database, or damaged.`,
  )
}
