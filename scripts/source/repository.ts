/** The files of this checkout. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readSource, type SourceFile } from './source-file.ts'

/** The repository's root, without a slash at its end. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '')

/** Files that git tracks or would track, from the root, with `/`; those that were deleted and not yet committed aside. */
export function repositoryFiles(): readonly string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const listed = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 })
  return [...new Set(listed.split('\0'))].filter((path) => path !== '' && existsSync(join(ROOT, path))).sort()
}

let sources: readonly SourceFile[] | undefined

/** All TypeScript of the packages, test, bench and scripts. */
export function allSources(): readonly SourceFile[] {
  sources ??= repositoryFiles()
    .filter((path) => /^(packages|test|bench|scripts)\/.*\.tsx?$/.test(path) && !path.includes('.generated.'))
    .map((path) => readSource(ROOT, path))
  return sources
}
