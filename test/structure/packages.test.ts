import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isPermissive, licenceProblems, licensed } from '../../scripts/checks/licences.ts'
import { lockProblems, readLock } from '../../scripts/checks/lockfile.ts'
import { machineFolders, machinePathProblems } from '../../scripts/checks/machine-paths.ts'
import { noticeProblems, noticeText } from '../../scripts/checks/notice.ts'
import { ROOT, repositoryFiles } from '../../scripts/source/repository.ts'

describe('packages', () => {
  const lock = readLock(ROOT)

  test('all come under permissive licences, as installed', () => {
    expect(licensed(ROOT, lock).length).toBeGreaterThan(200)
    expect(licenceProblems(licensed(ROOT, lock))).toEqual([])
  })

  test.each(['MIT', 'MIT-0', '0BSD', 'MPL-2.0', '(MIT OR GPL-3.0-only)', 'MIT AND ISC', 'LicenseRef-NLM'])(
    '%s is fine',
    (licence) => expect(isPermissive(licence)).toBe(true),
  )

  test.each([
    'GPL-3.0-only',
    'AGPL-3.0-or-later',
    'BUSL-1.1',
    'MIT AND GPL-2.0-only',
    'SEE LICENSE IN LICENSE',
    'UNLICENSED',
    '',
  ])('"%s" is refused', (licence) => {
    expect(isPermissive(licence)).toBe(false)
    expect(licenceProblems([{ place: 'x', name: 'x', version: '1.0.0', licence }], {})).toHaveLength(1)
  })

  test('a judged package is fine under what was judged only, and its judgement goes with it', () => {
    const judged = { x: { licence: 'Unlicense', reason: 'public domain' } }
    const x = { place: 'x', name: 'x', version: '1.0.0' }
    expect(licenceProblems([{ ...x, licence: 'Unlicense' }], judged)).toEqual([])
    expect(licenceProblems([{ ...x, licence: 'GPL-3.0-only' }], judged)).toHaveLength(2)
    expect(licenceProblems([], judged)).toHaveLength(1)
  })

  test('the lock file holds hashes, exact versions and no download addresses', () => {
    expect(lockProblems(lock)).toEqual([])
    const at = 'node_modules/x'
    expect(lockProblems({ [at]: { integrity: 'sha512-x', resolved: 'https://example.org/x.tgz' } })).toHaveLength(1)
    expect(lockProblems({ [at]: { version: '1.0.0' } })).toHaveLength(1)
    expect(lockProblems({ '': { dependencies: { x: '^1.0.0', y: '1.0.0' } } })).toEqual([
      'package.json: x "^1.0.0" is no exact version.',
    ])
  })

  test('NOTICE names what runs, with the binaries’ own', () => {
    expect(noticeProblems(ROOT)).toEqual([])
    const text = noticeText(ROOT)
    for (const name of ['\nfastify ', '\nreact ', '\npg ', 'PostgreSQL', 'OpenSSL', 'ICU']) expect(text).toContain(name)
    expect(text).not.toMatch(/^vitest /m)
  })
})

describe('folders of a machine', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'careloop-paths-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  test('are named by no file of this repository', () => {
    expect(machinePathProblems(ROOT, repositoryFiles())).toEqual([])
  })

  test('are found, and look-alikes are not', () => {
    const folders = ['/srv/team']
    const lines = [
      'cd /srv/team',
      'x = "/srv/team/a.ts"',
      '/srv/teams',
      'a/srv/team',
      '@x/srv/team',
      'file:///srv/team/a',
    ]
    writeFileSync(join(root, 'a.txt'), lines.join('\n'))
    expect(machinePathProblems(root, ['a.txt'], folders).map((line) => line.split(':')[1])).toEqual(['1', '2', '6'])
  })

  test('are the checkout, what it stands in and the home; shared folders tell nothing', () => {
    expect(machineFolders('/home/ann/careloop', '/home/ann', '/tmp')).toEqual(['/home/ann/careloop', '/home/ann'])
    expect(machineFolders('/tmp/x', '/root', '/tmp')).toEqual(['/tmp/x'])
  })
})
