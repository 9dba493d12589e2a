/**
 * Every package that the lock file names, for the server, the pages or development, comes under a permissive licence (or MPL-2.0,
 * used as it is). The installed package's own manifest counts; for another platform's build, which is not here, the lock's word.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lock, LockEntry } from './lockfile.ts'

/** SPDX identifiers. LicenseRef-NLM is UCUM and RxNorm software of the National Library of Medicine: free with attribution. */
const PERMISSIVE: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'LicenseRef-NLM',
  'MIT',
  'MIT-0',
  'MPL-2.0',
  'PostgreSQL',
  'Python-2.0',
  'Unicode-3.0',
  'Zlib',
])

/** Packages that were judged one by one. Fails as well when one is no longer installed under what was judged. */
export const JUDGED: Readonly<Record<string, { readonly licence: string; readonly reason: string }>> = {
  fhirpath: {
    licence: 'SEE LICENSE in LICENSE.md',
    reason: 'BSD terms of the National Library of Medicine, written out in its LICENSE.md',
  },
  '@lhncbc/ucum-lhc': {
    licence: 'SEE LICENSE IN LICENSE.md',
    reason:
      'BSD terms of the National Library of Medicine, with the notices of LOINC and UCUM; its LICENSE.md stays with it',
  },
  isbot: { licence: 'Unlicense', reason: 'gives its work to the public domain; comes with the pages’ router' },
}

export interface Licensed {
  readonly place: string
  readonly name: string
  readonly version: string
  readonly licence: string
}

/** Name of the package at a place of the lock. */
export const nameAt = (place: string, entry: LockEntry): string => entry.name ?? place.split('node_modules/').at(-1)!

/** All packages of the lock that are not ours. */
export function licensed(root: string, lock: Lock): readonly Licensed[] {
  return Object.entries(lock)
    .filter(([place, entry]) => place.includes('node_modules/') && entry.link !== true)
    .map(([place, entry]) => ({
      place,
      name: nameAt(place, entry),
      version: entry.version ?? '',
      licence: installedLicence(join(root, place)) ?? entry.license ?? '',
    }))
}

/** @returns a line for each package whose licence is not permissive, and each judgement that no longer fits */
export function licenceProblems(packages: readonly Licensed[], judged = JUDGED): readonly string[] {
  const refused = packages.filter(({ name, licence }) => !isPermissive(licence) && judged[name]?.licence !== licence)
  const stale = Object.entries(judged).filter(
    ([name, { licence }]) => !packages.some((each) => each.name === name && each.licence === licence),
  )
  return [
    ...refused.map(({ name, version, licence }) => `${name}@${version}: licence ${licence || 'not stated'}.`),
    ...stale.map(
      ([name, { licence }]) =>
        `${name}: is not installed under ${licence} any more. Take it off the list of judged packages.`,
    ),
  ]
}

/** Of an SPDX expression: one side of OR is enough, AND needs both. */
export function isPermissive(expression: string): boolean {
  const inner = expression.trim().replace(/^\(([^()]*)\)$/, '$1')
  if (/\(|\)/.test(inner) || / WITH /i.test(inner)) return false // nothing of ours needs it: judged by a person
  return inner.split(/ OR /i).some((side) => side.split(/ AND /i).every((id) => PERMISSIVE.has(id.trim())))
}

function installedLicence(folder: string): string | undefined {
  const file = join(folder, 'package.json')
  if (!existsSync(file)) return undefined
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as {
    license?: string | { type?: string }
    licenses?: { type?: string }[]
  }
  if (typeof manifest.license === 'string') return manifest.license
  return manifest.license?.type ?? manifest.licenses?.map(({ type }) => type).join(' AND ')
}
