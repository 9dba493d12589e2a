import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTestDoor, type TestDoor } from './testing/open-test-door.ts'
import { RawClient } from './testing/raw-client.ts'
import { overloaded } from './testing/scripted-host.ts'

let ground: TestDoor

beforeEach(async () => {
  ground = await openTestDoor()
})
afterEach(() => ground.close())

describe('mqtt acknowledgement', () => {
  it('acks a PUBLISH only after the reading is durable', async () => {
    const { host, port } = ground
    host.held = []
    const client = await RawClient.open(port, 1)
    client.publish(7)
    await host.until(() => host.held!.length === 1)
    expect(await client.heardSoFar()).toEqual([])
    host.held[0]!.commit()
    expect(await client.next()).toMatchObject({ cmd: 'puback', messageId: 7 })
  })

  it('acks in the order of the publishes, whichever commits first', async () => {
    const { host, port } = ground
    host.held = []
    const client = await RawClient.open(port, 1)
    for (const id of [1, 2, 3]) client.publish(id)
    await host.until(() => host.held!.length === 3)
    host.held[2]!.commit()
    host.held[1]!.commit()
    expect(await client.heardSoFar()).toEqual([])
    host.held[0]!.commit()
    const acked = [await client.next(), await client.next(), await client.next()]
    expect(acked.map((packet) => packet?.messageId)).toEqual([1, 2, 3])
  })

  it('lets one device wait without making another wait', async () => {
    const { host, port } = ground
    host.held = []
    const [slow, quick] = [await RawClient.open(port, 1), await RawClient.open(port, 2)]
    slow.publish(1)
    await host.until(() => host.held!.length === 1)
    quick.publish(1)
    await host.until(() => host.held!.length === 2)
    host.held[1]!.commit()
    expect(await quick.next()).toMatchObject({ cmd: 'puback', messageId: 1 })
    expect(await slow.heardSoFar()).toEqual([])
  })

  it('never acks after a failed commit: a 3.1.1 device is held, then sent away, and nothing behind is acked', async () => {
    const { host, port, clock } = ground
    host.held = []
    const client = await RawClient.open(port, 1)
    for (const id of [1, 2, 3]) client.publish(id)
    await host.until(() => host.held!.length === 3)
    host.held[0]!.commit()
    host.held[1]!.fail(overloaded())
    host.held[2]!.commit()
    expect(await client.next()).toMatchObject({ cmd: 'puback', messageId: 1 })
    await clock.advance(2_000)
    expect(ground.door.connections()).toBe(1)
    await clock.advance(2_000)
    expect(await client.next()).toBeNull()
    expect(await ground.metric('careloop_mqtt_publishes_total', { outcome: 'refused' })).toBe(1)
    expect(host.events.at(-1)).toBe('closed device-1: overloaded')
  })

  it('tells a 5.0 device that its reading was not stored, and goes on', async () => {
    const { host, port } = ground
    host.held = []
    const client = await RawClient.open(port, 1, 5)
    client.publish(1)
    client.publish(2)
    await host.until(() => host.held!.length === 2)
    host.held[1]!.commit()
    host.held[0]!.fail(overloaded('storage-low'))
    expect(await client.next()).toMatchObject({
      messageId: 1,
      reasonCode: 0x97,
      properties: { reasonString: 'storage-low' },
    })
    expect(await client.next()).toMatchObject({ messageId: 2, reasonCode: 0 })
  })

  it('neither acks nor refuses when nobody knows whether it was stored: the connection ends', async () => {
    const { host, port, clock } = ground
    host.held = []
    const client = await RawClient.open(port, 1, 5)
    client.publish(1)
    await host.until(() => host.held!.length === 1)
    host.held[0]!.fail(new TypeError('a bug'))
    await clock.advance(4_000)
    expect(await client.next()).toMatchObject({ cmd: 'disconnect' })
    expect(await client.next()).toBeNull()
  })

  it('counts a QoS 0 publish that could not be stored', async () => {
    const { host, port } = ground
    host.answer = async () => {
      throw overloaded()
    }
    const client = await RawClient.open(port, 1)
    client.publish(0, { qos: 0 })
    expect(await client.heardSoFar()).toEqual([])
    expect(await ground.metric('careloop_mqtt_publishes_total', { outcome: 'refused-qos0' })).toBe(1)
  })

  const aside = [{ id: 'q', reason: 'bad-frame' as const, pointer: '/values/spo2', message: 'Not a number.' }]

  it('tells a 5.0 device where a bad payload is wrong; a 3.1.1 device is acknowledged so that it does not loop', async () => {
    const { host, port } = ground
    host.answer = async () => ({ outcome: 'quarantined', quarantined: aside })
    const five = await RawClient.open(port, 1, 5)
    five.publish(1)
    expect(await five.next()).toMatchObject({
      reasonCode: 0x99,
      properties: { reasonString: 'bad-frame at /values/spo2: Not a number.' },
    })
    const four = await RawClient.open(port, 2)
    four.publish(1)
    expect(await four.next()).toMatchObject({ cmd: 'puback', messageId: 1 })
  })

  it('gives no reason string to a device that asked for none', async () => {
    const { host, port } = ground
    host.answer = async () => ({ outcome: 'quarantined', quarantined: aside })
    const client = await RawClient.open(port, 1, 5, { properties: { requestProblemInformation: false } })
    client.publish(1)
    const packet = await client.next()
    expect(packet).toMatchObject({ reasonCode: 0x99 })
    expect(packet).not.toHaveProperty('properties')
  })

  it('says 0 for a duplicate: it is stored already', async () => {
    const { host, port } = ground
    host.answer = async () => ({ outcome: 'duplicate' })
    const client = await RawClient.open(port, 1, 5)
    client.publish(1, { dup: true })
    expect(await client.next()).toMatchObject({ reasonCode: 0 })
    expect(host.frames[0]!.delivery).toEqual({ packetId: 1, dup: true })
  })
})

describe('mqtt QoS 2', () => {
  it('hands a publish on once, however often it comes before its release', async () => {
    const { host, port } = ground
    host.held = []
    const client = await RawClient.open(port, 1, 5)
    client.publish(9, { qos: 2 })
    await host.until(() => host.held!.length === 1)
    expect(await client.heardSoFar()).toEqual([])
    host.held[0]!.commit()
    expect(await client.next()).toMatchObject({ cmd: 'pubrec', messageId: 9, reasonCode: 0 })
    client.publish(9, { qos: 2, dup: true })
    expect(await client.next()).toMatchObject({ cmd: 'pubrec', messageId: 9, reasonCode: 0 })
    client.send({ cmd: 'pubrel', messageId: 9 })
    expect(await client.next()).toMatchObject({ cmd: 'pubcomp', messageId: 9, reasonCode: 0 })
    expect(host.frames).toHaveLength(1)
    client.publish(9, { qos: 2 })
    await host.until(() => host.held!.length === 2)
  })

  it('completes a release that it does not know, and says so to a 5.0 device', async () => {
    const five = await RawClient.open(ground.port, 1, 5)
    five.send({ cmd: 'pubrel', messageId: 3 })
    expect(await five.next()).toMatchObject({ cmd: 'pubcomp', messageId: 3, reasonCode: 0x92 })
    const four = await RawClient.open(ground.port, 2)
    four.send({ cmd: 'pubrel', messageId: 3 })
    expect(await four.next()).toMatchObject({ cmd: 'pubcomp', messageId: 3 })
  })

  it('is not doubled by a resend over a new connection, whether the first was durable or still on its way', async () => {
    const { host, port } = ground
    host.held = []
    const first = await RawClient.open(port, 1, 4, { clean: false })
    first.publish(1, { qos: 2 })
    first.publish(2, { qos: 2 })
    await host.until(() => host.held!.length === 2)
    host.held[0]!.commit()
    expect(await first.next()).toMatchObject({ cmd: 'pubrec', messageId: 1 })
    await first.vanish()
    await host.until(() => host.events.length === 2)
    const second = await RawClient.open(port, 1, 4, { clean: false })
    second.publish(1, { qos: 2, dup: true })
    second.publish(2, { qos: 2, dup: true })
    expect(await second.next()).toMatchObject({ cmd: 'pubrec', messageId: 1 })
    host.held[1]!.commit()
    expect(await second.next()).toMatchObject({ cmd: 'pubrec', messageId: 2 })
    expect(host.frames).toHaveLength(2)
  })

  it('is taken again after a refusal', async () => {
    const { host, port } = ground
    host.held = []
    const client = await RawClient.open(port, 1, 5)
    client.publish(5, { qos: 2 })
    await host.until(() => host.held!.length === 1)
    host.held[0]!.fail(overloaded())
    expect(await client.next()).toMatchObject({ cmd: 'pubrec', messageId: 5, reasonCode: 0x97 })
    client.publish(5, { qos: 2 })
    await host.until(() => host.held!.length === 2)
    host.held[1]!.commit()
    expect(await client.next()).toMatchObject({ cmd: 'pubrec', messageId: 5, reasonCode: 0 })
  })

  it('does not let a 3.1.1 device pile up identifiers that it never releases', async () => {
    const { port } = ground
    const client = await RawClient.open(port, 1)
    for (let id = 1; id <= 128 * 8; id++) {
      client.publish(id, { qos: 2 })
      expect(await client.next()).toMatchObject({ cmd: 'pubrec', messageId: id })
    }
    client.publish(2_000, { qos: 2 })
    expect(await client.next()).toBeNull()
    expect(ground.host.events.at(-1)).toBe('closed device-1: receive-maximum')
  })

  it('sends no PUBREC when the packet identifier could not be stored', async () => {
    const { host, port, store, clock } = ground
    host.held = []
    const client = await RawClient.open(port, 1, 4, { clean: false })
    client.publish(5, { qos: 2 })
    await host.until(() => host.held!.length === 1)
    store.broken = overloaded('mqtt-sessions-unavailable')
    host.held[0]!.commit()
    await clock.advance(5_000)
    expect(await client.next()).toBeNull()
    store.broken = null
    host.held = null
    const again = await RawClient.open(port, 1, 4, { clean: false })
    again.publish(5, { qos: 2, dup: true })
    expect(await again.next()).toMatchObject({ cmd: 'pubrec', messageId: 5 })
    expect(host.frames).toHaveLength(1)
  })
})
