/**
 * A copy of the PostgreSQL programs that another user can read. Root must run PostgreSQL as somebody else, and that somebody
 * cannot pass a 0700 folder such as /root where node_modules may lie. (PostgreSQL resolves its own path with realpath, so
 * neither an open file descriptor nor a relative path helps.) Nobody's permissions are loosened.
 */
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engineFailure } from '../errors.ts'

/**
 * Copies `native` (about 35 MB, once) below `sharedDir`, or below the temporary folder where that cannot be written.
 * @returns the folder that holds `bin`, `lib` and `share`
 * @throws Failure `postgres-missing` (503)
 */
export function shareBinaries(native: string, version: string, sharedDir: string): string {
  for (const parent of [sharedDir, join(tmpdir(), 'careloop-postgres')]) {
    const place = join(parent, `postgres-${version}`)
    if (isComplete(place, native)) return place
    try {
      mkdirSync(parent, { recursive: true, mode: 0o755 })
      if (!isOursAlone(parent)) continue
      replaceBy(place, native, mkdtempSync(join(parent, 'new-')))
      return place
    } catch (cause) {
      if (isComplete(place, native)) return place // another process was quicker
      if (!CANNOT_WRITE.has((cause as NodeJS.ErrnoException).code ?? '')) throw cause
    }
  }
  throw engineFailure(
    'postgres-missing',
    `PostgreSQL may not run as root, and no other user can read ${native}. Run Careloop as an ordinary user, or make ${sharedDir} writable.`,
  )
}

const CANNOT_WRITE = new Set(['EACCES', 'EROFS', 'EPERM', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'])

function replaceBy(place: string, native: string, fresh: string): void {
  copyTree(native, fresh)
  writeFileSync(join(fresh, 'complete'), identity(native))
  // A server that runs from the old copy keeps its open files.
  if (existsSync(place)) renameSync(place, `${fresh}-old`)
  renameSync(fresh, place)
  rmSync(`${fresh}-old`, { recursive: true, force: true })
}

/** A folder that someone else can write to could be given other programs between the copy and the start. */
function isOursAlone(dir: string): boolean {
  const stat = lstatSync(dir)
  return stat.isDirectory() && stat.uid === 0 && (stat.mode & 0o022) === 0
}

/** A newer install of the same version writes new files: size and time of the server tell. */
function identity(native: string): string {
  const stat = statSync(join(native, 'bin', 'postgres'))
  return `${stat.size} ${Math.trunc(stat.mtimeMs)}\n`
}

function isComplete(place: string, native: string): boolean {
  const marker = join(place, 'complete')
  return existsSync(marker) && isOursAlone(place) && readFileSync(marker, 'utf8') === identity(native)
}

/** Modes are set, not kept: an install under umask 077 leaves files that only its owner may read. */
function copyTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  chmodSync(to, 0o755)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) copyTree(source, target)
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target)
    else if (!entry.name.endsWith('.a')) {
      copyFileSync(source, target, constants.COPYFILE_FICLONE)
      chmodSync(target, (statSync(source).mode & 0o100) === 0 ? 0o644 : 0o755)
    }
  }
}
