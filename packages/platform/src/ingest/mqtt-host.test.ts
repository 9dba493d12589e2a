/** The house of the MQTT door: wills are kept whole, and what could not be told is not silent. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeManualClock } from '../engine/clock/manual-clock.ts'
import { makeWatch } from '../engine/watch/watch.ts'
import { takeReports } from '../fleet/stages.ts'
import { type IngestGround, ingestGround, logEntries } from './fixtures.ts'
import { makeLostReports } from './lost-reports.ts'
import type { MqttHost } from './mqtt/host.ts'
import { makeMqttHost } from './mqtt-host.ts'

let ground: IngestGround
let host: MqttHost
beforeAll(async () => {
  ground = await ingestGround()
  const { engine, fleet, ingest } = ground
  host = makeMqttHost({ engine, fleet, ingest })
})
afterAll(() => ground?.stop())

const receivedAt = 1_790_000_000_000
async function will(topic: string, text: string) {
  const before = (await logEntries(ground.engine)).length
  const { device } = ground
  await host.lastWill({ device, door: 'mqtts', topic, bytes: Buffer.from(text), receivedAt })
  return (await logEntries(ground.engine)).slice(before)
}
const own = (suffix: string) => `devices/${ground.device.name}/${suffix}`

test('last will > a flat object on a topic of the device is told with its content and topic', async () => {
  const entries = await will(own('gone'), '{"online":false,"why":"battery"}')
  expect(entries).toMatchObject([
    {
      ...{ kind: 'device-reported', what: 'last-will', device: ground.device.device, receivedAt },
      attributes: { online: false, why: 'battery', lastWillTopic: own('gone') },
    },
  ])
  while (await takeReports(ground.engine));
  expect(await ground.fleet.device(ground.by, ground.device.device)).toMatchObject({
    ...{ connected: false, attributes: { online: false, why: 'battery' } },
  })
})

test.each([
  ['words', () => own('gone'), 'offline', 'not-allowed'],
  ['nested', () => 'home/bedroom', '{"a":{"b":1}}', 'not-allowed'],
  ['for another device', () => 'devices/cuff-of-others/status', '{"online":false}', 'wrong-device'],
])('last will > %s is kept whole, and the device is gone all the same', async (_, topic, text, reason) => {
  const [said, aside, ...rest] = await will(topic(), text)
  expect(rest).toEqual([])
  expect(said).toMatchObject({ kind: 'device-reported', what: 'last-will', attributes: {} })
  expect(aside).toMatchObject({ kind: 'quarantined', reason, topic: topic(), door: 'mqtts', receivedAt })
  expect(aside?.kind === 'quarantined' && Buffer.from(aside.frame.bytes).toString()).toBe(text)
})

test('reports > what could not be stored of connections is counted each time, and said at most every ten seconds', async () => {
  const lines: string[] = []
  const watch = makeWatch({ level: 'warn', destination: { write: (line: string) => void lines.push(line) } })
  const clock = makeManualClock()
  const lost = makeLostReports({ watch, clock })
  for (let i = 0; i < 1000; i++) lost('connected')(new Error('no room'))
  lost('disconnected')(new Error('no room'))
  expect(lines).toHaveLength(1)
  await clock.advance(10_000)
  lost('settings-reached')(new Error('no room'))
  expect(lines.map((line) => JSON.parse(line).count)).toEqual([1, 1001])
  const counted = await watch.metrics.getSingleMetricAsString('careloop_ingest_reports_lost_total')
  expect(counted).toContain('{what="connected"} 1000')
  expect(counted).toContain('{what="disconnected"} 1')
})

test('reports > a log that takes nothing shows in the count of what was lost', async () => {
  const opened = ground.another()
  const { engine } = opened
  const refusing = { ...engine, log: { ...engine.log, append: () => Promise.reject(new Error('closed')) } }
  const { fleet, ingest } = ground
  const deaf = makeMqttHost({ engine: refusing, fleet, ingest })
  deaf.settingsReached(ground.device, 3)
  const counted = () => engine.watch.metrics.getSingleMetricAsString('careloop_ingest_reports_lost_total')
  await expect.poll(counted).toContain('{what="settings-reached"} 1')
})
