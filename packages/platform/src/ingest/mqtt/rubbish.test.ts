/** What the world throws at an open port: broken packets, other protocols, slow senders, too many at once. */
import fc from 'fast-check'
import mqttPacket, { type Packet } from 'mqtt-packet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PacketReader } from './packet-reader.ts'
import { PublishView, readPublish } from './read-publish.ts'
import { openTestDoor, type TestDoor } from './testing/open-test-door.ts'
import { RawClient } from './testing/raw-client.ts'

const CASES = Number(process.env.FUZZ_CASES ?? 10_000)
/** A soak runs a hundred times the cases. */
const FUZZ_TIMEOUT_MS = 30_000 + CASES

let ground: TestDoor

beforeEach(async () => {
  ground = await openTestDoor({ limits: { maxPacketBytes: 2_000, maxConnectBytes: 1_000, connectTimeoutMs: 5_000 } })
})
afterEach(() => ground.close())

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('mqtt before CONNECT', () => {
  const strangers: [string, Buffer][] = [
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['TLS on the plain port', hex('16 03 01 02 00 01 00 01 fc 03 03')],
    ['PUBLISH first', hex('30 07 00 03 61 2f 62 68 69')],
    ['PINGREQ first', hex('c0 00')],
    ['zeros', Buffer.alloc(64)],
    ['a CONNECT that claims 200 MB', hex('10 ff ff ff 5f 00 04 4d 51 54 54')],
    ['a length of five bytes', hex('10 80 80 80 80 01')],
    ['another protocol name', hex('10 0d 00 04 4d 51 54 58 04 02 00 3c 00 01 61')],
    ['CONNECT with its reserved flag set', hex('10 0d 00 04 4d 51 54 54 04 03 00 3c 00 01 61')],
    ['CONNECT cut short', hex('10 06 00 04 4d 51 54 54')],
    ['CONNECT whose client id is longer than the packet', hex('10 0d 00 04 4d 51 54 54 04 02 00 3c 00 ff 61')],
    ['CONNECT with wrong header flags', hex('12 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61')],
  ]
  it.each(strangers)('closes on %s, and says nothing', async (_, bytes) => {
    const client = await RawClient.dial(ground.port)
    client.write(bytes)
    expect(await client.next()).toBeNull()
    expect(ground.host.hellos).toEqual([])
  })

  it('closes a client that says nothing, or says CONNECT byte by byte too slowly', async () => {
    const { port, clock } = ground
    const [mute, slow] = [await RawClient.dial(port), await RawClient.dial(port)]
    slow.write(hex('10 0d 00 04'))
    await RawClient.open(port, 1)
    await clock.advance(4_000)
    slow.write(hex('4d'))
    await clock.advance(3_000)
    expect(await mute.next()).toBeNull()
    expect(await slow.next()).toBeNull()
    expect(ground.door.connections()).toBe(1)
  })

  it('takes a CONNECT that comes a byte at a time, and packets that come behind it in the same chunk', async () => {
    const client = await RawClient.dial(ground.port)
    const bytes = generate({ cmd: 'connect', clientId: 'x', clean: true, keepalive: 60, username: 'token-1' })
    for (const byte of bytes) {
      client.write(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await client.next()).toMatchObject({ cmd: 'connack', returnCode: 0 })
    const together = await RawClient.dial(ground.port)
    const connect = generate({ cmd: 'connect', clientId: 'y', clean: true, keepalive: 60, username: 'token-2' })
    together.write(Buffer.concat([connect, aPublish(1), aPublish(2), hex('c0 00')]))
    const heard = [await together.next(), await together.next(), await together.next(), await together.next()]
    expect(heard.map((packet) => packet?.cmd).sort()).toEqual(['connack', 'pingresp', 'puback', 'puback'])
    expect(ground.host.frames).toHaveLength(2)
  })
})

describe('mqtt violations', () => {
  const violations: [string, string, number][] = [
    ['a second CONNECT', '10 0d 00 04 4d 51 54 54 05 02 00 3c 00 00 00', 0x82],
    ['QoS 3', '36 07 00 01 61 00 01 00 68', 0x81],
    ['DUP on QoS 0', '38 05 00 01 61 00 68', 0x81],
    ['packet identifier 0', '32 07 00 01 61 00 00 00 68', 0x82],
    ['an empty topic without alias', '32 05 00 00 00 01 00', 0x82],
    ['a topic longer than its packet', '32 05 00 99 61 00 01', 0x81],
    ['a topic with a wildcard', '32 07 00 01 23 00 01 00 68', 0x81],
    ['properties longer than their packet', '32 06 00 01 61 00 01 7f', 0x81],
    ['a property that no PUBLISH has', '32 0b 00 01 61 00 01 05 11 00 00 00 01', 0x81],
    ['a property twice', '32 0a 00 01 61 00 01 04 01 00 01 00', 0x82],
    ['a subscription identifier from a client', '32 08 00 01 61 00 01 02 0b 01', 0x82],
    ['a packet above the maximum', '32 d1 0f', 0x95],
    ['SUBSCRIBE with wrong flags', '80 07 00 01 00 00 01 61 00', 0x81],
    ['SUBSCRIBE without a filter', '82 03 00 01 00', 0x81],
    ['SUBSCRIBE with reserved options', '82 07 00 01 00 00 01 61 f0', 0x81],
    ['PUBREL with wrong flags', '60 02 00 01', 0x81],
    ['PUBREC to a door that sends no QoS 2', '50 02 00 01', 0x82],
    ['CONNACK from a client', '20 02 00 00', 0x82],
    ['PINGREQ with a body', 'c0 01 00', 0x81],
    ['AUTH that nobody asked for', 'f0 00', 0x82],
    ['the reserved packet type', '00 00', 0x81],
  ]
  it.each(violations)('closes a 5.0 client on %s, with the reason', async (_, bytes, reasonCode) => {
    const client = await RawClient.open(ground.port, 1, 5)
    client.write(hex(bytes))
    expect(await client.next()).toMatchObject({ cmd: 'disconnect', reasonCode })
    expect(await client.next()).toBeNull()
    expect(ground.host.frames).toEqual([])
  })

  it('closes a 3.1.1 client without a word, as 3.1.1 has none', async () => {
    const client = await RawClient.open(ground.port, 1)
    client.write(hex('36 07 00 01 61 00 01 00 68'))
    expect(await client.next()).toBeNull()
  })

  it('closes a client that begins a packet and does not end it, also without keep-alive', async () => {
    const { port, clock } = ground
    const client = await RawClient.open(port, 1, 4, { keepalive: 0 })
    client.write(hex('32 7f 00'))
    while ((await ground.metric('careloop_mqtt_buffered_bytes')) === 0) await new Promise((done) => setImmediate(done))
    await clock.advance(50_000)
    client.write(hex('05'))
    await clock.advance(15_000)
    expect(await client.next()).toBeNull()
    expect(await ground.metric('careloop_mqtt_buffered_bytes')).toBe(0)
  })

  it('does not pile up answers for a client that never reads them, and ends it', async () => {
    const { port, clock } = ground
    const client = await RawClient.open(port, 1)
    client.socket.pause()
    let isClosed = false
    void client.closed.then(() => {
      isClosed = true
    })
    const pings = Buffer.alloc(4 * 1024 * 1024).fill(hex('c0 00'))
    for (let n = 0; n < 8; n++) client.write(pings)
    while (!ground.host.events.at(-1)?.startsWith('closed')) {
      await clock.advance(1_000)
      expect(isClosed).toBe(false)
    }
    expect(['closed device-1: keep-alive', 'closed device-1: slow-reader']).toContain(ground.host.events.at(-1))
    await client.vanish()
  })

  it('keeps other clients going while one sends rubbish', async () => {
    const good = await RawClient.open(ground.port, 1)
    const bad = await RawClient.open(ground.port, 2)
    bad.write(hex('00 00'))
    await bad.closed
    good.publish(1)
    expect(await good.next()).toMatchObject({ cmd: 'puback', messageId: 1 })
  })

  it('bounds what all half-sent packets together may hold', async () => {
    const small = await openTestDoor({ limits: { maxBufferedBytes: 2_000 } })
    const clients = await Promise.all([1, 2, 3].map((n) => RawClient.open(small.port, n, 5)))
    const half = Buffer.concat([hex('32 ff 07'), Buffer.alloc(900)])
    for (const client of clients) client.write(half)
    const first = await Promise.race(clients.map((client) => client.next()))
    expect(first).toMatchObject({ cmd: 'disconnect', reasonCode: 0x97 })
    expect(small.door.connections()).toBe(2)
    await small.close()
  })
})

describe('mqtt packet reader', () => {
  const packets = fc.array(
    fc.record({
      id: fc.integer({ min: 1, max: 0xffff }),
      payload: fc.uint8Array({ maxLength: 400 }),
      topic: fc.stringMatching(/^[a-z/]{1,40}$/),
    }),
    { minLength: 1, maxLength: 12 },
  )

  it(
    'finds the same packets however the stream is cut',
    () => {
      fc.assert(
        fc.property(
          packets,
          fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 40 }),
          (sent, cuts) => {
            const stream = Buffer.concat(
              sent.map(({ id, payload, topic }) => aPublish(id, topic, Buffer.from(payload))),
            )
            const reader = new PacketReader(1_000)
            const view = new PublishView()
            const found: { id: number; topic: string; payload: Uint8Array }[] = []
            for (let at = 0, n = 0; at < stream.length; n++) {
              const size = cuts[n % cuts.length]!
              reader.feed(Buffer.from(stream.subarray(at, at + size)))
              at += size
              while (reader.next() === 'packet') {
                expect(readPublish(reader, 4, view)).toBe(0)
                const topic = reader.bytes.toString('utf8', view.topicStart, view.topicEnd)
                // Kept without a copy, as the log does: later chunks must not write over it.
                found.push({
                  id: view.packetId,
                  topic,
                  payload: reader.bytes.subarray(view.payloadStart, view.payloadEnd),
                })
              }
            }
            expect(found.map(({ id, topic }) => [id, topic])).toEqual(sent.map(({ id, topic }) => [id, topic]))
            for (const [n, { payload }] of sent.entries()) expect(Buffer.compare(found[n]!.payload, payload)).toBe(0)
            expect(reader.kept).toBe(0)
          },
        ),
        { numRuns: Math.ceil(CASES / 10) },
      )
    },
    FUZZ_TIMEOUT_MS,
  )

  it(
    'never throws, never reads past a packet, and holds no more than twice what it was given',
    () => {
      fc.assert(
        fc.property(
          fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 20 }),
          fc.constantFrom(4, 5),
          (chunks, version) => {
            const reader = new PacketReader(300)
            const view = new PublishView()
            let given = 0
            for (const chunk of chunks) {
              reader.feed(Buffer.from(chunk))
              given += chunk.length
              let next = reader.next()
              while (next === 'packet') {
                expect(reader.end).toBeGreaterThanOrEqual(reader.start)
                expect(reader.end - reader.packetStart).toBeLessThanOrEqual(300)
                if (reader.first >> 4 === 3 && readPublish(reader, version === 4 ? 4 : 5, view) === 0) {
                  expect(view.payloadStart).toBeLessThanOrEqual(view.payloadEnd)
                  expect(view.payloadEnd).toBe(reader.end)
                }
                next = reader.next()
              }
              expect(reader.kept).toBeLessThanOrEqual(given)
              expect(reader.bytes.length).toBeLessThanOrEqual(Math.max(512, 2 * given))
              if (next !== 'more') return
              expect(reader.kept).toBeLessThan(300)
            }
          },
        ),
        { numRuns: CASES },
      )
    },
    FUZZ_TIMEOUT_MS,
  )
})

describe('mqtt door under fuzz', () => {
  const anyPacket = fc.oneof(
    { weight: 3, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 80 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 4, arbitrary: mutated() },
  )

  it(
    'answers, waits or closes on any bytes in any chunks, and serves the next client as before',
    async () => {
      const good = await RawClient.open(ground.port, 1, 5)
      // A connection a case costs about a millisecond; the reader above takes the bulk of the cases without one.
      const runs = Math.ceil(CASES / 50)
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyPacket, { minLength: 1, maxLength: 6 }),
          fc.constantFrom(4, 5),
          fc.boolean(),
          async (chunks, version, known) => {
            const client = known
              ? await RawClient.open(ground.port, 2, version === 4 ? 4 : 5)
              : await RawClient.dial(ground.port)
            for (const chunk of chunks) client.write(chunk)
            client.socket.end()
            await client.closed
            good.publish(1)
            expect(await good.next()).toMatchObject({ cmd: 'puback', messageId: 1 })
          },
        ),
        { numRuns: runs },
      )
      await ground.host.until(() => ground.door.connections() === 1)
      expect(await ground.metric('careloop_mqtt_buffered_bytes')).toBe(0)
    },
    FUZZ_TIMEOUT_MS,
  )
})

function generate(packet: Packet, protocolVersion: 4 | 5 = 4) {
  return mqttPacket.generate(packet, { protocolVersion })
}

function aPublish(messageId: number, topic = 'v1/devices/me/telemetry', payload = Buffer.from('{}')) {
  return generate({ cmd: 'publish', topic, payload, qos: 1, dup: false, retain: false, messageId })
}

/** Packets that were right, with some bytes changed. */
function mutated() {
  const right: Buffer[] = [
    aPublish(1),
    generate({ cmd: 'connect', clientId: 'x', clean: true, keepalive: 9, username: 'token-1' }),
    generate({ cmd: 'subscribe', messageId: 4, subscriptions: [{ topic: 'devices/device-2/settings', qos: 1 }] }),
    generate({ cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['a'] }),
    generate({ cmd: 'pubrel', messageId: 4 }),
    generate({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 7 } }, 5),
    generate(
      {
        cmd: 'publish',
        topic: 'a',
        payload: 'x',
        qos: 2,
        dup: true,
        retain: true,
        messageId: 3,
        properties: { contentType: 'b', topicAlias: 2 },
      },
      5,
    ),
  ]
  return fc
    .tuple(fc.constantFrom(...right), fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }))
    .map(([packet, changes]) => {
      const bytes = Buffer.from(packet)
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      return bytes
    })
}
