import type { LogEntry } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../engine/clock/manual-clock.ts'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { aPatient, byTest, testSubjects } from '../subjects/fixtures.ts'
import type { By } from '../subjects/index.ts'
import { makeAttribution } from './attribution.ts'
import { sha256 } from './credentials.ts'
import { aDevice, enrolled, testFleet } from './fixtures.ts'
import type { Fleet } from './fleet.ts'

let ground: TestEngine
let clock: ManualClock
let fleet: Fleet
let by: By
let wearer: string
beforeAll(async () => {
  clock = makeManualClock()
  ground = await testEngine({ clock })
  fleet = testFleet(ground.engine)
  by = byTest(await ground.tenant())
  wearer = (await testSubjects(ground.engine).create(by, aPatient())).id
})
afterAll(() => ground?.stop())

/** What a door in another process holds. */
const aDoor = () => makeAttribution(ground.another({ clock }).engine)
/** A fact tells a door; where one was missed (a fact from before the feed's first look), the door's own look every 5 s does. */
const soon = <T>(see: () => T) =>
  expect.poll(
    async () => {
      await clock.advance(500)
      return see()
    },
    { timeout: 20_000 },
  )
const tick: LogEntry = { kind: 'tick', at: 0 }

test('attribution > a door knows a device by its token alone, before it knows the tenant', async () => {
  const { device, token, credential } = await enrolled(fleet, by, { name: 'ward-7', classification: 'wellness' })
  const worn = await fleet.assign(by, device, wearer, null)
  for (const door of [aDoor(), aDoor()]) {
    expect(door.whoWears(device, clock.now())).toBeNull()
    expect(await door.identityByTokenHash(sha256(token))).toEqual({
      ...{ tenant: by.tenant, device, name: 'ward-7', profile: 'generic', classification: 'wellness', credential },
    })
    expect(door.whoWears(device, clock.now())).toEqual(worn)
    expect(door.whoWears(device, worn.from - 1)).toBeNull()
    expect(await door.identityByTokenHash(sha256(`${token}x`))).toBeNull()
    expect(await door.identityByCertificate(sha256(token))).toBeNull()
    expect(door.device(device)).toMatchObject({ name: 'ward-7', tenant: by.tenant, settingsVersion: 0 })
  }
})

test('attribution > an append by an older copy is refused until the door has refreshed', async () => {
  const { device } = await enrolled(fleet, by)
  const door = aDoor()
  await door.refresh()
  expect(door.whoWears(device, clock.now())).toBeNull()
  const before = door.fence()
  const worn = await fleet.assign(by, device, wearer, null)
  await expect(ground.engine.log.append([tick], [before])).rejects.toMatchObject({ code: 'fence-lost' })
  await door.refresh()
  expect(door.whoWears(device, clock.now())).toEqual(worn)
  expect(door.epoch).toBe(before.value + 1)
  await expect(ground.engine.log.append([tick], [door.fence()])).resolves.toMatchObject({ partition: 0 })
})

test('attribution > a refresh holds everything committed before its call, also while another runs', async () => {
  const door = aDoor()
  const devices = await Promise.all(Array.from({ length: 12 }, () => enrolled(fleet, by)))
  await Promise.all(
    devices.map(async ({ device }) => {
      const running = door.refresh()
      const worn = await fleet.assign(by, device, wearer, null)
      await door.refresh()
      expect(door.whoWears(device, clock.now())).toEqual(worn)
      await running
    }),
  )
  expect(door.epoch).toBe(await ground.engine.log.fence('attribution'))
})

test('attribution > a change that was open while a door looked is taken in by its next look', async () => {
  const { device } = await enrolled(fleet, by)
  const door = aDoor()
  let goOn = () => {}
  const gate = new Promise<void>((resolve) => {
    goOn = resolve
  })
  let isWritten = () => {}
  const written = new Promise<void>((resolve) => {
    isWritten = resolve
  })
  const slow = ground.engine.db.asTenant(by.tenant, async (tx) => {
    await tx.client.query(`update tenant.device set time_zone = 'Asia/Tokyo' where id = $1`, [device])
    isWritten()
    await gate
  })
  await written
  await enrolled(fleet, by) // a later transaction commits first
  await door.refresh()
  await door.refresh()
  expect(door.device(device)?.timeZone).toBeNull()
  goOn()
  await slow
  await door.refresh()
  expect(door.device(device)?.timeZone).toBe('Asia/Tokyo')
})

test('attribution > a change of the device and of its wearer at once lose neither', async () => {
  for (let round = 0; round < 5; round++) {
    const { device } = await enrolled(fleet, by)
    await Promise.all([
      fleet.assign(by, device, wearer, null),
      fleet.updateDevice(by, device, { classification: 'operational', profile: 'generic' }),
      fleet.setSettings(by, device, { round }),
    ])
    const door = aDoor()
    await door.refresh()
    expect(door.device(device)).toMatchObject({ classification: 'operational', settingsVersion: 1 })
    expect(door.whoWears(device, clock.now())).toMatchObject({ subject: wearer })
  }
})

test('attribution > a revoked or expired credential opens no door, in no process', async () => {
  const { device, token, credential } = await enrolled(fleet, by)
  const door = aDoor()
  const stop = await door.start()
  expect(await door.identityByTokenHash(sha256(token))).toMatchObject({ device })
  expect(door.isGood(credential)).toBe(true)
  await fleet.revokeCredential(by, device, credential)
  await soon(() => door.isGood(credential)).toBe(false)
  expect(await door.identityByTokenHash(sha256(token))).toBeNull()
  expect(await aDoor().identityByTokenHash(sha256(token))).toBeNull()
  await stop()

  const brief = await fleet.createDeviceToken(by, device, { expiresAt: clock.now() + 1000 })
  expect(await door.identityByTokenHash(sha256(brief.token))).toMatchObject({ credential: brief.credential })
  await clock.advance(1000)
  expect(await door.identityByTokenHash(sha256(brief.token))).toBeNull()
  expect(door.isGood(brief.credential)).toBe(false)
})

test('attribution > a started door follows facts of other processes', async () => {
  const door = aDoor()
  const stop = await door.start()
  const { id: device } = await fleet.enrolDevice(by, aDevice())
  const worn = await fleet.assign(by, device, wearer, null)
  await soon(() => door.whoWears(device, worn.from)).toEqual(worn)
  await clock.advance(1000)
  const ended = await fleet.unassign(by, device, null)
  await soon(() => door.whoWears(device, ended.to!)).toBeNull()
  expect(await door.load(by.tenant, device)).toMatchObject({ device })
  expect(await door.load(await ground.tenant(), device)).toBeUndefined()
  expect(await aDoor().load(by.tenant, ground.engine.ids.uuid())).toBeUndefined()
  await stop()
})

test('attribution > a credential revoked while it is being looked up is refused', async () => {
  const { device, token, credential } = await enrolled(fleet, by)
  const { engine } = ground.another({ clock })
  let goOn = () => {}
  const gate = new Promise<void>((resolve) => {
    goOn = resolve
  })
  let isRead = () => {}
  const read = new Promise<void>((resolve) => {
    isRead = resolve
  })
  let holds = true
  const asEngine: typeof engine.db.asEngine = async (fn) => {
    const found = await engine.db.asEngine(fn)
    if (!holds) return found
    isRead()
    await gate
    return found
  }
  const door = makeAttribution({ ...engine, db: { ...engine.db, asEngine } })
  const asked = door.identityByTokenHash(sha256(token))
  await read
  holds = false
  await fleet.revokeCredential(by, device, credential)
  await door.refresh()
  goOn()
  expect(await asked).toBeNull()
  expect(door.isGood(credential)).toBe(false)
})
