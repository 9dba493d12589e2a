import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Account, chooseAccount, isReachable } from './account.ts'
import { findBinaries, hydrateSymlinks } from './binaries.ts'
import { shareBinaries } from './shared-binaries.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'careloop-binaries-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const stranger: Account = { switches: true, uid: 60_843, gid: 60_843, initUid: 65_534, initGid: 65_534 }

test('binaries > the version that runs is the version that is installed', () => {
  const binaries = findBinaries(chooseAccount(undefined))
  const said = execFileSync(binaries.postgres, ['--version'], { encoding: 'utf8' })
  expect(said.trim()).toBe(`postgres (PostgreSQL) ${binaries.version.replace(/\.0-beta.*/, '')}`)
})

test('binaries > makes the links that an install without scripts leaves out, and leaves those that are there', () => {
  mkdirSync(join(dir, 'native/lib'), { recursive: true })
  writeFileSync(join(dir, 'native/lib/libx.so.6.18'), '')
  const links = ['native/lib/libx.so', 'native/lib/libx.so.6'].map((target) => ({
    source: 'native/lib/libx.so.6.18',
    target,
  }))
  writeFileSync(join(dir, 'native/pg-symlinks.json'), JSON.stringify(links))
  hydrateSymlinks(dir)
  hydrateSymlinks(dir)
  for (const { target } of links) expect(readlinkSync(join(dir, target))).toBe('libx.so.6.18')
})

test('binaries > knows what another user cannot reach', () => {
  mkdirSync(join(dir, 'closed/open'), { recursive: true })
  chmodSync(dir, 0o755)
  chmodSync(join(dir, 'closed'), 0o755)
  chmodSync(join(dir, 'closed/open'), 0o755)
  expect(isReachable(join(dir, 'closed/open'), stranger)).toBe(true)
  chmodSync(join(dir, 'closed'), 0o700)
  expect(isReachable(join(dir, 'closed/open'), stranger)).toBe(false)
  expect(isReachable(join(dir, 'closed/open'), { ...stranger, uid: statSync(dir).uid })).toBe(true)
})

if (process.getuid?.() === 0) {
  test('binaries > root keeps a copy that others can run, renews it after an install, and trusts no folder of others', () => {
    const native = dirname(dirname(findBinaries(chooseAccount(undefined)).postgres))
    const shared = join(dir, 'shared')
    chmodSync(dir, 0o755)
    const place = shareBinaries(native, '18', shared)
    const version = () =>
      execFileSync(join(place, 'bin/postgres'), ['--version'], { uid: 60_843, gid: 60_843, encoding: 'utf8' })
    expect(version()).toContain('18.')
    expect(isReachable(place, stranger)).toBe(true)

    const before = statSync(place).ino
    expect(statSync(shareBinaries(native, '18', shared)).ino).toBe(before)
    writeFileSync(join(place, 'complete'), 'of an older install')
    expect(statSync(shareBinaries(native, '18', shared)).ino).not.toBe(before)
    expect(version()).toContain('18.')

    chmodSync(shared, 0o777)
    rmSync(place, { recursive: true })
    rmSync(shareBinaries(native, '18', shared), { recursive: true })
    expect(existsSync(place)).toBe(false)
  })
}
