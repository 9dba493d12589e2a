import type { IPublishPacket, ISubackPacket, ISubscription } from 'mqtt-packet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTestDoor, type TestDoor } from './testing/open-test-door.ts'
import { RawClient } from './testing/raw-client.ts'
import { aDevice } from './testing/scripted-host.ts'

let ground: TestDoor
const device = aDevice(1)
const topic = 'devices/device-1/settings'
const persistent = { clean: false, properties: { sessionExpiryInterval: 600 } }

beforeEach(async () => {
  ground = await openTestDoor()
})
afterEach(() => ground.close())

async function subscribe(client: RawClient, ...subscriptions: ISubscription[]) {
  client.send({ cmd: 'subscribe', messageId: 77, subscriptions })
  const packet = (await client.next()) as ISubackPacket
  return packet.granted
}

const nextPublish = async (client: RawClient) => {
  const packet = (await client.next()) as IPublishPacket
  const { payload, qos, dup, retain, messageId } = packet
  return {
    settings: JSON.parse(payload.toString()) as unknown,
    topic: packet.topic,
    qos,
    dup,
    retain,
    messageId: messageId!,
  }
}

describe('mqtt subscriptions', () => {
  it('grants a device its own settings, and what ThingsBoard firmware asks for at start; nothing else', async () => {
    const filters = [
      topic,
      `devices/${device.device}/settings`,
      'v1/devices/me/attributes',
      'v1/devices/me/rpc/request/+',
      'v1/devices/me/attributes/response/+',
      'devices/device-2/settings',
      '#',
      'devices/+/settings',
      '$share/g/devices/device-1/settings',
      'bad/#/filter',
    ].map((filter) => ({ topic: filter, qos: 2 as const, nl: false, rap: false, rh: 0 }))
    const five = await RawClient.open(ground.port, 1, 5)
    expect(await subscribe(five, ...filters)).toEqual([1, 1, 1, 1, 1, 0x87, 0x87, 0x87, 0x9e, 0x8f])
    const four = await RawClient.open(ground.port, 1, 4, { clientId: 'four' })
    expect(await subscribe(four, ...filters)).toEqual([1, 1, 1, 1, 1, 0x80, 0x80, 0x80, 0x80, 0x80])
  })

  it('tells whether there was a subscription to end', async () => {
    const client = await RawClient.open(ground.port, 1, 5)
    await subscribe(client, { topic, qos: 1 })
    client.send({ cmd: 'unsubscribe', messageId: 5, unsubscriptions: [topic, 'other'] })
    expect(await client.next()).toMatchObject({ cmd: 'unsuback', messageId: 5, granted: [0, 0x11] })
    ground.host.changeSettings(device, { a: 1 }, 1)
    expect(await client.heardSoFar()).toEqual([])
  })
})

describe('mqtt settings', () => {
  it('sends what is retained on subscribe, then each change, one at a time, only the newest', async () => {
    const { host, port } = ground
    host.changeSettings(device, { interval: 60 }, 1)
    const client = await RawClient.open(port, 1)
    await subscribe(client, { topic, qos: 1 })
    const first = await nextPublish(client)
    expect(first).toMatchObject({ settings: { interval: 60 }, topic, qos: 1, dup: false, retain: true })
    host.changeSettings(device, { interval: 30 }, 2)
    host.changeSettings(device, { interval: 10 }, 3)
    expect(await client.heardSoFar()).toEqual([])
    client.send({ cmd: 'puback', messageId: first.messageId })
    const second = await nextPublish(client)
    expect(second).toMatchObject({ settings: { interval: 10 }, retain: false, dup: false })
    client.send({ cmd: 'puback', messageId: second.messageId })
    await host.until(() => host.reached.length === 2)
    expect(host.reached).toEqual([1, 3])
  })

  it('sends again with DUP and the same identifier what a persistent session did not acknowledge', async () => {
    const { host, port } = ground
    host.changeSettings(device, { interval: 60 }, 1)
    const client = await RawClient.open(port, 1, 5, persistent)
    await subscribe(client, { topic, qos: 1 })
    const { messageId } = await nextPublish(client)
    await client.vanish()
    await host.until(() => host.events.length === 2)
    const again = await RawClient.open(port, 1, 5, persistent)
    expect(await nextPublish(again)).toMatchObject({ settings: { interval: 60 }, dup: true, messageId, retain: true })
    again.send({ cmd: 'puback', messageId })
    await host.until(() => host.reached.length === 1)
    await again.vanish()
    await host.until(() => host.events.length === 4)
    const third = await RawClient.open(port, 1, 5, persistent)
    expect(await third.heardSoFar()).toEqual([])
  })

  it('sends only the newest to a device that was away', async () => {
    const { host, port } = ground
    host.changeSettings(device, { interval: 60 }, 1)
    const client = await RawClient.open(port, 1, 5, persistent)
    await subscribe(client, { topic, qos: 1 })
    await nextPublish(client)
    await client.vanish()
    await host.until(() => host.events.length === 2)
    host.changeSettings(device, { interval: 5 }, 2)
    const again = await RawClient.open(port, 1, 5, persistent)
    expect(await nextPublish(again)).toMatchObject({ settings: { interval: 5 }, dup: false })
    expect(await again.heardSoFar()).toEqual([])
  })

  it('keeps to retain handling, retain as published and subscription identifiers of 5.0', async () => {
    const { host, port } = ground
    host.changeSettings(device, { a: 1 }, 1)
    const client = await RawClient.open(port, 1, 5)
    client.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic, qos: 0, rh: 2, rap: true, nl: false }],
      properties: { subscriptionIdentifier: 9 },
    })
    await client.next()
    expect(await client.heardSoFar()).toEqual([])
    host.changeSettings(device, { a: 2 }, 2)
    expect(await client.next()).toMatchObject({ qos: 0, retain: true, properties: { subscriptionIdentifier: 9 } })
  })

  it('keeps to the receive maximum of the device', async () => {
    const { host, port } = ground
    host.changeSettings(device, { a: 1 }, 1)
    const client = await RawClient.open(port, 1, 5, { properties: { receiveMaximum: 1 } })
    await subscribe(client, { topic, qos: 1 }, { topic: 'v1/devices/me/attributes', qos: 1 })
    const first = await nextPublish(client)
    expect(await client.heardSoFar()).toEqual([])
    client.send({ cmd: 'puback', messageId: first.messageId })
    const second = await nextPublish(client)
    expect([first.topic, second.topic].sort()).toEqual([topic, 'v1/devices/me/attributes'])
  })

  it('does not send what is larger than the device takes', async () => {
    const { host, port } = ground
    host.changeSettings(device, { text: 'x'.repeat(500) }, 1)
    const client = await RawClient.open(port, 1, 5, { properties: { maximumPacketSize: 200 } })
    await subscribe(client, { topic, qos: 1 })
    expect(await client.heardSoFar()).toEqual([])
    expect(await ground.metric('careloop_mqtt_settings_total', { outcome: 'too-large-for-device' })).toBe(1)
  })

  it('answers the attribute request of ThingsBoard firmware', async () => {
    const { host, port } = ground
    host.changeSettings(device, { interval: 60, unit: 'mmHg', other: true }, 1)
    const client = await RawClient.open(port, 1)
    await subscribe(client, { topic: 'v1/devices/me/attributes/response/+', qos: 1 })
    client.publish(1, {
      topic: 'v1/devices/me/attributes/request/42',
      payload: Buffer.from('{"sharedKeys":"interval,unit"}'),
    })
    const answers = [await client.next(), await client.next()]
    const answer = answers.find((packet) => packet?.cmd === 'publish') as IPublishPacket
    expect(answer.topic).toBe('v1/devices/me/attributes/response/42')
    expect(JSON.parse(answer.payload.toString())).toEqual({ shared: { interval: 60, unit: 'mmHg' } })
    expect(answers.find((packet) => packet?.cmd === 'puback')).toMatchObject({ messageId: 1 })
  })

  it('reads the settings once for a device that asks in a loop, and again when they have changed', async () => {
    const { host, port } = ground
    host.changeSettings(aDevice(1), { interval: 60 }, 1)
    let reads = 0
    const settings = host.settings.bind(host)
    host.settings = (of) => {
      reads += 1
      return settings(of)
    }
    const client = await RawClient.open(port, 1)
    await subscribe(client, { topic: 'v1/devices/me/attributes/response/+', qos: 1 })
    const before = reads
    const asks = async (n: number) => {
      client.publish(0, { qos: 0, topic: `v1/devices/me/attributes/request/${n}`, payload: Buffer.from('{}') })
      const answer = (await client.next()) as IPublishPacket
      return JSON.parse(answer.payload.toString()) as unknown
    }
    for (let n = 1; n <= 20; n += 1) expect(await asks(n)).toEqual({ shared: { interval: 60 } })
    expect(reads - before).toBe(1)
    host.changeSettings(aDevice(1), { interval: 30 }, 2)
    expect(await asks(21)).toEqual({ shared: { interval: 30 } })
  })
})
