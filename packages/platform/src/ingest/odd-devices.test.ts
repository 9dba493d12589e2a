/** What is odd about devices at the doors: told to people, once, and never for a mistake. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { makeManualClock } from '../engine/clock/manual-clock.ts'
import { AsideCounts, allowances } from './device-allowance.ts'
import type { DeviceIdentity } from './door.ts'
import { aFrame, type IngestGround, ingestGround } from './fixtures.ts'
import type { Hello, MqttHost, OpenedSession } from './mqtt/host.ts'
import { makeMqttHost } from './mqtt-host.ts'

let ground: IngestGround
let host: MqttHost
let device: DeviceIdentity
beforeAll(async () => {
  ground = await ingestGround()
  host = makeMqttHost(ground)
})
afterAll(() => ground?.stop())
beforeEach(async () => {
  device = await ground.anotherDevice()
})

const hello = (username: string, password: string): Hello => ({
  ...{ door: 'mqtt', clientId: 'c', username, password: Buffer.from(password), remoteAddress: '203.0.113.9' },
})
const oddities = async (id = device.device) => {
  const { rows } = await ground.engine.db.pool.query<{ reason: string }>(
    `select body ->> 'reason' as reason from engine.fact where type = 'DeviceSuspicious' and body ->> 'device' = $1 order by id`,
    [id],
  )
  return rows.map(({ reason }) => reason)
}
/** Telling goes on beside the door's work: nobody is made to wait for it. */
const soon = (expected: string[]) =>
  vi.waitFor(async () => expect(await oddities()).toEqual(expected), { timeout: 20_000 })

describe('ingest > a device that comes in an odd way', () => {
  test('with a wrong token under its name, or its id, five times: told once, and four times are a mistake', async () => {
    for (let i = 0; i < 4; i++)
      expect(await host.authenticate(hello(device.name, 'wrong'))).toEqual({ refused: 'bad-credentials' })
    const other = await ground.anotherDevice()
    for (let i = 0; i < 9; i++) await host.authenticate(hello(other.device, 'wrong'))
    await vi.waitFor(async () => expect(await oddities(other.device)).toEqual(['failed-authentication']), {
      timeout: 20_000,
    })
    expect(await oddities()).toEqual([])
    await host.authenticate(hello(device.name, 'wrong'))
    await soon(['failed-authentication'])
  })

  test('with a token that was revoked: told at once and once, by MQTT and by HTTP', async () => {
    const { token, credential } = await ground.fleet.createDeviceToken(ground.by, device.device, {})
    await ground.fleet.revokeCredential(ground.by, device.device, credential)
    await ground.fleet.attribution.refresh()
    expect(await host.authenticate(hello(device.name, token))).toEqual({ refused: 'bad-credentials' })
    await soon(['ended-credential'])
    const sha256 = createHash('sha256').update(token).digest()
    expect(await ground.fleet.attribution.identityByTokenHash(sha256)).toBeNull()
    const { rows } = await ground.engine.db.pool.query(
      `select 1 from tenant.audit_entry where principal_id = $1 and action = 'denied' and resource = 'device'`,
      [device.device],
    )
    expect(rows).toHaveLength(1)
    expect(await oddities()).toEqual(['ended-credential'])
  })

  test('on the topic of another: kept whole, and told', async () => {
    const frame = aFrame(device, { systolic: 120 }, { topic: 'devices/somebody-else/telemetry' })
    await host.setAside({ frame, reason: 'wrong-device', message: 'Published on a topic of another device.' })
    await soon(['foreign-topic'])
  })

  test('throwing itself out again and again, as two with one credential do', async () => {
    const session = (id: string): OpenedSession => ({
      ...{ id, device, door: 'mqtt', protocol: '5.0', persistent: false, resumed: false, openedAt: 0 },
    })
    for (let i = 0; i < 4; i++) host.closed(session(ground.engine.ids.uuid()), 'taken-over')
    host.closed(session(ground.engine.ids.uuid()), 'socket-closed')
    expect(await oddities()).toEqual([])
    host.closed(session(ground.engine.ids.uuid()), 'taken-over')
    await soon(['taken-over-again-and-again'])
  })
})

describe('ingest > how much of a device is set aside', () => {
  test('is bounded by the hour: then it keeps its messages, is told of, and others are served', () => {
    const asides = new AsideCounts()
    const most = allowances.wellness.asidesPerHour
    expect(asides.take('a', 'wellness', most, 0)).toBe(true)
    expect(asides.take('a', 'wellness', 1, 1)).toBe(false)
    expect(asides.take('b', 'wellness', 1, 1)).toBe(true)
    expect(asides.take('a', 'wellness', 1, 3_600_000)).toBe(true)
  })

  test('beyond it a message is refused and not half kept; what can be read is taken as ever', async () => {
    const wellness = await ground.anotherDevice(true, { classification: 'wellness' })
    const rubbish = () => aFrame(wellness, 'no json', {})
    const frame = rubbish()
    ground.ingest.assertMaySetAside(frame, allowances.wellness.asidesPerHour)
    await expect(ground.ingest.accept(rubbish())).rejects.toMatchObject({
      code: 'device-quota',
      kind: { disposition: 'retry' },
    })
    expect(await ground.ingest.accept(aFrame(wellness, { systolic: 120 }))).toMatchObject({ outcome: 'stored' })
    device = wellness
    await soon(['too-much'])
  })

  test('a clock that stands still gives no further share', () => {
    const clock = makeManualClock(0)
    const asides = new AsideCounts()
    for (let i = 0; i < allowances.wellness.asidesPerHour; i++) asides.take('a', 'wellness', 1, clock.now())
    expect(asides.take('a', 'wellness', 1, clock.now())).toBe(false)
  })
})
