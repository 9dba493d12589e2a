/** What a device's class lets it do at the MQTT door. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Classification } from '../door.ts'
import { openTestDoor, type TestDoor } from './testing/open-test-door.ts'
import { RawClient } from './testing/raw-client.ts'
import { aDevice } from './testing/scripted-host.ts'

let ground: TestDoor
beforeEach(async () => {
  ground = await openTestDoor()
})
afterEach(() => ground.close())

const is = (classification: Classification) => {
  ground.host.verdict = async () => ({ device: { ...aDevice(1), classification }, format: 'json' })
}

test('mqtt allowance > a device that hurries is read more slowly, loses nothing, and is told of after a minute', async () => {
  is('wellness')
  const { host, clock, port } = ground
  const client = await RawClient.open(port, 1)
  const many = 2_000 + 20 * 3
  for (let i = 0; i < many; i++) client.publish(1 + (i % 60_000))
  const acknowledged = async (count: number) => {
    for (let i = 0; i < count; i++) expect(await client.next()).toMatchObject({ cmd: 'puback' })
  }
  await acknowledged(2_000)
  expect(host.frames).toHaveLength(2_000)
  // Twenty a second from here on, whatever waits in its socket.
  for (let second = 1; second <= 3; second++) {
    await clock.advance(1_000)
    await acknowledged(20)
  }
  expect(host.frames).toHaveLength(many)
  for (let i = 0; i < 20 * 70; i++) client.publish(1 + i)
  for (let second = 0; second < 70; second++) {
    await clock.advance(1_000)
    await acknowledged(20)
  }
  expect(host.events.filter((event) => event === 'hurries device-1').length).toBeGreaterThan(0)
})

test('mqtt allowance > a night of readings after an outage is taken at once from a medical device', async () => {
  is('medical')
  const client = await RawClient.open(ground.port, 1)
  for (let i = 0; i < 8 * 3_600; i += 60) client.publish(1 + i)
  for (let i = 0; i < 8 * 3_600; i += 60) expect(await client.next()).toMatchObject({ cmd: 'puback' })
  expect(ground.host.events.filter((event) => event.startsWith('hurries'))).toEqual([])
})

test('mqtt allowance > how large a message may be follows from the class, and a 5.0 client is told', async () => {
  is('wellness')
  const client = await RawClient.dial(ground.port, 5)
  client.connect(1)
  expect(await client.next()).toMatchObject({ cmd: 'connack', properties: { maximumPacketSize: 64 * 1024 } })
  client.publish(1, { payload: Buffer.alloc(65 * 1024, 'x') })
  expect(await client.next()).toMatchObject({ cmd: 'disconnect', reasonCode: 0x95 })
  await client.closed
  expect(ground.host.frames).toEqual([])
})

test('mqtt allowance > a wellness device is sent no settings', async () => {
  is('wellness')
  const client = await RawClient.open(ground.port, 1, 5)
  const subscriptions = ['devices/device-1/settings', 'v1/devices/me/attributes'].map((topic) => ({
    topic,
    qos: 1 as const,
  }))
  client.send({ cmd: 'subscribe', messageId: 7, subscriptions })
  expect(await client.next()).toMatchObject({ cmd: 'suback', granted: [0x87, 0x87] })
})
