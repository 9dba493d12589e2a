/**
 * Builds the pages when their sources changed since the last build, else does nothing: `npm start`, the demo and the e2e test
 * call it. Several may call at once: each builds in a folder of its own and the last one's is put in place.
 *
 * `node scripts/build-web.ts [--force] [--try]`; with `--try` a failure is told and the exit code is 0: a server without pages still
 * takes readings.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const web = join(root, 'packages/web')
const dist = join(web, 'dist')
/** Beside the page: the sources that it was built from, as SHA-256. */
const stamp = join(dist, 'built-from.txt')

/** What ends up in the bundle, directly or by import, and what decides how. */
const sources = [
  ...['packages/web/src', 'packages/web/public', 'packages/web/index.html', 'packages/web/vite.config.ts'],
  ...['packages/web/package.json', 'packages/web/tsconfig.json', 'packages/contract/src'],
  ...['packages/contract/package.json', 'package-lock.json', 'tsconfig.json'],
]

/** @returns whether it had to build */
export async function buildWeb(options: { force?: boolean } = {}): Promise<boolean> {
  const hash = hashOf(sources)
  if (!options.force && builtFrom() === hash) return false
  // Below node_modules, so that nothing of it is ever committed or linted; on the same file system, so that it can be moved.
  const fresh = join(web, 'node_modules/.build', String(process.pid))
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  try {
    const vite = join(root, 'node_modules/vite/bin/vite.js')
    const words = ['build', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn']
    // A test runner sets NODE_ENV to test, and React would be built for development.
    const env = { ...process.env, NODE_ENV: 'production' }
    await promisify(execFile)(process.execPath, [vite, ...words], { cwd: web, env })
    writeFileSync(join(fresh, 'built-from.txt'), hash)
    putInPlace(fresh)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  return true
}

function builtFrom(): string | undefined {
  return existsSync(stamp) && existsSync(join(dist, 'index.html')) ? readFileSync(stamp, 'utf8') : undefined
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

function putInPlace(fresh: string): void {
  rmSync(dist, { recursive: true, force: true })
  try {
    renameSync(fresh, dist)
  } catch (error) {
    // Another one was faster with the same sources: its pages are as good.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
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
