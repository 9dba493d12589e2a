import type { DeviceReported } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { settledFacts, type TestEngine, testEngine } from '../engine/testing/index.ts'
import { byTest } from '../subjects/fixtures.ts'
import type { By } from '../subjects/index.ts'
import { aDevice, testFleet } from './fixtures.ts'
import type { Fleet } from './fleet.ts'
import { deviceStatusStage, takeReports } from './stages.ts'

let ground: TestEngine
let fleet: Fleet
let by: By
beforeAll(async () => {
  ground = await testEngine()
  fleet = testFleet(ground.engine, {
    issueCertificate: async ({ device, csr }) => ({
      certificate: `certificate of ${device}`,
      authority: 'authority',
      ...(csr === undefined ? { privateKey: 'key' } : {}),
      fingerprint: Buffer.alloc(32, 7),
      expiresAt: ground.engine.clock.now() + 1000,
    }),
  })
  by = byTest(await ground.tenant())
})
afterAll(() => ground?.stop())

const refused = (code: string, pointer: string) => expect.objectContaining({ code, pointer })

test('devices > what is enrolled is read, listed by name, and changed; its name is taken once', async () => {
  const wanted = aDevice({ name: 'cuff.A-1_x', model: 'M3', expectedIntervalMs: 60_000, timeZone: 'Asia/Tokyo' })
  const made = await fleet.enrolDevice(by, wanted)
  expect(made).toMatchObject({
    ...{ name: 'cuff.A-1_x', classification: 'medical', profile: 'generic', serial: 'SER-99-QX7', model: 'M3' },
    ...{ manufacturer: null, expectedIntervalMs: 60_000, timeZone: 'Asia/Tokyo', worn: null, settingsVersion: 0 },
    ...{ attributes: {}, connected: false, lastConnectedAt: null },
  })
  expect(await fleet.device(by, made.id)).toEqual(made)
  expect(await fleet.listDevices(by, { name: 'cuff.A-1_x', limit: 10 })).toEqual({ items: [made], next: null })
  await expect(fleet.enrolDevice(by, wanted)).rejects.toEqual(refused('device-name-taken', '/body/name'))
  const gateway = await fleet.enrolGateway(by, { name: 'gw-1' })
  const changed = await fleet.updateDevice(by, made.id, {
    classification: 'wellness',
    profile: 'generic',
    gateway: gateway.id,
  })
  expect(changed).toMatchObject({ classification: 'wellness', serial: null, gateway: gateway.id, timeZone: null })
  const unknown = ground.engine.ids.uuid()
  const update = { classification: 'wellness', profile: 'generic' } as const
  await expect(fleet.updateDevice(by, unknown, update)).rejects.toEqual(refused('device-not-found', '/params/id'))
  await expect(fleet.updateDevice(by, made.id, { ...update, profile: 'no-such' })).rejects.toEqual(
    refused('profile-unknown', '/body/profile'),
  )
  await expect(fleet.updateDevice(by, made.id, { ...update, gateway: unknown })).rejects.toEqual(
    refused('gateway-not-found', '/body/gateway'),
  )
  await expect(fleet.enrolGateway(by, { name: 'gw-1' })).rejects.toEqual(refused('gateway-name-taken', '/body/name'))
  await expect(fleet.enrolGateway(by, { name: 'gw-2', site: unknown })).rejects.toEqual(
    refused('site-not-found', '/body/site'),
  )
  expect(await fleet.gateways(by.tenant)).toEqual([gateway])
})

test('devices > a name may not look like an id, nor hold what breaks a topic', () => {
  for (const name of ['a/b', 'a b', 'ä', '', '+', '#', 'x'.repeat(65), '019a8c1e-0000-7000-8000-000000000000'])
    expect([name, () => aDevice({ name })]).toEqual([name, expect.toSatisfy((fn: () => unknown) => throws(fn))])
})
const throws = (fn: () => unknown): boolean => {
  try {
    fn()
    return false
  } catch {
    return true
  }
}

test('settings > each change has a version and is told', async () => {
  const { id } = await fleet.enrolDevice(by, aDevice())
  expect(await fleet.settings(by.tenant, id)).toEqual({ version: 0, settings: {} })
  await Promise.all([fleet.setSettings(by, id, { intervalS: 5 }), fleet.setSettings(by, id, { intervalS: 6 })])
  const after = await fleet.setSettings(by, id, { intervalS: 7, mode: { quiet: true } })
  expect(after).toEqual({ version: 3, settings: { intervalS: 7, mode: { quiet: true } } })
  expect(await fleet.settings(by.tenant, id)).toEqual(after)
  const facts = (await settledFacts(ground.engine)).filter((fact) => fact.type === 'DeviceSettingsChanged')
  expect(facts).toHaveLength(3)
  await expect(fleet.settings(by.tenant, ground.engine.ids.uuid())).rejects.toEqual(
    refused('device-not-found', '/params/id'),
  )
})

test('credentials > tokens and certificates are listed without their secret and revoked once', async () => {
  const { id } = await fleet.enrolDevice(by, aDevice())
  const { token, credential } = await fleet.createDeviceToken(by, id, { label: 'bedside' })
  expect(token).toMatch(/^cld_[A-Za-z0-9_-]{43}$/)
  const issued = await fleet.issueCertificate(by, id, {})
  expect(issued).toMatchObject({ privateKey: 'key', fingerprint: '07'.repeat(32) })
  await expect(fleet.issueCertificate(by, id, {})).rejects.toEqual(refused('credential-known', '/body'))
  await expect(fleet.createDeviceToken(by, id, { expiresAt: 5 })).rejects.toEqual(
    refused('credential-expiry-wrong', '/body/expiresAt'),
  )
  await fleet.revokeCredential(by, id, credential)
  await fleet.revokeCredential(by, id, credential)
  const unknown = ground.engine.ids.uuid()
  await expect(fleet.revokeCredential(by, id, unknown)).rejects.toEqual(
    refused('credential-not-found', '/params/credential'),
  )
  await expect(fleet.createDeviceToken(by, unknown, {})).rejects.toEqual(refused('device-not-found', '/params/id'))
  await expect(fleet.issueCertificate(by, unknown, {})).rejects.toEqual(refused('device-not-found', '/params/id'))
  const listed = await fleet.credentials(by.tenant, id)
  expect(listed).toMatchObject([
    { id: credential, kind: 'token', label: 'bedside', revokedAt: expect.any(Number) },
    { id: issued.credential, kind: 'certificate', revokedAt: null, expiresAt: issued.expiresAt },
  ])
  expect(JSON.stringify(listed)).not.toContain(token)
  const facts = (await settledFacts(ground.engine)).filter((fact) => fact.type === 'CredentialRevoked')
  expect(facts.map((fact) => fact.body)).toEqual([{ device: id, credential }])
})

test('device status > what a device told of itself in the log is shown, in the order of the log', async () => {
  const { id } = await fleet.enrolDevice(by, aDevice())
  const report = (what: DeviceReported['what'], receivedAt: number, attributes = {}): DeviceReported => ({
    ...{ kind: 'device-reported', tenant: by.tenant, device: id, receivedAt, what, attributes },
  })
  await ground.engine.log.append([
    report('connected', 1000),
    report('attributes', 1001, { battery: 80, firmware: '1.2' }),
  ])
  await ground.engine.log.append([report('attributes', 1002, { battery: 79 }), report('last-will', 1003)])
  await ground.engine.log.append([{ ...report('connected', 9), device: ground.engine.ids.uuid() }])
  while (await takeReports(ground.engine));
  const shown = { connected: false, lastConnectedAt: 1000, attributes: { battery: 79, firmware: '1.2' } }
  expect(await fleet.device(by, id)).toMatchObject(shown)
  const stop = await deviceStatusStage.start(ground.engine)
  await ground.engine.log.append([report('connected', 2000)])
  await expect
    .poll(() => fleet.device(by, id), { timeout: 15_000 })
    .toMatchObject({ ...shown, connected: true, lastConnectedAt: 2000 })
  await stop()
})

test('device status > one device that tells too much, or whose row cannot be read, keeps no other from being noted', async () => {
  const [loud, broken, quiet] = await Promise.all([1, 2, 3].map(() => fleet.enrolDevice(by, aDevice())))
  const tells = (device: string, attributes: DeviceReported['attributes'], receivedAt: number): DeviceReported => ({
    ...{ kind: 'device-reported', tenant: by.tenant, device, receivedAt, what: 'attributes', attributes },
  })
  await ground.engine.log.append([tells(broken!.id, { battery: 1 }, 1)])
  while (await takeReports(ground.engine));
  await ground.engine.db.asTenant(by.tenant, (tx) =>
    tx.client.query(`update tenant.device_status set attributes = '\\x00' where device_id = $1`, [broken!.id]),
  )
  for (let message = 0; message < 5; message += 1) {
    const attributes = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`m${message}-${n}`, 'x'.repeat(50)]))
    await ground.engine.log.append([tells(loud!.id, attributes, 2)])
  }
  await ground.engine.log.append([tells(broken!.id, { battery: 2 }, 3), tells(quiet!.id, { battery: 3 }, 3)])
  while (await takeReports(ground.engine));
  expect(await fleet.device(by, quiet!.id)).toMatchObject({ attributes: { battery: 3 } })
  const { attributes } = (await fleet.device(by, loud!.id))!
  expect(Object.keys(attributes!)).toHaveLength(201)
  expect(attributes).toMatchObject({ 'careloop:attributes-dropped': 'too-many' })
})
