import { afterEach, describe, expect, it } from 'vitest'
import { openTestDoor, type TestDoor } from './testing/open-test-door.ts'
import { RawClient } from './testing/raw-client.ts'
import { aDevice } from './testing/scripted-host.ts'

let ground: TestDoor
afterEach(() => ground.close())

const SITE = 1_000

describe('mqtt reconnect storm', () => {
  it('lets a thousand devices in at once, checking a bounded number of credentials at a time, and loses no publish', async () => {
    ground = await openTestDoor({ limits: { maxAuthenticating: 16 } })
    const { host, port } = ground
    let checking = 0
    let most = 0
    let release = () => {}
    const line = new Promise<void>((resolve) => {
      release = resolve
    })
    host.verdict = async ({ username }) => {
      checking += 1
      most = Math.max(most, checking)
      // The first checks end only when as many as may are under way, and a seventeenth has had its chance.
      if (checking === 16) void turns(50).then(release)
      await line
      checking -= 1
      return { device: aDevice(Number(username!.slice(6))), format: 'json' }
    }
    const numbers = Array.from({ length: SITE }, (_, n) => n + 1)
    const clients = await Promise.all(numbers.map((n) => RawClient.open(port, n, n % 2 ? 4 : 5)))
    expect(ground.door.connections()).toBe(SITE)
    expect(most).toBe(16)
    for (const client of clients) client.publish(1)
    const acks = await Promise.all(clients.map((client) => client.next()))
    expect(acks.every((packet) => packet?.cmd === 'puback')).toBe(true)
    expect(new Set(host.frames.map(({ device }) => device.name)).size).toBe(SITE)
    // The site's switch restarts: all go without a word and come back under the same ids.
    await Promise.all(clients.map((client) => client.vanish()))
    await Promise.all(numbers.map((n) => RawClient.open(port, n, n % 2 ? 4 : 5)))
    await host.until(() => host.events.filter((event) => event.startsWith('closed')).length === SITE)
    expect(ground.door.connections()).toBe(SITE)
  })

  it('tells those that find no room that it is busy, and lets them in later', async () => {
    ground = await openTestDoor({ limits: { maxConnections: 20 } })
    const { port } = ground
    const inside = await Promise.all(Array.from({ length: 20 }, (_, n) => RawClient.open(port, n + 1)))
    const five = await RawClient.dial(port, 5)
    five.connect(21)
    expect(await five.next()).toMatchObject({ cmd: 'connack', reasonCode: 0x89 })
    await five.closed
    const four = await RawClient.dial(port)
    four.connect(22)
    expect(await four.next()).toMatchObject({ cmd: 'connack', returnCode: 3 })
    await four.closed
    await inside[0]!.leave()
    await ground.host.until(() => ground.host.events.length === 21)
    await RawClient.open(port, 23)
  })
})

async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve))
}
