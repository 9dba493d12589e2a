/**
 * Builds the pages when their sources changed since the last build, else does nothing: `npm start`, the demo and the e2e test
 * call it. Several may call at once, also beside a server that serves what was built before: one builds, the others wait for it, and
 * what is published replaces nothing that somebody still reads. Files under assets/ carry a hash of their content in their name;
 * those of the last builds stay, and the page that names the new ones comes last.
 *
 * `node scripts/build-web.ts [--force] [--try]`; with `--try` a failure is told and the exit code is 0: a server without pages still
 * takes readings.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const web = join(root, 'packages/web')
const dist = join(web, 'dist')
// Below node_modules, so that nothing of it is ever committed or linted; on the same file system, so that it can be moved.
const work = join(web, 'node_modules/.build')

/** What ends up in the bundle, directly or by import, and what decides how. */
const sources = [
  ...['packages/web/src', 'packages/web/public', 'packages/web/index.html', 'packages/web/vite.config.ts'],
  ...['packages/web/package.json', 'packages/web/tsconfig.json', 'packages/contract/src'],
  ...['packages/contract/package.json', 'package-lock.json', 'tsconfig.json'],
]

/** @returns whether it had to build */
export async function buildWeb(options: { force?: boolean } = {}): Promise<boolean> {
  if (!options.force && isCurrent(hashOf(sources))) return false
  return alone(async () => {
    // Another one may have built them meanwhile.
    const hash = hashOf(sources)
    if (!options.force && isCurrent(hash)) return false
    const fresh = join(work, String(process.pid))
    rmSync(fresh, { recursive: true, force: true })
    mkdirSync(fresh, { recursive: true })
    try {
      const vite = join(root, 'node_modules/vite/bin/vite.js')
      const words = ['build', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn']
      // A test runner sets NODE_ENV to test, and React would be built for development.
      const env = { ...process.env, NODE_ENV: 'production' }
      await promisify(execFile)(process.execPath, [vite, ...words], { cwd: web, env })
      publish(fresh, dist, hash)
    } finally {
      rmSync(fresh, { recursive: true, force: true })
    }
    return true
  })
}

/** One build at a time on this machine; whose builder died gives way. */
async function alone<T>(build: () => Promise<T>): Promise<T> {
  const lock = join(work, 'building')
  mkdirSync(work, { recursive: true })
  while (!tryLock(lock)) await wait(200)
  try {
    return await build()
  } finally {
    rmSync(lock, { force: true })
  }
}

function tryLock(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const holder = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0
    // 0: written this very moment, or gone already.
    if (holder > 0 && !isAlive(holder)) rmSync(lock, { force: true })
    return false
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A build that was published: the SHA-256 of its sources, and the files that it needs. */
interface Build {
  readonly from: string
  readonly files: readonly string[]
}

/** Beside the page, newest build first. */
const buildsFile = 'builds.json'
/** Documents of this many builds find what they load: whoever has one open for weeks loads it anew. */
const keptBuilds = 3

const isCurrent = (hash: string): boolean => existsSync(join(dist, 'index.html')) && buildsOf(dist)[0]?.from === hash

function buildsOf(folder: string): Build[] {
  const file = join(folder, buildsFile)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Build[]) : []
}

/**
 * Moves a build into the folder that is served: assets first, then the page that names them, each in one step.
 * @param hash of the sources that it was built from
 */
export function publish(fresh: string, served: string, hash: string): void {
  const files = filesOf(fresh).map((file) => relative(fresh, file))
  const isAsset = (file: string) => dirname(file) !== '.'
  const known = buildsOf(served)
  mkdirSync(served, { recursive: true })
  const inOrder = [
    ...files.filter(isAsset),
    ...files.filter((file) => !isAsset(file) && file !== 'index.html'),
    'index.html',
  ]
  for (const file of inOrder) {
    mkdirSync(dirname(join(served, file)), { recursive: true })
    renameSync(join(fresh, file), join(served, file))
  }
  const builds = [{ from: hash, files }, ...known.filter(({ from }) => from !== hash)].slice(0, keptBuilds)
  writeFileSync(join(fresh, buildsFile), JSON.stringify(builds))
  renameSync(join(fresh, buildsFile), join(served, buildsFile))
  const needed = new Set([...builds.flatMap((build) => build.files), buildsFile])
  for (const file of filesOf(served)) if (!needed.has(relative(served, file))) rmSync(file, { force: true })
}

function hashOf(paths: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of paths.flatMap((path) => filesOf(join(root, path)))) {
    if (/\.test\.tsx?$/.test(file)) continue
    const bytes = readFileSync(file)
    hash.update(`${relative(root, file)}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest('hex')
}

function filesOf(path: string): string[] {
  const entries = existsSync(path) ? tryReadFolder(path) : []
  if (entries === null) return [path]
  return entries
    .sort()
    .map((name) => join(path, name))
    .flatMap(filesOf)
}

function tryReadFolder(path: string): string[] | null {
  try {
    return readdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return null
    throw error
  }
}

if (import.meta.main) {
  try {
    const built = await buildWeb({ force: process.argv.includes('--force') })
    console.log(built ? 'Pages built into packages/web/dist' : 'Pages are up to date')
  } catch (error) {
    console.error(`The pages could not be built: ${(error as Error).message}`)
    process.exitCode = process.argv.includes('--try') ? 0 : 1
  }
}
