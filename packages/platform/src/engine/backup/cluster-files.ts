/**
 * Which files make a copy of a running cluster. Source: PostgreSQL 18, src/backend/backup/basebackup.c (excludeDirContents,
 * excludeFiles, noChecksumFiles) and "Making a Base Backup Using the Low Level API".
 */
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { engineFailure } from '../errors.ts'
import type { Extent } from './seal-job.ts'

export interface CopiedFile {
  /** Below the data directory, with slashes. */
  readonly path: string
  readonly bytes: number
}

export interface CopiedTree {
  readonly folders: readonly string[]
  readonly files: readonly CopiedFile[]
}

/** Folders that must be there and whose content belongs to the running server only. The last two are ours. */
const EMPTIED = new Set(
  [
    'pg_wal',
    'pg_replslot',
    'pg_dynshmem',
    'pg_notify',
    'pg_serial',
    'pg_snapshots',
    'pg_stat_tmp',
    'pg_subtrans',
  ].concat(['log', 'socket']),
)
const LEFT_OUT = new Set(
  [
    'postmaster.pid',
    'postmaster.opts',
    'backup_label',
    'tablespace_map',
    'backup_manifest',
    'postgresql.auto.conf.tmp',
  ].concat(['current_logfiles', 'current_logfiles.tmp', 'recovery.signal', 'standby.signal']),
)
/** Caches and temporary tables: made anew. */
const PASSING = /^(pg_internal\.init.*|pgsql_tmp.*|t\d+_\d+.*)$/

/** Read last: it may be written at any moment, and what it says must not be older than the files. */
export const CONTROL = 'global/pg_control'

/**
 * @param below of each path, e.g. `postgres/cluster`
 * @throws Failure `backup-unsupported` when tables lie outside the cluster
 */
export function clusterTree(cluster: string, below: string): CopiedTree {
  if (readdirSync(join(cluster, 'pg_tblspc')).length > 0)
    throw engineFailure(
      'backup-unsupported',
      'Tables lie in tablespaces outside the data directory, which backups do not reach. Move them back, or use a PostgreSQL of your own (DATABASE_URL) with its own backup.',
    )
  const tree = walk(cluster, below, (path, isFolder) => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (PASSING.test(name)) return 'no'
    if (isFolder) return EMPTIED.has(path) ? 'empty' : 'yes'
    return LEFT_OUT.has(path) || path === CONTROL ? 'no' : 'yes'
  })
  const wal = ['pg_wal/archive_status', 'pg_wal/summaries'].map((name) => `${below}/${name}`)
  return { folders: [...tree.folders, ...wal], files: tree.files }
}

/** What else a restore needs of the data directory. @param without paths below it that do not belong to a copy */
export function dataTree(dataDir: string, without: ReadonlySet<string>): CopiedTree {
  return walk(dataDir, '', (path) => (without.has(path) || /\.(lock|new|tmp)$/.test(path) ? 'no' : 'yes'))
}

type Verdict = 'yes' | 'no' | 'empty'

function walk(root: string, below: string, judge: (path: string, isFolder: boolean) => Verdict): CopiedTree {
  const folders: string[] = []
  const files: CopiedFile[] = []
  const named = (path: string) => [below, path].filter(Boolean).join('/')
  const enter = (at: string) => {
    for (const entry of readdirSync(join(root, at), { withFileTypes: true })) {
      const path = at === '' ? entry.name : `${at}/${entry.name}`
      const verdict = judge(path, entry.isDirectory())
      if (verdict === 'no') continue
      if (entry.isDirectory()) {
        folders.push(named(path))
        if (verdict === 'yes') enterIfThere(path)
      } else if (entry.isFile()) {
        const stats = lstatSync(join(root, path), { throwIfNoEntry: false })
        if (stats) files.push({ path: named(path), bytes: stats.size })
      }
    }
  }
  // A database that is dropped takes its folder away under us.
  const enterIfThere = (path: string) => {
    try {
      enter(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  if (below !== '') folders.push(below)
  enterIfThere('')
  return { folders, files }
}

/** Bytes of an object at most, before compression. */
export const CHUNK_BYTES = 2 * 1024 ** 2

export interface ChunkPlan {
  readonly extents: readonly Extent[]
}

/**
 * Divides files into chunks: large ones by blocks, small ones of a folder together, in bundles that a new file beside them does
 * not shift.
 */
export function planChunks(files: readonly CopiedFile[]): ChunkPlan[] {
  const plans: ChunkPlan[] = []
  const bundles = new Map<string, CopiedFile[]>()
  for (const file of files) {
    if (file.bytes < CHUNK_BYTES / 8) {
      const bundle = bundleOf(file.path)
      bundles.set(bundle, [...(bundles.get(bundle) ?? []), file])
      continue
    }
    for (let offset = 0; offset < file.bytes; offset += CHUNK_BYTES)
      plans.push({ extents: [{ path: file.path, offset, length: Math.min(CHUNK_BYTES, file.bytes - offset) }] })
  }
  for (const members of bundles.values()) plans.push(...inBundles(members))
  return plans
}

function bundleOf(path: string): string {
  return `${path.slice(0, path.lastIndexOf('/') + 1)}#${createHash('sha256').update(path).digest('hex')[0]}`
}

function inBundles(files: readonly CopiedFile[]): ChunkPlan[] {
  const plans: { extents: Extent[]; bytes: number }[] = []
  for (const { path, bytes } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    let last = plans.at(-1)
    if (!last || last.bytes + bytes > CHUNK_BYTES) {
      last = { extents: [], bytes: 0 }
      plans.push(last)
    }
    last.extents.push({ path, offset: 0, length: bytes })
    last.bytes += bytes
  }
  return plans
}
