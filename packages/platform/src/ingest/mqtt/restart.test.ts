/** What a device may rely on when the server was killed or restarted between two of its packets. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeManualClock } from '../../engine/clock/manual-clock.ts'
import { type TestGround, testGround } from '../../engine/testing/index.ts'
import { makePostgresSessionStore } from './postgres-session-store.ts'
import type { SessionState } from './session.ts'
import { emptyState, type SessionKey, type SessionStore } from './session-store.ts'
import { memorySessionStore } from './testing/memory-session-store.ts'
import { openTestDoor } from './testing/open-test-door.ts'
import { RawClient } from './testing/raw-client.ts'
import { aDevice, ScriptedHost } from './testing/scripted-host.ts'

let database: TestGround

beforeAll(async () => {
  database = await testGround()
})
afterAll(() => database.stop())

const state = (received: number[]): SessionState => ({
  subscriptions: [
    {
      topic: 'devices/device-1/settings',
      qos: 1,
      retainAsPublished: false,
      identifier: null,
      silent: false,
      pending: { packetId: 3, version: 2, retain: true },
      reached: 1,
    },
  ],
  received,
  nextPacketId: 4,
})

let clients = 0
/** Of a device of its own, or of device `n`. */
const aKey = (n = 1_000 + ++clients): SessionKey => {
  const { tenant, device } = aDevice(n)
  return { tenant, device, client: (++clients).toString(16).padStart(64, '0') }
}

describe.each<[string, () => SessionStore]>([
  ['in memory', () => memorySessionStore()],
  ['in PostgreSQL', () => makePostgresSessionStore(database.db)],
])('mqtt session store: %s', (_, make) => {
  it('keeps a session until its time, and gives it back as it was', async () => {
    const [store, key] = [make(), aKey()]
    expect(await store.take(key, 'a', 0, 500)).toBeNull()
    await store.save(key, 'a', state([7, 9]), 1_000)
    expect(await store.take(key, 'b', 999, 1_000)).toEqual({ owner: 'a', state: state([7, 9]) })
    expect(await store.take(key, 'c', 1_000, 2_000)).toBeNull()
    expect(await store.take(key, 'd', 1_500, 2_000)).toEqual({ owner: 'c', state: emptyState })
    expect(await store.take(aKey(), 'a', 0, 500)).toBeNull()
  })

  it('lets only the last who took a session save or forget it', async () => {
    const [store, key] = [make(), aKey()]
    await expect(store.save(key, 'a', state([1]), 1_000)).rejects.toMatchObject({ code: 'mqtt-session-moved' })
    await store.take(key, 'a', 0, 1_000)
    await store.save(key, 'a', state([1]), 1_000)
    await store.take(key, 'b', 0, 1_000)
    await expect(store.save(key, 'a', state([2]), 1_000)).rejects.toMatchObject({ code: 'mqtt-session-moved' })
    await store.forget(key, 'a')
    expect(await store.take(key, 'c', 0, 1_000)).toEqual({ owner: 'b', state: state([1]) })
    await store.forget(key)
    await expect(store.save(key, 'c', state([3]), 1_000)).rejects.toMatchObject({ code: 'mqtt-session-moved' })
    expect(await store.take(key, 'd', 0, 1_000)).toBeNull()
  })

  it('expires what has run out', async () => {
    const [store, old, young] = [make(), aKey(), aKey()]
    await Promise.all([store.take(old, 'a', 0, 100), store.take(young, 'a', 0, 900)])
    expect(await store.expire(100)).toBe(1)
    expect(await store.take(old, 'b', 0, 1)).toBeNull()
    expect(await store.take(young, 'b', 0, 1)).not.toBeNull()
  })

  it('keeps the order of calls for one key, also of calls made at once', async () => {
    const [store, key] = [make(), aKey()]
    const first = store.take(key, 'a', 0, 1_000)
    const saved = store.save(key, 'a', state([1]), 1_000)
    const second = store.take(key, 'b', 0, 1_000)
    const late = expect(store.save(key, 'a', state([9]), 1_000)).rejects.toMatchObject({ code: 'mqtt-session-moved' })
    const forgotten = store.forget(key, 'b')
    const third = store.take(key, 'c', 0, 1_000)
    expect(await first).toBeNull()
    await saved
    expect(await second).toEqual({ owner: 'a', state: state([1]) })
    await Promise.all([late, forgotten])
    expect(await third).toBeNull()
  })

  it('takes a storm of thousands at once', async () => {
    const store = make()
    const keys = Array.from({ length: 2_500 }, aKey)
    await Promise.all(keys.map((key) => store.take(key, 'a', 0, 1_000)))
    await Promise.all(keys.map((key, n) => store.save(key, 'a', state([n + 1]), 1_000)))
    const back = await Promise.all(keys.map((key) => store.take(key, 'b', 0, 1_000)))
    expect(back.map((each) => each?.state.received[0])).toEqual(keys.map((_, n) => n + 1))
  })
})

it('mqtt session store > keeps the eight sessions of a device that were used last', async () => {
  const store = makePostgresSessionStore(database.db)
  const keys = Array.from({ length: 10 }, () => aKey(900))
  for (const [n, key] of keys.entries()) {
    await store.take(key, 'a', n, 1_000_000)
    await store.save(key, 'a', state([n + 1]), 1_000_000)
    if (n === 8) await store.take(keys[1]!, 'a', n, 1_000_000)
  }
  const kept = await database.db.asEngine(async ({ client }) => {
    const { rows } = await client.query<{ client: string }>(
      `select encode(client, 'hex') as client from engine.device_session where device_id = $1`,
      [keys[0]!.device],
    )
    return rows.map((row) => row.client)
  })
  expect(kept.sort()).toEqual([keys[1]!, ...keys.slice(3)].map((key) => key.client).sort())
  expect(await store.take(keys[0]!, 'b', 20, 1_000)).toBeNull()
  expect(await store.take(keys[9]!, 'b', 21, 1_000)).toMatchObject({ state: state([10]) })
})

it('mqtt session store > says "try again" when the database is away, and works on when it is back', async () => {
  let away = true
  const store = makePostgresSessionStore({
    asEngine: (fn) => (away ? Promise.reject(new Error('connect ECONNREFUSED')) : database.db.asEngine(fn)),
  })
  const key = aKey()
  await expect(store.take(key, 'a', 0, 1_000)).rejects.toMatchObject({ code: 'mqtt-sessions-unavailable' })
  await expect(store.expire(0)).rejects.toMatchObject({ code: 'mqtt-sessions-unavailable' })
  away = false
  await store.take(key, 'a', 0, 1_000)
  await store.save(key, 'a', state([2]), 1_000)
  expect(await store.take(key, 'b', 0, 1_000)).toEqual({ owner: 'a', state: state([2]) })
})

/** A door whose process is killed: nothing is closed, its memory is gone, another opens on the same database. */
async function twoLives() {
  const host = new ScriptedHost()
  const clock = makeManualClock()
  const open = () => openTestDoor({ host, clock, store: makePostgresSessionStore(database.db) })
  const first = await open()
  return { host, clock, first, open }
}

describe('mqtt sessions after a kill', () => {
  it('a QoS 2 publish that had its PUBREC is not doubled; its identifier is free after PUBCOMP', async () => {
    const { host, first, open } = await twoLives()
    const before = await RawClient.open(first.port, 11, 4, { clean: false })
    before.publish(5, { qos: 2 })
    expect(await before.next()).toMatchObject({ cmd: 'pubrec', messageId: 5 })
    const second = await open()
    const after = await RawClient.dial(second.port)
    after.connect(11, { clean: false })
    expect(await after.next()).toMatchObject({ cmd: 'connack', sessionPresent: true })
    after.publish(5, { qos: 2, dup: true })
    expect(await after.next()).toMatchObject({ cmd: 'pubrec', messageId: 5 })
    expect(host.frames).toHaveLength(1)
    after.send({ cmd: 'pubrel', messageId: 5 })
    expect(await after.next()).toMatchObject({ cmd: 'pubcomp', messageId: 5 })
    const third = await open()
    const last = await RawClient.open(third.port, 11, 4, { clean: false })
    last.publish(5, { qos: 2 })
    expect(await last.next()).toMatchObject({ cmd: 'pubrec' })
    expect(host.frames).toHaveLength(2)
    await Promise.all([first, second, third].map((each) => each.close()))
  })

  it('a subscription goes on, and settings not acknowledged come again with DUP', async () => {
    const { host, first, open } = await twoLives()
    host.changeSettings(aDevice(12), { interval: 60 }, 1)
    const before = await RawClient.open(first.port, 12, 4, { clean: false })
    before.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'devices/device-12/settings', qos: 1 }] })
    expect(await before.next()).toMatchObject({ cmd: 'suback', granted: [1] })
    const sent = await before.next()
    const second = await open()
    const after = await RawClient.open(second.port, 12, 4, { clean: false })
    expect(await after.next()).toMatchObject({ cmd: 'publish', dup: true, messageId: sent?.messageId })
    await Promise.all([first, second].map((each) => each.close()))
  })

  it('a subscription made without any settings there is stored too', async () => {
    const { host, first, open } = await twoLives()
    const before = await RawClient.open(first.port, 15, 4, { clean: false })
    before.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'devices/device-15/settings', qos: 1 }] })
    expect(await before.next()).toMatchObject({ cmd: 'suback', granted: [1] })
    const second = await open()
    const after = await RawClient.open(second.port, 15, 4, { clean: false })
    // The first door, not killed in truth, would hear of the change too: its connection is ended first.
    await before.vanish()
    host.changeSettings(aDevice(15), { interval: 60 }, 1)
    expect(await after.next()).toMatchObject({ cmd: 'publish', dup: false })
    await Promise.all([first, second].map((each) => each.close()))
  })

  it('a process that learns late that its device has moved writes nothing back', async () => {
    const { host, first, clock, open } = await twoLives()
    const stale = await RawClient.open(first.port, 16, 4, { clean: false, keepalive: 10 })
    stale.publish(5, { qos: 2 })
    expect(await stale.next()).toMatchObject({ cmd: 'pubrec', messageId: 5 })
    const second = await open()
    const moved = await RawClient.open(second.port, 16, 4, { clean: false, keepalive: 0 })
    moved.send({ cmd: 'pubrel', messageId: 5 })
    expect(await moved.next()).toMatchObject({ cmd: 'pubcomp', messageId: 5 })
    // Only now does the first door notice that its connection is dead, and ends the session as it knew it.
    await clock.advance(17_000)
    expect(await stale.next()).toBeNull()
    await moved.vanish()
    await first.close()
    await second.close()
    const third = await open()
    const after = await RawClient.open(third.port, 16, 4, { clean: false })
    after.publish(5, { qos: 2 })
    expect(await after.next()).toMatchObject({ cmd: 'pubrec', messageId: 5 })
    expect(host.frames).toHaveLength(2)
    await third.close()
  })

  it('starting clean ends a session for good, also over a kill', async () => {
    const { first, open } = await twoLives()
    await (await RawClient.open(first.port, 13, 4, { clean: false })).leave()
    await RawClient.open(first.port, 13, 4, { clean: true })
    const second = await open()
    const after = await RawClient.dial(second.port)
    after.connect(13, { clean: false })
    expect(await after.next()).toMatchObject({ cmd: 'connack', sessionPresent: false })
    await Promise.all([first, second].map((each) => each.close()))
  })

  it('a session ends at its time after the connection, not before, and DISCONNECT may shorten it', async () => {
    const { first, clock } = await twoLives()
    const asked = { clean: false, properties: { sessionExpiryInterval: 100 } }
    const present = async () => {
      const client = await RawClient.dial(first.port, 5)
      client.connect(14, asked)
      const packet = await client.next()
      return { client, isPresent: packet?.cmd === 'connack' && packet.sessionPresent }
    }
    const one = await present()
    expect(one.isPresent).toBe(false)
    await clock.advance(50_000)
    await one.client.leave()
    await clock.advance(99_000)
    const two = await present()
    expect(two.isPresent).toBe(true)
    await two.client.leave()
    await clock.advance(101_000)
    const three = await present()
    expect(three.isPresent).toBe(false)
    three.client.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } })
    await three.client.closed
    expect((await present()).isPresent).toBe(false)
    await first.close()
  })
})
