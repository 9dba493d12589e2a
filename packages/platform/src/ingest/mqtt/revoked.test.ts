/** A credential that ended, while its device is connected, comes in, or comes back. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openTestDoor, type TestDoor } from './testing/open-test-door.ts'
import { RawClient } from './testing/raw-client.ts'
import { aDevice } from './testing/scripted-host.ts'

let ground: TestDoor

beforeEach(async () => {
  ground = await openTestDoor()
})
afterEach(() => ground.close())

test('mqtt revoked > a connection whose credential has ended is closed within two seconds, whoever missed to tell of it', async () => {
  const { host, port, clock } = ground
  const [ended, good] = [await RawClient.open(port, 1, 5), await RawClient.open(port, 2)]
  host.ended.add('credential-1')
  await clock.advance(2_000)
  expect(await ended.next()).toMatchObject({ cmd: 'disconnect', reasonCode: 0x87 })
  await ended.closed
  expect(host.events).toContain('closed device-1: revoked')
  expect(await good.heardSoFar()).toEqual([])
})

test('mqtt revoked > a device that comes back before the revocation is known here is sent away when it is', async () => {
  const { host, port, door, clock } = ground
  const first = await RawClient.open(port, 1)
  expect(door.disconnect(aDevice(1).device, 'revoked', 'credential-1')).toBe(1)
  await first.closed
  const again = await RawClient.open(port, 1)
  host.ended.add('credential-1')
  await clock.advance(2_000)
  await again.closed
  expect(door.connections()).toBe(0)
})

test('mqtt revoked > a credential that ends while its device is let in gets no CONNACK of welcome', async () => {
  const { host, port } = ground
  const opened = host.opened.bind(host)
  host.opened = async (session) => {
    await opened(session)
    host.ended.add('credential-1')
  }
  const client = await RawClient.dial(port, 5)
  client.connect(1)
  expect(await client.next()).toMatchObject({ cmd: 'connack', reasonCode: 0x87 })
  await client.closed
  expect(host.events).toEqual(['opened device-1', 'closed device-1: revoked'])
})

test('mqtt revoked > a connection that is still being opened is closed too', async () => {
  const { host, port, clock } = ground
  let isAsked = () => {}
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve
  })
  let goOn = () => {}
  host.opened = async (session) => {
    host.openedSessions.push(session)
    isAsked()
    await new Promise<void>((resolve) => {
      goOn = resolve
    })
  }
  const client = await RawClient.dial(port)
  client.connect(1)
  await asked
  host.ended.add('credential-1')
  await clock.advance(2_000)
  await client.closed
  expect(client.inbox).toEqual([])
  goOn()
  await host.until(() => host.events.length > 0)
  expect(host.events).toEqual(['closed device-1: socket-closed'])
})
