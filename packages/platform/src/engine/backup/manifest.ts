/** What a base copy consists of, and the marks by which a restore knows how far the store's log and ledger go. */
import type { EpochMs } from '@careloop/contract'
import type { SealedStore } from './sealed-store.ts'

export interface Manifest {
  readonly format: 1
  readonly id: string
  readonly startedAt: EpochMs
  readonly finishedAt: EpochMs
  /** PostgreSQL's major version: another one cannot read the files. */
  readonly postgres: number
  readonly segmentBytes: number
  readonly timeline: number
  /** Between these the log must be replayed before the copy is whole. */
  readonly startLsn: string
  readonly stopLsn: string
  readonly backupLabel: string
  readonly folders: readonly string[]
  readonly chunks: readonly ManifestChunk[]
  /** Files of the blobs folder at the end of the copy, by path below the data directory. */
  readonly blobs: readonly string[]
  /** Bytes of the files. */
  readonly bytes: number
  /** Bytes that had to be put anew. */
  readonly putBytes: number
  /** Newest erasure ledger at that time. */
  readonly ledger: number
}

export interface ManifestChunk {
  readonly key: string
  /** One after the other. */
  readonly files: readonly (readonly [path: string, offset: number, length: number])[]
}

/** `base/<time>-<random>`: by name in the order of their times. */
export const BASES = 'base/'

export async function readManifest(store: SealedStore, id: string): Promise<Manifest | null> {
  return store.getJson<Manifest>(`${BASES}${id}`)
}

/** Ids of finished base copies, oldest first. */
export async function listBases(store: SealedStore): Promise<readonly string[]> {
  return (await store.names(BASES)).map((name) => name.slice(BASES.length)).sort()
}

/** @param random a few hexadecimal digits */
export const newBaseId = (now: EpochMs, random: string): string =>
  `${new Date(now).toISOString().replace(/[-:]|\.\d+/g, '')}-${random}`

/** How far the log of a timeline is in the store. */
export interface Mark {
  readonly session: number
  readonly timeline: number
  /** Everything before it is in the store, without a hole from `chain` on. */
  readonly lsn: string
  readonly chain: string
  readonly at: EpochMs
  /** Newest erasure ledger. */
  readonly ledger: number
}

const MARKS = 'mark/'

export const putMark = (store: SealedStore, mark: Mark): Promise<void> =>
  store.putJson(`${MARKS}${mark.timeline.toString(16).padStart(8, '0')}`, mark)

/** One of each timeline. */
export async function readMarks(store: SealedStore): Promise<readonly Mark[]> {
  const marks: Mark[] = []
  for (const name of await store.names(MARKS)) {
    const mark = await store.getJson<Mark>(name)
    if (mark) marks.push(mark)
  }
  return marks
}
