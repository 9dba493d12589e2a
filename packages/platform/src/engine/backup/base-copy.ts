/**
 * Copies a running cluster between pg_backup_start and pg_backup_stop: files torn by writes of that moment are made whole by the log
 * that a restore replays. Only blocks that the store does not have yet are put.
 */
import { join } from 'node:path'
import pg from 'pg'
import { engineFailure } from '../errors.ts'
import type { Clock, Compute, Ids } from '../ports.ts'
import { type ChunkPlan, CONTROL, clusterTree, dataTree, planChunks } from './cluster-files.ts'
import { lockOf } from './lock.ts'
import { BASES, listBases, type Manifest, type ManifestChunk, newBaseId, readManifest } from './manifest.ts'
import type { SealedJob, SealJob } from './seal-job.ts'
import type { SealedStore } from './sealed-store.ts'
import type { BackupSettings } from './settings.ts'
import { type Lsn, readLsn } from './wal-position.ts'

export interface BaseCopyParts {
  readonly store: SealedStore
  /** Holds a password: never log it. */
  readonly url: string
  readonly dataDir: string
  /** PostgreSQL's directory below the data directory, with slashes. */
  readonly cluster: string
  /** Paths below the data directory that do not belong to a copy. */
  readonly without: ReadonlySet<string>
  readonly compute: Pick<Compute, 'run'>
  readonly clock: Clock
  readonly ids: Pick<Ids, 'uuid'>
  readonly settings: BackupSettings
  /** Resolves when the log up to there is in the store. */
  readonly shippedTo: (lsn: Lsn) => Promise<void>
  readonly ledger: () => number
  readonly stop: AbortSignal
}

/**
 * @param isUrgent at once, at the price of a checkpoint at full speed; else the checkpoint takes its time (minutes)
 * @throws Failure `backup-unsupported`, `backup-stopped`, what the store throws
 */
export async function takeBaseCopy(parts: BaseCopyParts, isUrgent: boolean): Promise<Manifest> {
  const { store, clock, ids } = parts
  const startedAt = clock.now()
  const id = newBaseId(startedAt, ids.uuid().slice(-6))
  const known = await knownChunks(store)
  const session = await openSession(parts)
  try {
    const begun = await begin(session, id, isUrgent)
    const copy = await copyFiles(parts, known)
    const { rows } = await session.query<{ lsn: string; label: string }>(
      'select lsn::text, labelfile as label from pg_backup_stop(false)',
    )
    const { lsn, label } = rows[0]!
    // A copy without the log of its own time is none.
    await parts.shippedTo(readLsn(lsn))
    const manifest: Manifest = {
      ...{ format: 1, id, startedAt, finishedAt: clock.now(), ...begun, stopLsn: lsn, backupLabel: label },
      ...{ ...copy, ledger: parts.ledger() },
    }
    await store.putJson(`${BASES}${id}`, manifest, lockOf(parts.settings, clock.now()).until)
    return manifest
  } finally {
    // Without `pg_backup_stop` PostgreSQL gives the backup up as soon as the session ends.
    await session.end().catch(() => {})
  }
}

/** What lies in the store already, so that it need not be put: by its own word, and by what the newest copy had in a place. */
interface Known {
  readonly keys: ReadonlySet<string>
  readonly byPlace: ReadonlyMap<string, string>
}

async function knownChunks(store: SealedStore): Promise<Known> {
  const keys = new Set(await store.names('chunk/'))
  const newest = (await listBases(store)).at(-1)
  // One that is damaged proves nothing: what it names is looked at by content, like all else.
  const manifest = newest === undefined ? null : await readManifest(store, newest).catch(() => null)
  const byPlace = new Map<string, string>()
  for (const { key, files } of manifest?.chunks ?? [])
    if (files[0] && keys.has(key)) byPlace.set(placeOf(files[0][0], files[0][1]), key)
  return { keys, byPlace }
}

const placeOf = (path: string, offset: number): string => `${path}:${offset}`

async function openSession({ url, stop }: BaseCopyParts): Promise<pg.Client> {
  const session = new pg.Client({ connectionString: url, application_name: 'careloop-backup' })
  session.on('error', () => {}) // the query that waits learns of it
  await session.connect()
  stop.addEventListener('abort', () => void session.end().catch(() => {}), { once: true })
  return session
}

async function begin(session: pg.Client, id: string, isUrgent: boolean) {
  const { rows } = await session.query<{ lsn: string; timeline: number; version: number; segment: number }>(
    `select pg_backup_start($1, $2)::text as lsn,
            ('x' || substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8))::bit(32)::int as timeline,
            current_setting('server_version_num')::int / 10000 as version,
            (select setting::int from pg_settings where name = 'wal_segment_size') as segment`,
    [`careloop ${id}`, isUrgent],
  )
  const { lsn, timeline, version, segment } = rows[0]!
  return { startLsn: lsn, timeline, postgres: version, segmentBytes: segment }
}

async function copyFiles(parts: BaseCopyParts, known: Known) {
  const { dataDir, cluster, without } = parts
  const top = cluster.split('/')[0]!
  const inCluster = clusterTree(join(dataDir, cluster), cluster)
  const beside = dataTree(dataDir, new Set([...without, 'blobs', top]))
  const control = { extents: [{ path: `${cluster}/${CONTROL}`, offset: 0, length: 65_536 }] }
  const pace = makePace(parts)
  const chunks: ManifestChunk[] = []
  let [bytes, putBytes] = [0, 0]
  for (const plan of [...planChunks([...inCluster.files, ...beside.files]), control]) {
    if (parts.stop.aborted) throw engineFailure('backup-stopped', 'The server stops: the base copy will begin anew.')
    const { entry, isNew } = await copyChunk(parts, plan, known)
    const size = entry.files.reduce((sum, [, , length]) => sum + length, 0)
    chunks.push(entry)
    bytes += size
    putBytes += isNew ? size : 0
    await pace(size)
  }
  const folders = [...new Set([top, ...inCluster.folders, ...beside.folders])].sort()
  return { folders, chunks, blobs: blobFiles(dataDir), bytes, putBytes }
}

async function copyChunk(parts: BaseCopyParts, plan: Pick<ChunkPlan, 'extents'>, known: Known) {
  const { store, compute, dataDir, clock, settings } = parts
  const { sealKey, nameKey, keyId } = store.key
  const [first] = plan.extents
  const before = known.byPlace.get(placeOf(first!.path, first!.offset))
  const { suffix, until } = lockOf(settings, clock.now())
  const job: SealJob = {
    extents: plan.extents.map((extent) => ({ ...extent, path: join(dataDir, extent.path) })),
    ...{ sealKey, nameKey, keyId, key: null, suffix, known: before === undefined ? [] : [before] },
  }
  const { key, lengths, sealed } = await compute.run<SealJob, SealedJob>(new URL('./seal-job.ts', import.meta.url), job)
  const isNew = sealed !== null && !known.keys.has(key)
  if (isNew) await store.objects.put(key, sealed, until ? { retainUntil: until } : {})
  const files = plan.extents.flatMap(({ path, offset }, i) =>
    lengths[i]! < 0 ? [] : [[path, offset, lengths[i]!] as const],
  )
  return { entry: { key, files }, isNew }
}

/** Files of blobs, which are put by themselves as they come: below the data directory. */
export const blobFiles = (dataDir: string): string[] =>
  dataTree(join(dataDir, 'blobs'), new Set()).files.map(({ path }) => `blobs/${path}`)

/** Rests so long after each piece that the disk and the cores are left to the doors. */
function makePace({ clock, settings, stop }: BaseCopyParts): (bytes: number) => Promise<void> {
  const began = clock.now()
  let read = 0
  return async (bytes) => {
    read += bytes
    const dueMs = read / (settings.megabytesPerSecond * 1000)
    const early = dueMs - (clock.now() - began)
    if (early > 5) await clock.sleep(early, stop)
  }
}
