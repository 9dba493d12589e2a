/** A simulated device at the real door: a whole platform on free ports, and what it stored is read back as the rules read it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReadingsLogged } from '@careloop/contract'
import { type By, byConsole, makeWatch, type Platform, readConfig, startPlatform } from '@careloop/platform'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../platform/src/engine/testing/index.ts'
import { em300Th, fridgeProbe } from './devices/environmental.ts'
import { withFaults } from './devices/faults.ts'
import { bloodPressureCuff, glucoseMonitor } from './devices/personal.ts'
import { tellings, type VirtualDevice } from './devices/virtual-device.ts'
import { HOUR, MINUTE } from './signals/day-rhythm.ts'
import { aPerson } from './signals/person.ts'
import { aRefrigerator } from './signals/refrigerator.ts'
import { httpSpeaker } from './speakers/http-speaker.ts'
import { mqttSpeaker } from './speakers/mqtt-speaker.ts'
import type { Credential } from './speakers/speaker.ts'

let database: TestDatabase
let platform: Platform
let by: By
let subject: string
let folder: string
const now = Date.now()

beforeAll(async () => {
  database = await testDatabase()
  folder = mkdtempSync(join(tmpdir(), 'careloop-simulator-'))
  const config = readConfig({
    CARELOOP_DATA: join(folder, 'data'),
    CARELOOP_MASTER_KEY_FILE: join(folder, 'master.key'),
    DATABASE_URL: database.url,
    CARELOOP_HTTP_PORT: '0',
    CARELOOP_MQTT_PORT: '0',
    CARELOOP_MQTTS_PORT: '0',
    CARELOOP_MQTTS_HOST: '127.0.0.1',
    CARELOOP_BALLAST_BYTES: '0',
    CARELOOP_DISK_FLOOR_BYTES: '0',
  })
  platform = await startPlatform(config, makeWatch({ level: 'silent' }))
  const { identity, subjects } = platform.rooms
  by = byConsole(await identity.createTenant('Simulated'))
  const resource = { resourceType: 'Patient' as const, name: [{ family: 'Nobody' }] }
  subject = (await subjects.create(by, { timeZone: 'UTC', resource })).id
})
afterAll(async () => {
  await platform?.close()
  await database?.drop()
  rmSync(folder, { recursive: true, force: true })
})

async function enrol({ name, profile, classification }: VirtualDevice): Promise<string> {
  const { fleet } = platform.rooms
  const { id } = await fleet.enrolDevice(by, { name, profile, classification })
  await fleet.assign(by, id, subject, now - 30 * 24 * HOUR)
  return id
}

const token = async (device: string): Promise<Credential & { kind: 'token' }> => ({
  kind: 'token',
  token: (await platform.rooms.fleet.createDeviceToken(by, device, {})).token,
})

const urlOf = (door: 'mqtt' | 'mqtts'): string => {
  const { host, port } = platform.doors!.mqtt.addresses.find((each) => each.door === door)!
  return `${door}://${host}:${port}`
}

/** What the log holds of a device: [measuredAt, value] of one signal, in time order. */
async function logged(device: string, signal: string): Promise<unknown[][]> {
  const commits = await platform.rooms.engine.log.read(0, 0, 100_000)
  return commits
    .flatMap((commit) => commit.entries)
    .filter((entry): entry is ReadingsLogged => entry.kind === 'readings' && entry.device === device)
    .flatMap((entry) => entry.readings)
    .filter((reading) => reading.signal === signal)
    .map((reading) => [reading.measuredAt, reading.value])
    .sort(([a], [b]) => Number(a) - Number(b))
}

/** What the device measured, by its own model. */
const measured = (device: VirtualDevice, key: string, from: number, to: number) =>
  tellings(device, from, to).map((said) => (said.what === 'measurement' ? [said.at, said.values[key]] : []))

describe('simulator > at the real door', () => {
  it('a cuff over MQTT 3.1.1 with a token: what is acknowledged stands in the log, sent twice or not', async () => {
    const cuff = withFaults(bloodPressureCuff(aPerson('door'), { name: 'cuff', everyMs: MINUTE }), [
      { kind: 'duplicate-sends', from: now - 5 * MINUTE },
    ])
    const device = await enrol(cuff)
    const speaker = await mqttSpeaker({ url: urlOf('mqtt'), device: 'cuff', credential: await token(device) })
    const answers = await speaker.say(tellings(cuff, now - 10 * MINUTE, now))
    await speaker.close()
    expect(answers.every(({ outcome }) => outcome === 'acknowledged')).toBe(true)
    const plain = bloodPressureCuff(aPerson('door'), { name: 'cuff', everyMs: MINUTE })
    expect(await logged(device, 'systolic')).toEqual(measured(plain, 'systolic', now - 10 * MINUTE, now))
  })

  it('a probe over MQTT 5.0 with a certificate: an outage is filled, garbage is refused with a reason', async () => {
    const plain = fridgeProbe(aRefrigerator('door'), { name: 'probe', everyMs: MINUTE })
    const probe = withFaults(plain, [
      { kind: 'gateway-outage', from: now - 40 * MINUTE, to: now - 20 * MINUTE },
      { kind: 'garbage', from: now - 2 * MINUTE },
    ])
    const device = await enrol(probe)
    const issued = await platform.rooms.fleet.issueCertificate(by, device, {})
    const speaker = await mqttSpeaker({
      ...{ url: urlOf('mqtts'), device: 'probe', protocolVersion: 5 },
      credential: { ...issued, kind: 'certificate', privateKey: issued.privateKey! },
    })
    const answers = await speaker.say(tellings(probe, now - HOUR, now))
    await speaker.close()
    const refused = answers.filter(({ outcome }) => outcome === 'refused')
    expect(refused).toEqual(Array(2).fill({ outcome: 'refused', messages: 1, reason: 'reason code 0x99' }))
    expect(await logged(device, 'temperature-probe')).toEqual(measured(plain, 'temperature-probe', now - HOUR, now))
  })

  it('a sensor behind ChirpStack: its bytes are decoded by its profile', async () => {
    const sensor = em300Th(aRefrigerator('lora'), { name: 'em300', everyMs: MINUTE })
    const device = await enrol(sensor)
    const speaker = await mqttSpeaker({
      ...{ url: urlOf('mqtt'), device: 'em300', topics: 'thingsboard' },
      credential: await token(device),
    })
    await speaker.say(tellings(sensor, now - 5 * MINUTE, now))
    await speaker.close()
    expect(await logged(device, 'temperature-ambient')).toHaveLength(5)
  })

  it.each([
    ['json', false],
    ['json', true],
    ['senml', true],
  ] as const)('a glucose monitor over HTTP, as a batch in %s, gzip %s', async (format, gzip) => {
    const name = `cgm-${format}-${gzip}`
    const cgm = glucoseMonitor(aPerson(name), { name })
    const device = await enrol(cgm)
    const speaker = httpSpeaker({ url: platform.http!, device: name, ...(await token(device)), format, gzip })
    const answers = await speaker.say(tellings(cgm, now - 3 * HOUR, now))
    expect(answers).toEqual([{ outcome: 'acknowledged', messages: 36 }])
    expect(await logged(device, 'glucose-interstitial')).toEqual(
      measured(cgm, 'glucose-interstitial', now - 3 * HOUR, now),
    )
  })

  it('a wrong token is refused: nothing is said', async () => {
    const speaker = httpSpeaker({ url: platform.http!, device: 'x', token: 'cld_wrong' })
    const cuff = bloodPressureCuff(aPerson('x'), { name: 'x' })
    expect(await speaker.say(cuff.say(now))).toMatchObject([
      { outcome: 'refused', reason: expect.stringMatching(/^401/) },
    ])
  })
})
