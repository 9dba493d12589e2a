/** package-lock.json and the manifests: what is installed is exactly what was reviewed, from whichever registry a machine uses. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One entry of `packages` in package-lock.json, as far as the checks read it. */
export interface LockEntry {
  readonly name?: string
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly license?: string
  readonly link?: boolean
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

/** Place (`node_modules/pg`, `packages/web`, '' for the root) to entry. */
export type Lock = Readonly<Record<string, LockEntry>>

export const readLock = (root: string): Lock =>
  (JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Lock }).packages

/** @returns a line for each download address, missing hash and version that is not exact */
export function lockProblems(lock: Lock): readonly string[] {
  return Object.entries(lock).flatMap(([place, entry]) => {
    if (entry.link === true) return []
    if (!place.includes('node_modules/')) return inexact(place, entry)
    const problems: string[] = []
    if (entry.resolved !== undefined)
      problems.push(`${place}: has a download address. Run npm with the .npmrc of this folder.`)
    if (entry.integrity === undefined) problems.push(`${place}: has no integrity hash. Install it from a registry.`)
    return problems
  })
}

function inexact(place: string, entry: LockEntry): readonly string[] {
  const wanted = { ...entry.dependencies, ...entry.devDependencies, ...entry.optionalDependencies }
  return Object.entries(wanted)
    .filter(([, range]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(range))
    .map(([name, range]) => `${place === '' ? '' : `${place}/`}package.json: ${name} "${range}" is no exact version.`)
}
