/** What the door says to a client that does as it should, or not quite. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTestDoor, type TestDoor } from './testing/open-test-door.ts'
import { RawClient } from './testing/raw-client.ts'
import { aDevice, overloaded } from './testing/scripted-host.ts'

let ground: TestDoor

beforeEach(async () => {
  ground = await openTestDoor({
    limits: { receiveMaximum: 4, maxPacketBytes: 2_000, maxConnectBytes: 1_000, maxPerDevice: 2 },
  })
})
afterEach(() => ground.close())

async function connackOf(version: 4 | 5, n: number, more: Parameters<RawClient['connect']>[1] = {}) {
  const client = await RawClient.dial(ground.port, version)
  client.connect(n, more)
  const packet = await client.next()
  await client.closed
  return packet
}

describe('mqtt CONNECT', () => {
  it('tells a 5.0 client what the door bears', async () => {
    const client = await RawClient.dial(ground.port, 5)
    client.connect(1, { clientId: '', keepalive: 0, properties: { sessionExpiryInterval: 0xffff_ffff } })
    expect(await client.next()).toMatchObject({
      cmd: 'connack',
      reasonCode: 0,
      sessionPresent: false,
      properties: {
        receiveMaximum: 4,
        maximumPacketSize: 2_000,
        topicAliasMaximum: 16,
        sharedSubscriptionAvailable: false,
        sessionExpiryInterval: 7 * 86_400,
        serverKeepAlive: 3_600,
        assignedClientIdentifier: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    })
  })

  it('refuses a wrong credential, each version in its own words', async () => {
    expect(await connackOf(5, 1, { username: 'nobody' })).toMatchObject({ reasonCode: 0x86 })
    expect(await connackOf(4, 1, { username: 'nobody' })).toMatchObject({ returnCode: 4 })
    expect(ground.host.events).toEqual([])
  })

  it('says "try again" when a credential cannot be checked or a session cannot be read', async () => {
    ground.host.verdict = async () => {
      throw overloaded()
    }
    expect(await connackOf(5, 1)).toMatchObject({ reasonCode: 0x88 })
    ground.host.verdict = async () => ({ device: aDevice(1), format: 'json' })
    ground.store.broken = overloaded()
    expect(await connackOf(4, 1)).toMatchObject({ returnCode: 3 })
    ground.store.broken = null
    await RawClient.open(ground.port, 1)
  })

  it('refuses at the door with the reason when nothing could be stored', async () => {
    ground.host.refused = 'storage-low'
    expect(await connackOf(5, 1)).toMatchObject({ reasonCode: 0x97 })
    ground.host.refused = 'log-overloaded'
    expect(await connackOf(5, 1)).toMatchObject({ reasonCode: 0x89 })
    expect(await connackOf(4, 1)).toMatchObject({ returnCode: 3 })
  })

  it('refuses what it does not speak', async () => {
    const old = await RawClient.dial(ground.port)
    old.send({ cmd: 'connect', protocolId: 'MQIsdp', protocolVersion: 3, clientId: 'x', clean: true, keepalive: 1 })
    expect(await old.next()).toMatchObject({ returnCode: 1 })
    const next = await RawClient.dial(ground.port, 5)
    next.write(Buffer.from([0x10, 13, 0, 4, 77, 81, 84, 84, 6, 2, 0, 60, 0, 0, 0]))
    expect(await next.next()).toMatchObject({ reasonCode: 0x84 })
    expect(await connackOf(5, 1, { properties: { authenticationMethod: 'SCRAM' } })).toMatchObject({ reasonCode: 0x8c })
    expect(await connackOf(4, 1, { clientId: 'x'.repeat(300) })).toMatchObject({ returnCode: 2 })
  })

  it('lets the newest connection of a session in and tells the old one', async () => {
    const old = await RawClient.open(ground.port, 1, 5)
    await RawClient.open(ground.port, 1, 5)
    expect(await old.next()).toMatchObject({ cmd: 'disconnect', reasonCode: 0x8e })
    expect(await old.next()).toBeNull()
    expect(ground.host.events).toEqual(['opened device-1', 'closed device-1: taken-over', 'opened device-1'])
    expect(ground.door.connections()).toBe(1)
  })

  it('keeps devices with the same client id apart', async () => {
    const first = await RawClient.open(ground.port, 1, 4, { clientId: 'factory' })
    await RawClient.open(ground.port, 2, 4, { clientId: 'factory' })
    expect(await first.heardSoFar()).toEqual([])
  })

  it('closes the oldest connection of a device that comes under ever new client ids', async () => {
    const oldest = await RawClient.open(ground.port, 1, 5, { clientId: 'a' })
    for (const clientId of ['b', 'c']) await RawClient.open(ground.port, 1, 5, { clientId })
    expect(await oldest.next()).toMatchObject({ cmd: 'disconnect', reasonCode: 0x97 })
    expect(ground.door.connections()).toBe(2)
  })

  it('closes the connections of a revoked credential', async () => {
    const client = await RawClient.open(ground.port, 1, 5)
    expect(ground.door.disconnect(aDevice(1).device, 'revoked', 'another')).toBe(0)
    expect(ground.door.disconnect(aDevice(1).device, 'revoked', 'credential-1')).toBe(1)
    expect(await client.next()).toMatchObject({ cmd: 'disconnect', reasonCode: 0x87 })
  })

  it('does not let a device in whose credential is revoked while it connects', async () => {
    let opened = () => {}
    const entered = new Promise<void>((entry) => {
      ground.host.opened = () => {
        entry()
        return new Promise((resolve) => {
          opened = resolve
        })
      }
    })
    const client = await RawClient.dial(ground.port)
    client.connect(1)
    await entered
    ground.door.disconnect(aDevice(1).device, 'revoked')
    opened()
    expect(await client.next()).toBeNull()
    await ground.host.until(() => ground.host.events.length === 1)
    expect(ground.host.events).toEqual(['closed device-1: socket-closed'])
  })
})

describe('mqtt PUBLISH', () => {
  const topics = [
    ['devices/device-1/telemetry', 'telemetry', 'json'],
    [`devices/${aDevice(1).device}/telemetry/senml`, 'telemetry', 'senml'],
    ['devices/device-1/telemetry/raw', 'telemetry', 'profile'],
    ['devices/device-1/attributes', 'attributes', 'json'],
    ['devices/device-1/status', 'status', 'json'],
    ['v1/devices/me/telemetry', 'telemetry', 'json'],
    ['v1/devices/me/attributes', 'attributes', 'json'],
  ] as const

  it('takes the topics of the device, by id, by name and as ThingsBoard names them', async () => {
    const client = await RawClient.open(ground.port, 1)
    for (const [topic] of topics) {
      client.publish(1, { topic, retain: true })
      await client.next()
    }
    expect(ground.host.frames.map(({ topic, kind, format }) => [topic, kind, format])).toEqual(topics)
    expect(ground.host.frames[0]).toMatchObject({ door: 'mqtt', device: aDevice(1), receivedAt: ground.clock.now() })
    expect(Buffer.from(ground.host.frames[0]!.bytes).toString()).toBe('{"n":1}')
  })

  it('reads raw bytes for a raw profile, and what the content type says otherwise', async () => {
    ground.host.verdict = async () => ({ device: aDevice(1), format: 'profile' })
    const client = await RawClient.open(ground.port, 1, 5)
    client.publish(1)
    client.publish(2, { properties: { contentType: 'application/senml+json' } })
    client.publish(3, { properties: { contentType: 'Application/JSON; charset=utf-8' } })
    client.publish(4, { properties: { contentType: 'text/plain' } })
    for (let n = 0; n < 4; n++) await client.next()
    expect(ground.host.frames.map(({ format }) => format)).toEqual(['profile', 'senml', 'json', 'profile'])
  })

  it('does not let a device publish for another: 5.0 is told, 3.1.1 is acknowledged, the frame is kept', async () => {
    const five = await RawClient.open(ground.port, 1, 5)
    five.publish(1, { topic: 'devices/device-2/telemetry' })
    expect(await five.next()).toMatchObject({ cmd: 'puback', reasonCode: 0x87 })
    const four = await RawClient.open(ground.port, 3)
    four.publish(1, { topic: 'devices/device-2/telemetry' })
    expect(await four.next()).toMatchObject({ cmd: 'puback', messageId: 1 })
    four.publish(2, { topic: 'home/kitchen' })
    expect(await four.next()).toMatchObject({ cmd: 'puback', messageId: 2 })
    expect(ground.host.frames).toEqual([])
    expect(ground.host.aside.map(({ reason, frame }) => [reason, frame.device.name, frame.topic])).toEqual([
      ['wrong-device', 'device-1', 'devices/device-2/telemetry'],
      ['wrong-device', 'device-3', 'devices/device-2/telemetry'],
      ['not-allowed', 'device-3', 'home/kitchen'],
    ])
  })

  it('keeps a misdirected QoS 0 publish of a 5.0 device too, which cannot be told', async () => {
    const client = await RawClient.open(ground.port, 1, 5)
    client.publish(0, { qos: 0, topic: 'devices/device-2/telemetry' })
    await client.heardSoFar()
    expect(ground.host.aside).toHaveLength(1)
  })

  it('takes topic aliases up to the announced number', async () => {
    const client = await RawClient.open(ground.port, 1, 5)
    client.publish(1, { topic: 'devices/device-1/status', properties: { topicAlias: 3 } })
    await client.next()
    client.write(Buffer.from([0x32, 10, 0, 0, 0, 2, 3, 0x23, 0, 3, 0x7b, 0x7d]))
    expect(await client.next()).toMatchObject({ messageId: 2, reasonCode: 0 })
    expect(ground.host.frames.map(({ topic }) => topic)).toEqual(['devices/device-1/status', 'devices/device-1/status'])
    client.publish(3, { properties: { topicAlias: 17 } })
    expect(await client.next()).toMatchObject({ cmd: 'disconnect', reasonCode: 0x94 })
  })

  it('closes a 5.0 client that has more on its way than announced; does not read a 3.1.1 client beyond it', async () => {
    const { host, port } = ground
    host.held = []
    const five = await RawClient.open(port, 1, 5)
    for (const id of [1, 2, 3, 4, 5]) five.publish(id)
    expect(await five.next()).toMatchObject({ cmd: 'disconnect', reasonCode: 0x93 })
    host.held = []
    const four = await RawClient.open(port, 2)
    for (let id = 1; id <= 50; id++) four.publish(id)
    await host.until(() => host.held!.length === 4)
    for (let id = 1; id <= 50; id++) {
      await host.until(() => host.held!.length >= id)
      expect(host.held!.length).toBeLessThanOrEqual(id + 3)
      host.held[id - 1]!.commit()
      expect(await four.next()).toMatchObject({ messageId: id })
    }
  })

  it('does not read sockets while the log is nearly full, and reads on when it has room', async () => {
    const { host, port, clock } = ground
    const client = await RawClient.open(port, 1)
    host.fill = 0.9
    client.publish(1)
    for (let n = 0; n < 200 && (await ground.metric('careloop_mqtt_paused')) === 0; n++)
      await new Promise((resolve) => setImmediate(resolve))
    expect(await ground.metric('careloop_mqtt_paused')).toBe(1)
    // A device that is not read is not taken for silent.
    await clock.advance(600_000)
    expect(host.frames).toHaveLength(0)
    host.fill = 0.4
    await clock.advance(25)
    expect(await client.next()).toMatchObject({ cmd: 'puback', messageId: 1 })
  })
})

describe('mqtt keep-alive', () => {
  it('lets a client be silent for one and a half times its keep-alive, not longer', async () => {
    const { port, clock } = ground
    const client = await RawClient.open(port, 1, 5, { keepalive: 10 })
    await clock.advance(14_000)
    expect(await client.heardSoFar()).toEqual([])
    await clock.advance(15_000)
    expect(await client.heardSoFar()).toEqual([])
    await clock.advance(17_000)
    expect(await client.next()).toMatchObject({ cmd: 'disconnect', reasonCode: 0x8d })
    expect(ground.host.events.at(-1)).toBe('closed device-1: keep-alive')
  })

  it('never ends a 3.1.1 client that asked for no keep-alive; ends a 5.0 client after the time it was told', async () => {
    const { port, clock } = ground
    const four = await RawClient.open(port, 1, 4, { keepalive: 0 })
    const five = await RawClient.open(port, 2, 5, { keepalive: 0 })
    await clock.advance(5_500_000)
    expect(await five.next()).toMatchObject({ cmd: 'disconnect', reasonCode: 0x8d })
    expect(await four.heardSoFar()).toEqual([])
  })
})

describe('mqtt last will', () => {
  const will = {
    topic: 'devices/device-1/status',
    payload: Buffer.from('{"online":false}'),
    qos: 1 as const,
    retain: true,
  }

  it('records the will as a status frame when the device goes without a word', async () => {
    const { host, port } = ground
    const client = await RawClient.open(port, 1, 4, { will })
    await client.vanish()
    await host.until(() => host.frames.length === 1)
    expect(host.frames[0]).toMatchObject({ kind: 'status', topic: will.topic, device: aDevice(1) })
    expect(Buffer.from(host.frames[0]!.bytes).toString()).toBe('{"online":false}')
  })

  it('gives a will on another topic to the host', async () => {
    const { host, port } = ground
    await (await RawClient.open(port, 1, 4, { will: { ...will, topic: 'stat/LWT' } })).vanish()
    await host.until(() => host.wills.length === 1)
    expect(host.wills[0]).toMatchObject({ topic: 'stat/LWT', device: aDevice(1) })
    expect(host.frames).toEqual([])
  })

  it('says nothing when the device leaves with a word, unless that word is "with will"', async () => {
    const { host, port } = ground
    await (await RawClient.open(port, 1, 5, { will })).leave()
    await host.until(() => host.events.length === 2)
    expect(host.frames).toEqual([])
    const client = await RawClient.open(port, 1, 5, { will })
    client.send({ cmd: 'disconnect', reasonCode: 4 })
    await host.until(() => host.frames.length === 1)
  })

  it('waits for the will delay, and says nothing when the device is back in time', async () => {
    const { host, port, clock } = ground
    const persistent = { clean: false, properties: { sessionExpiryInterval: 600 } }
    const delayed = { ...persistent, will: { ...will, properties: { willDelayInterval: 30 } } }
    await (await RawClient.open(port, 1, 5, delayed)).vanish()
    await host.until(() => host.events.length === 2)
    await clock.advance(29_000)
    const back = await RawClient.open(port, 1, 5, delayed)
    await clock.advance(31_000)
    expect(await back.heardSoFar()).toEqual([])
    expect(host.frames).toEqual([])
    await back.vanish()
    await host.until(() => host.events.length === 4)
    await clock.advance(31_000)
    expect(host.frames).toHaveLength(1)
  })

  it('keeps four delayed wills of one device: a fifth lets the oldest be said at once', async () => {
    const { host, port, clock } = ground
    for (let n = 0; n < 5; n += 1) {
      const properties = { sessionExpiryInterval: 600 }
      const one = { ...will, payload: Buffer.from(`{"n":${n}}`), properties: { willDelayInterval: 500 } }
      await (await RawClient.open(port, 1, 5, { clientId: `c${n}`, clean: false, properties, will: one })).vanish()
      await host.until(() => host.events.length === 2 * n + 2)
    }
    await host.until(() => host.frames.length === 1)
    expect(Buffer.from(host.frames[0]!.bytes).toString()).toBe('{"n":0}')
    expect(await ground.metric('careloop_mqtt_wills_cut_short')).toBe(1)
    await clock.advance(501_000)
    expect(host.frames).toHaveLength(5)
  })

  it('tries again until the will is durable', async () => {
    const { host, port, clock } = ground
    const client = await RawClient.open(port, 1, 4, { will })
    host.answer = async () => {
      throw overloaded()
    }
    await client.vanish()
    await host.until(() => host.frames.length === 1)
    host.answer = async () => ({ outcome: 'duplicate' })
    await clock.advance(5_000)
    expect(host.frames).toHaveLength(2)
  })

  it('says no will of connected devices when the door closes: they are not gone, we are', async () => {
    const { host, port } = ground
    const client = await RawClient.open(port, 1, 5, { will })
    await ground.close()
    expect(await client.next()).toMatchObject({ cmd: 'disconnect', reasonCode: 0x8b })
    expect(host.frames).toEqual([])
    expect(host.events.at(-1)).toBe('closed device-1: server-closing')
  })
})
