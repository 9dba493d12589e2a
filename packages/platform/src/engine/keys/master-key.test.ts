import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { masterKey } from './master-key.ts'
import { parseMasterKeys, printMasterKeys } from './master-key-file.ts'
import { masterKeyPath, openMasterKey } from './open-master-key.ts'

let home: string
let path: string
let dataDir: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'careloop-master-'))
  path = join(home, 'config', 'careloop', 'master.key')
  dataDir = join(home, 'data')
})
afterEach(() => rm(home, { recursive: true }))
const open = () => openMasterKey({ path, dataDir })

describe('master key', () => {
  it('is made on the first start, for the user alone, and its keeping is explained once', async () => {
    const first = await open()
    expect(first.made).toBe(true)
    expect(first.notices).toHaveLength(1)
    expect(first.notices[0]).toContain(path)
    expect(first.notices[0]).toContain('safe place')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(join(path, '..'))).mode & 0o777).toBe(0o700)
    expect(await readdir(join(path, '..'))).toEqual(['master.key'])

    const next = await open()
    expect(next).toMatchObject({ made: false, notices: [] })
    expect((await next.ring.current()).bytes).toEqual((await first.ring.current()).bytes)
  })

  it('is one key when several processes make it at once', async () => {
    const opened = await Promise.all(Array.from({ length: 8 }, open))
    const ids = await Promise.all(opened.map(({ keys }) => keys.current()))
    expect(new Set(ids).size).toBe(1)
    expect(opened.filter(({ made }) => made)).toHaveLength(1)
  })

  it('is looked for where the operator said, else in the config folder of the user', () => {
    expect(masterKeyPath({ configured: '/run/secrets/k', home: '/home/a' })).toBe('/run/secrets/k')
    expect(masterKeyPath({ configHome: '/home/a/cfg', home: '/home/a' })).toBe('/home/a/cfg/careloop/master.key')
    expect(masterKeyPath({ home: '/home/a' })).toBe('/home/a/.config/careloop/master.key')
  })

  it('is not made anew where data lie that another key sealed', async () => {
    await mkdir(join(dataDir, 'cluster'), { recursive: true })
    await writeFile(join(dataDir, 'cluster', 'PG_VERSION'), '18')
    await expect(open()).rejects.toMatchObject({ code: 'master-key-missing' })
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it.each([0o640, 0o604, 0o620, 0o602])('is refused when others have access (mode %o)', async (mode) => {
    await open()
    await chmod(path, mode)
    await expect(open()).rejects.toMatchObject({
      code: 'master-key-unsafe',
      message: expect.stringContaining('chmod 600'),
    })
  })

  it('is refused when it is no file', async () => {
    await mkdir(path, { recursive: true })
    await expect(open()).rejects.toMatchObject({ code: 'master-key-unsafe' })
  })

  it('warns when it lies in the data directory, also by a link', async () => {
    await mkdir(dataDir)
    const within = await openMasterKey({ path: join(dataDir, 'master.key'), dataDir })
    expect(within.notices.join('\n')).toContain('holds its own key')
    await symlink(join(dataDir, 'master.key'), join(home, 'link'))
    const linked = await openMasterKey({ path: join(home, 'link'), dataDir })
    expect(linked.notices).toHaveLength(1)
  })

  it('is added to by rotation: on disk before it is used, the old one kept, seen by other processes', async () => {
    const [one, other] = [await open(), await open()]
    const old = await one.ring.current()
    const next = randomBytes(32)
    const made = await one.ring.makeCurrent(next)
    expect(await one.ring.makeCurrent(next)).toEqual(made)
    expect((await other.ring.current()).id).toBe(made.id)
    expect((await other.ring.find(old.id))?.bytes).toEqual(old.bytes)
    expect(await other.ring.find('0'.repeat(16))).toBeUndefined()
    expect(parseMasterKeys(await readFile(path, 'utf8')).map((key) => key.id)).toEqual([made.id, old.id])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('is missed, not replaced, when the file goes away while the server runs', async () => {
    const { keys } = await open()
    await rm(path)
    await expect(keys.current()).rejects.toMatchObject({ code: 'master-key-missing' })
  })
})

describe('master key file', () => {
  const key = masterKey(Buffer.alloc(32, 7))
  const line = `${key.id} ${key.bytes.toString('base64')}`

  it('gives back the keys it was written with, in order', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(fc.uniqueArray(bytes, { minLength: 1, maxLength: 4, selector: String }), (all) => {
        const keys = all.map(masterKey)
        expect(parseMasterKeys(printMasterKeys(keys))).toEqual(keys)
      }),
    )
  })

  it('is read with blank lines, comments and the line ends of Windows', () => {
    expect(parseMasterKeys(`\r\n# kept by A.\r\n  ${line}  \r\n`)).toEqual([key])
  })

  it.each([
    ['no key', '# nothing\n', /holds no key/],
    ['a short key', `${key.id} ${Buffer.alloc(31).toString('base64')}`, /Line 1 .* 31 bytes/],
    ['a long key', `${key.id} ${Buffer.alloc(33).toString('base64')}`, /Line 1 .* 33 bytes/],
    ['a mistyped key', line.replace('Bw', 'Cw'), /does not belong to its id/],
    ['a mistyped id', line.replace(/^./, (c) => (c === '0' ? '1' : '0')), /does not belong to its id/],
    ['the same key twice', `${line}\n${line}`, /Line 2 .* stands above/],
    ['something else', 'hello', /Line 1/],
    ['hex instead of base64', `${key.id} ${key.bytes.toString('hex')}`, /Line 1 .* 48 bytes/],
  ])('is refused with %s, and its content never quoted', (_, text, message) => {
    const parse = () => parseMasterKeys(text)
    expect(parse).toThrow(
      expect.objectContaining({ code: 'master-key-malformed', message: expect.stringMatching(message) }),
    )
    try {
      parse()
    } catch (error) {
      for (const word of text.split(/\s/)) if (word.length > 20) expect(String(error)).not.toContain(word)
    }
  })

  it('tells nothing of the key by its id', () => {
    expect(key.id).toMatch(/^[0-9a-f]{16}$/)
    expect(key.bytes.toString('hex')).not.toContain(key.id)
  })
})
