import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { makeManualClock } from '../clock/manual-clock.ts'
import { makeIds } from '../ids/ids.ts'
import { makeFolderStore } from './folder-store.ts'
import { readObjectStoreSettings } from './object-store-settings.ts'
import { objectsContract } from './objects.contract.ts'
import { openObjectStore } from './open-object-store.ts'
import { type S3StandIn, type S3StandInOptions, startS3StandIn } from './testing/s3-stand-in.ts'
import { selfSigned } from './testing/self-signed.ts'

const ends: (() => unknown)[] = []
afterAll(async () => {
  for (const end of ends.splice(0)) await end()
})
const folder = () => {
  const dir = mkdtempSync(join(tmpdir(), 'careloop-objects-'))
  ends.push(() => rmSync(dir, { recursive: true }))
  return dir
}

/** The clock that stands must not stop a retry: its pauses end at once, and are counted. */
function impatientClock() {
  const clock = makeManualClock()
  const pauses: number[] = []
  return { ...clock, pauses, sleep: async (ms: number) => void pauses.push(ms) }
}

async function s3Ground(
  options: S3StandInOptions = {},
  change: (standIn: S3StandIn) => Partial<S3StandIn> = () => ({}),
) {
  const clock = impatientClock()
  const standIn = await startS3StandIn({ now: clock.now, ...options })
  ends.push(standIn.close)
  const said = { ...standIn, ...change(standIn) }
  const settings = readObjectStoreSettings(said.url('one/two'), said.credentials)
  if ('wrong' in settings) throw new Error(settings.wrong)
  return { clock, standIn, store: openObjectStore(settings, { clock, ids: makeIds(clock) }) }
}

objectsContract('a folder', async () => {
  const clock = makeManualClock()
  return { clock, store: makeFolderStore({ folder: folder(), clock, ids: makeIds(clock) }), stop: async () => {} }
})
objectsContract('S3 with versions and object lock', async () => ({
  ...(await s3Ground({ pageSize: 2 })),
  stop: async () => {},
}))

describe('objects in a folder', () => {
  it('are readable by the server only', async () => {
    const [dir, clock] = [folder(), makeManualClock()]
    await makeFolderStore({ folder: dir, clock, ids: makeIds(clock) }).put('a/b', Buffer.from('x'))
    expect(statSync(join(dir, 'a/b')).mode & 0o777).toBe(0o600)
    expect(statSync(join(dir, 'a')).mode & 0o777).toBe(0o700)
    expect(readFileSync(join(dir, 'a/b'), 'utf8')).toBe('x')
  })
})

describe('objects in S3', () => {
  it('lie under the prefix that the address names', async () => {
    const { store, standIn } = await s3Ground()
    await store.put('a/b', Buffer.from('x'))
    expect(standIn.versions('one/two/a/b')).toEqual([Buffer.from('x')])
  })

  it('are refused with what to mend when secret, key id, clock or bucket is wrong', async () => {
    const wrong = async (change: (standIn: S3StandIn) => Partial<S3StandIn>, options: S3StandInOptions = {}) => {
      const { store, standIn } = await s3Ground(options, change)
      const refused = await store.put('a', Buffer.from('x')).catch((error: Error) => error)
      expect(refused).toMatchObject({ code: 'object-store-refused' })
      expect(String(refused)).not.toContain(standIn.credentials.secret)
      return String(refused)
    }
    const { credentials } = await startClosed()
    expect(await wrong(() => ({ credentials: { ...credentials, secret: 'no' } }))).toContain('SignatureDoesNotMatch')
    expect(await wrong(() => ({ credentials: { ...credentials, keyId: 'no' } }))).toContain('InvalidAccessKeyId')
    expect(await wrong(() => ({}), { now: () => Date.now() })).toContain('clock')
    const elsewhere = (standIn: S3StandIn) => ({ url: () => standIn.url().replace('careloop-test', 'another') })
    expect(await wrong(elsewhere)).toContain('Make the bucket first')
  })

  it('are tried again when the store is busy or its answer is lost, four times and no more', async () => {
    const { store, standIn, clock } = await s3Ground()
    standIn.failNext(3, 503)
    await store.put('a', Buffer.from('x'), { retainUntil: new Date(clock.now() + 1_000) })
    expect(clock.pauses).toEqual([250, 1_000, 4_000])
    standIn.loseNextAnswer()
    await store.put('b', Buffer.from('x'), { retainUntil: new Date(clock.now() + 1_000) })
    expect(standIn.versions('one/two/b')).toHaveLength(1)
    standIn.failNext(4, 500)
    await expect(store.get('a')).rejects.toMatchObject({ code: 'object-store-unreachable' })
    expect(String(await store.get('a'))).toBe('x')
    await standIn.close()
    await expect(store.get('a')).rejects.toMatchObject({ code: 'object-store-unreachable' })
  })

  it('say that a bucket without object lock cannot hold anything', async () => {
    const { store, clock } = await s3Ground({ lock: false })
    const put = store.put('a', Buffer.from('x'), { retainUntil: new Date(clock.now() + 1_000) })
    await expect(put).rejects.toThrow('object lock')
    await store.put('a', Buffer.from('x'))
    await store.delete('a')
    expect(await store.get('a')).toBeNull()
  })

  it('go over TLS to a store whose authority the address names, and to no other', async () => {
    const tls = await selfSigned()
    const caFile = join(folder(), 'ca.pem')
    writeFileSync(caFile, tls.cert)
    const known = await s3Ground({ tls }, (it) => ({ url: (prefix) => `${it.url(prefix)}&ca=${caFile}` }))
    await known.store.put('a', Buffer.from('x'))
    expect(String(await known.store.get('a'))).toBe('x')
    const unknown = await s3Ground({ tls })
    await expect(unknown.store.get('a')).rejects.toThrow('DEPTH_ZERO_SELF_SIGNED_CERT')
  })
})

describe('the address of an object store', () => {
  const keys = { keyId: 'k', secret: 's' }
  it('names a folder or a bucket', () => {
    expect(readObjectStoreSettings('file:///var/lib/x')).toEqual({ kind: 'folder', folder: '/var/lib/x' })
    expect(readObjectStoreSettings('s3://bucket/a/b?region=eu-west-1', keys)).toEqual({
      ...{ kind: 's3', endpoint: 'https://s3.eu-west-1.amazonaws.com', region: 'eu-west-1' },
      ...{ bucket: 'bucket', prefix: 'a/b/', credentials: keys },
    })
  })
  it.each([
    ['bucket', 'file:///folder'],
    ['https://host/x', 'file:///folder'],
    ['file://host/x', 'three slashes'],
    ['s3://k:s@bucket', 'credentials'],
    ['s3://bucket?endpoint=http://elsewhere', 'endpoint'],
    ['s3://bucket?endpoint=https://host/path', 'endpoint'],
    ['s3://bucket/a/../..%2fb', 'prefix'],
    ['s3://bucket?ca=ca.pem', 'absolute'],
    ['s3://bucket?retries=9', 'retries means nothing'],
    ['s3://b', 'bucket'],
  ])('is refused as %s', (text, says) => {
    expect(readObjectStoreSettings(text, keys)).toMatchObject({ wrong: expect.stringContaining(says) })
  })
  it('wants both halves of the credentials', () => {
    expect(readObjectStoreSettings('s3://bucket', { keyId: 'k' })).toMatchObject({
      wrong: expect.stringContaining('secret'),
    })
  })
})

async function startClosed() {
  const standIn = await startS3StandIn()
  await standIn.close()
  return standIn
}
