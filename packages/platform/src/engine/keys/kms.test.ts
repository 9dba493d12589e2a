import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeManualClock } from '../clock/manual-clock.ts'
import { testCertificate } from '../testing/test-certificate.ts'
import { testGround } from '../testing/test-ground.ts'
import { transitStandIn } from '../testing/transit-stand-in.ts'
import { keysContract } from './keys.contract.ts'
import { DESTROYED_ELSEWHERE_MS, makeKeys } from './keys.ts'
import { kmsContract } from './kms.contract.ts'
import { masterKeysInMemory } from './master-key.ts'
import { openMasterKey } from './open-master-key.ts'
import { transitMasterKeys } from './transit-master-keys.ts'

kmsContract('memory', async () => {
  const keys = masterKeysInMemory(randomBytes(32))
  return { keys, other: async () => keys, stop: async () => {} }
})

kmsContract('file', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'careloop-kms-'))
  const open = async () => (await openMasterKey({ path: join(dir, 'master.key'), dataDir: join(dir, 'data') })).keys
  return { keys: await open(), other: open, stop: () => rm(dir, { recursive: true }) }
})

/** The service, its place, and what a test does with it. */
async function transitGround() {
  const dir = await mkdtemp(join(tmpdir(), 'careloop-transit-'))
  const tls = await testCertificate('localhost')
  const server = await transitStandIn(tls, 's.token')
  const [tokenFile, caFile] = [join(dir, 'token'), join(dir, 'ca.pem')]
  await writeFile(tokenFile, 's.token\n')
  await writeFile(caFile, tls.cert)
  const place = { address: server.url, mount: 'transit', key: 'careloop', tokenFile, caFile }
  const waited: number[] = []
  const open = (over: Partial<typeof place> = {}) =>
    transitMasterKeys({ ...place, ...over }, async (ms) => void waited.push(ms))
  const stop = async () => {
    await server.stop()
    await rm(dir, { recursive: true })
  }
  return { dir, server, tokenFile, waited, open, stop }
}

kmsContract('Transit over HTTPS (stand-in)', async () => {
  const ground = await transitGround()
  return { keys: ground.open(), other: async () => ground.open(), stop: ground.stop }
})

keysContract('PostgreSQL, master key in Transit (stand-in)', async () => {
  const [ground, transit] = [await testGround(), await transitGround()]
  const stopwatch = makeManualClock()
  const process = () => makeKeys({ pool: ground.anotherPool(), masters: transit.open(), ids: ground.ids, stopwatch })
  return {
    db: ground.db,
    keys: process(),
    other: process(),
    only: () => process(),
    givesOutKeys: false,
    pass: () => stopwatch.advance(DESTROYED_ELSEWHERE_MS),
    tenant: ground.tenant,
    stop: async () => {
      await ground.stop()
      await transit.stop()
    },
  }
})

it('Transit > away: tries again, then says so; keys in memory go on and new ones wait; back: all is well', async () => {
  const [ground, transit] = [await testGround(), await transitGround()]
  const masters = transit.open()
  const keys = makeKeys({ pool: ground.anotherPool(), masters, ids: ground.ids })
  const known = await keys.keyFor('blob', 'known')
  transit.server.fail(503, 2)
  await keys.keyFor('blob', 'after two tries')
  expect(transit.waited).toEqual([100, 400])
  expect(keys.trouble()).toBe(null)

  transit.server.fail(503)
  expect((await keys.keyFor('blob', 'known')).open(known.seal(Buffer.from('x'), 'a'), 'a').toString()).toBe('x')
  await expect(keys.keyFor('blob', 'new')).rejects.toMatchObject({ code: 'kms-unavailable' })
  expect(keys.trouble()).toContain('cannot be used')
  await expect(keys.rotateMaster()).rejects.toMatchObject({ code: 'kms-unavailable' })

  transit.server.fail(null)
  await keys.keyFor('blob', 'new')
  expect(keys.trouble()).toBe(null)
  await ground.stop()
  await transit.stop()
})

it('Transit > refuses in clear words: a wrong token, none, an unknown key, a certificate of nobody', async () => {
  const transit = await transitGround()
  const wrap = (keys = transit.open()) => keys.wrap(randomBytes(32), 'place')
  await expect(wrap(transit.open({ key: 'another' }))).rejects.toMatchObject({ code: 'kms-refused' })
  const stranger = join(transit.dir, 'other-ca.pem')
  await writeFile(stranger, (await testCertificate('localhost')).cert)
  await expect(wrap(transit.open({ caFile: stranger }))).rejects.toMatchObject({ code: 'kms-unavailable' })
  await writeFile(transit.tokenFile, 'wrong')
  await expect(wrap()).rejects.toMatchObject({ code: 'kms-refused', message: expect.not.stringContaining('wrong') })
  await writeFile(transit.tokenFile, '')
  await expect(wrap()).rejects.toMatchObject({ code: 'kms-refused' })
  await transit.stop()
})

it('Transit > wraps keys anew without seeing them: only rewrap, and a check that they open', async () => {
  const transit = await transitGround()
  const keys = transit.open()
  const kept = await keys.wrap(randomBytes(32), 'place')
  await keys.rotate()
  transit.server.asked.length = 0
  await keys.rewrap([{ ...kept, place: 'place' }])
  expect(transit.server.asked).toEqual(['rewrap/careloop', 'decrypt/careloop'])
  await transit.stop()
})
