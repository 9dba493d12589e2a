/** What a frame is opened and checked with: the address and bind key of the enrolled device, as they stand now. */
import { createCipheriv } from 'node:crypto'
import type { DeviceUpdate } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DeviceIdentity, Receipt } from './door.ts'
import { type IngestGround, ingestGround, logEntries, readingsOf } from './fixtures.ts'
import { makeQuarantine } from './quarantine/quarantine.ts'
import { quarantineStage } from './stages.ts'

const KEY = '3c1f00a2b4d67788990a1b2c3d4e5f60'
const OTHER_KEY = '00112233445566778899aabbccddeeff'
const ADDRESS = 'A4:C1:38:0B:5E:ED'

let ground: IngestGround
beforeAll(async () => {
  ground = await ingestGround()
})
afterAll(() => ground?.stop())

/** AD structure of a BTHome v2 advertisement with 25.00 degrees and 50.55 %, encrypted as the specification says. */
function advertisement(counter: number, key = KEY, address = ADDRESS): Buffer {
  const info = 0x41
  const count = Buffer.alloc(4)
  count.writeUInt32LE(counter)
  const mac = Buffer.from(address.replaceAll(':', ''), 'hex')
  const nonce = Buffer.concat([mac, Buffer.of(0xd2, 0xfc, info), count])
  const cipher = createCipheriv('aes-128-ccm', Buffer.from(key, 'hex'), nonce, { authTagLength: 4 })
  const sealed = Buffer.concat([cipher.update(Buffer.from('02c40903bf13', 'hex')), cipher.final()])
  const data = Buffer.concat([Buffer.of(0x16, 0xd2, 0xfc, info), sealed, count, cipher.getAuthTag()])
  return Buffer.concat([Buffer.of(data.length), data])
}

const say = (device: DeviceIdentity, bytes: Uint8Array): Promise<Receipt> =>
  ground.ingest.accept({
    ...{ kind: 'telemetry', device, door: 'mqtt', format: 'profile', bytes },
    receivedAt: ground.engine.clock.now(),
  })
const change = async (device: DeviceIdentity, over: Partial<DeviceUpdate>) => {
  const plain = { classification: 'operational', profile: 'bthome', address: ADDRESS } as const
  const view = await ground.fleet.updateDevice(ground.by, device.device, { ...plain, ...over })
  await ground.fleet.attribution.refresh()
  return view
}
const refusedAs = (reason: string, pointer: string) => ({ outcome: 'quarantined', quarantined: [{ reason, pointer }] })

test('ingest > an encrypted advertisement is read with its device key, and kept with a pointer without it or with another', async () => {
  const device = await ground.anotherDevice(true, { profile: 'bthome', address: ADDRESS })
  expect(await say(device, advertisement(1))).toMatchObject(refusedAs('bad-frame', '@4'))
  expect(await change(device, { bindKey: OTHER_KEY })).toMatchObject({ bindKeySet: true, address: 'a4c1380b5eed' })
  expect(await say(device, advertisement(1))).toMatchObject(refusedAs('bad-frame', '@4'))
  await change(device, { bindKey: KEY })
  expect(await say(device, advertisement(1))).toMatchObject({ outcome: 'stored', readings: 2 })
  expect(readingsOf(await logEntries(ground.engine)).at(-1)!.readings).toMatchObject([
    { signal: 'temperature-ambient', value: 25 },
    { signal: 'humidity', value: 50.55 },
  ])
  // A change that names no key leaves it; null takes it away.
  expect(await change(device, { model: 'BTH01' })).toMatchObject({ bindKeySet: true, model: 'BTH01' })
  expect(await say(device, advertisement(2))).toMatchObject({ outcome: 'stored' })
  expect(await change(device, { bindKey: null })).toMatchObject({ bindKeySet: false })
  expect(await say(device, advertisement(3))).toMatchObject(refusedAs('bad-frame', '@4'))
})

test('ingest > with a key set, an advertisement in the clear is not believed', async () => {
  const device = await ground.anotherDevice(true, { profile: 'bthome', address: 'A4:C1:38:00:00:02', bindKey: KEY })
  const clear = Buffer.from('0a16d2fc4002c40903bf13', 'hex')
  expect(await say(device, clear)).toMatchObject(refusedAs('bad-frame', '@4'))
})

test('ingest > a frame that names another device than the one that brought it is kept as such', async () => {
  const device = await ground.anotherDevice(true, { profile: 'ble-blood-pressure', address: 'A4:C1:38:00:00:03' })
  const named = (address: string) =>
    Buffer.from(JSON.stringify({ characteristic: '2A35', hex: '0078005000 5d00', address }))
  expect(await say(device, named('a4c138000003'))).toMatchObject({ outcome: 'stored' })
  expect(await say(device, named('a4c138000099'))).toMatchObject(refusedAs('wrong-device', '/address'))
})

test('quarantine > what came before the key was entered is read once it stands', async () => {
  const device = await ground.anotherDevice(true, { profile: 'bthome', address: 'A4:C1:38:00:00:04' })
  const receipt = await say(device, advertisement(9, KEY, 'A4:C1:38:00:00:04'))
  const id = receipt.outcome === 'quarantined' ? receipt.quarantined[0]!.id : ''
  const stop = await quarantineStage.start(ground.engine)
  const quarantine = makeQuarantine({ engine: ground.engine, attribution: ground.fleet.attribution })
  const replay = () => quarantine.replay(ground.by, id, {})
  await expect.poll(() => replay().catch((error) => error.code), { timeout: 15_000 }).toBe('quarantine-not-replayable')
  await change(device, { address: 'A4:C1:38:00:00:04', bindKey: KEY })
  expect(await replay()).toEqual({ readings: 2 })
  await stop()
})

test('devices > an address is given once, however it is written, and each organisation has its own', async () => {
  const { fleet, by } = ground
  const wanted = { name: 'tag-a', classification: 'operational', profile: 'ruuvi' } as const
  const made = await fleet.enrolDevice(by, { ...wanted, address: 'AA-BB-CC-DD-EE-01' })
  expect(await fleet.attribution.addressed(by.tenant, 'aabbccddee01')).toMatchObject({ device: made.id })
  const taken = { code: 'device-address-taken', pointer: '/body/address' }
  const second = (name: string) => fleet.enrolDevice(by, { ...wanted, name, address: 'aa:bb:cc:dd:ee:01' })
  await expect(second('tag-b')).rejects.toMatchObject(taken)
  const other = await fleet.enrolDevice(by, { ...wanted, name: 'tag-c' })
  const update = { classification: 'operational', profile: 'ruuvi', address: 'AABBCCDDEE01' } as const
  await expect(fleet.updateDevice(by, other.id, update)).rejects.toMatchObject(taken)
  expect(await fleet.updateDevice(by, made.id, update)).toMatchObject({ address: 'aabbccddee01' })
  const theirs = await ground.tenant()
  expect(await fleet.attribution.addressed(theirs, 'aabbccddee01')).toBeUndefined()
  expect(await fleet.attribution.named(theirs, 'tag-a')).toBeUndefined()
  await fleet.enrolDevice({ ...by, tenant: theirs }, { ...wanted, address: 'aabbccddee01' })
})

test('devices > of two that enrol one address at the same moment, one succeeds', async () => {
  const wanted = { classification: 'operational', profile: 'ruuvi', address: 'AABBCCDDEE02' } as const
  const names = ['race-1', 'race-2', 'race-3']
  const done = await Promise.allSettled(names.map((name) => ground.fleet.enrolDevice(ground.by, { ...wanted, name })))
  expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const each of done) if (each.status === 'rejected') expect(each.reason.code).toBe('device-address-taken')
})

test('sealing > neither address nor bind key is found in any table or answer', async () => {
  const { engine, fleet, by } = ground
  const bindKey = 'feedc0ffee00112233445566778899aa'
  const made = await fleet.enrolDevice(by, {
    ...{ name: 'sealed', classification: 'operational', profile: 'bthome', address: 'c0ffee123456', bindKey },
  })
  expect(JSON.stringify([made, await fleet.listDevices(by, { limit: 500 })]).toLowerCase()).not.toContain(bindKey)
  for (const table of ['tenant.device', 'engine.device_directory', 'tenant.audit_entry', 'engine.fact']) {
    const { rows } = await engine.db.pool.query<{ row: string }>(`select t::text as row from ${table} t`)
    const all = rows.map(({ row }) => row).join('\n')
    for (const secret of [bindKey, 'c0ffee123456', Buffer.from('c0ffee123456').toString('hex')])
      expect(all).not.toContain(secret)
  }
})
