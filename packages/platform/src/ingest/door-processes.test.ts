/** Several server processes as doors: whose connections end when one is killed, paused or stopped. */
import type { DoorChanged } from '@careloop/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../engine/clock/manual-clock.ts'
import { testFleet } from '../fleet/fixtures.ts'
import { takeReports } from '../fleet/stages.ts'
import type { DeviceIdentity } from './door.ts'
import { type IngestGround, ingestGround, logEntries } from './fixtures.ts'
import { type OpenIngest, openIngest } from './ingest.ts'
import type { MqttHost, OpenedSession } from './mqtt/host.ts'
import { makeMqttHost } from './mqtt-host.ts'

let ground: IngestGround
let devices: DeviceIdentity[]
beforeEach(async () => {
  ground = await ingestGround()
  await ground.ingest.close()
  devices = await Promise.all([1, 2, 3].map(() => ground.anotherDevice()))
})
afterEach(() => ground?.stop())

interface Process {
  readonly clock: ManualClock
  readonly ingest: OpenIngest
  readonly host: MqttHost
}

/** A process whose time passes only when the test lets it: one that stands still is one that was killed or paused. */
async function aProcess(now: number): Promise<Process> {
  const clock = makeManualClock(now)
  const { engine } = ground.another({ clock })
  const fleet = testFleet(engine)
  const ingest = await openIngest(engine, { attribution: fleet.attribution })
  return { clock, ingest, host: makeMqttHost({ engine, fleet, ingest }) }
}

const session = (device: DeviceIdentity): OpenedSession => ({
  ...{ id: ground.engine.ids.uuid(), device, door: 'mqtt', protocol: '5.0' },
  ...{ persistent: false, resumed: false, openedAt: Date.now() },
})
const shown = async () => {
  while (await takeReports(ground.engine));
  const views = await Promise.all(devices.map(({ device }) => ground.fleet.device(ground.by, device)))
  return views.map(({ connected }) => connected)
}
/** Lets a process's time pass until something is so. */
const whileTimePasses = (process: Process, see: () => Promise<unknown>) =>
  expect.poll(
    async () => {
      await process.clock.advance(1000)
      return see()
    },
    { timeout: 20_000 },
  )
const doorEntries = async () =>
  (await logEntries(ground.engine)).filter((entry): entry is DoorChanged => entry.kind.startsWith('door-'))

test('fleet > devices of a killed process are shown as gone, those of the living one are not', async () => {
  const now = Date.now()
  const [killed, living] = [await aProcess(now), await aProcess(now)]
  await killed.host.opened(session(devices[0]!))
  await killed.host.opened(session(devices[1]!))
  await living.host.opened(session(devices[2]!))
  await expect.poll(shown).toEqual([true, true, true])
  await whileTimePasses(living, shown).toEqual([false, false, true])
  const downs = (await doorEntries()).filter((entry) => entry.process === killed.ingest.process)
  expect(downs.map((entry) => entry.kind)).toEqual(['door-up', 'door-down'])
})

test('fleet > a process that was only paused tells of its connections again, but not of those that went elsewhere', async () => {
  const now = Date.now()
  const [paused, living] = [await aProcess(now), await aProcess(now)]
  const moved = session(devices[1]!)
  await paused.host.opened(session(devices[0]!))
  await paused.host.opened(moved)
  await expect.poll(shown).toEqual([true, true, false])
  await whileTimePasses(living, shown).toEqual([false, false, false])
  await living.host.opened(session(devices[1]!))
  await expect.poll(shown).toEqual([false, true, false])
  paused.clock.step(living.clock.now())
  await whileTimePasses(paused, shown).toEqual([true, true, false])
  // The late end of the connection that the device has left does not end the one it has.
  paused.host.closed(moved, 'moved-elsewhere')
  await paused.ingest.accept({
    ...{ kind: 'attributes', device: devices[0]!, door: 'mqtt', format: 'json', bytes: Buffer.from('{"a":1}') },
    receivedAt: paused.clock.now(),
  })
  expect(await shown()).toEqual([true, true, false])
  await living.ingest.close()
  expect(await shown()).toEqual([true, false, false])
})

test('ingest > after all were killed, the first to start says since when nobody listened, then who is gone', async () => {
  const now = Date.now()
  const killed = await aProcess(now)
  await killed.host.opened(session(devices[0]!))
  await expect.poll(shown).toEqual([true, false, false])
  const next = await aProcess(now + 60_000)
  expect((await doorEntries()).slice(-2)).toEqual([
    { kind: 'door-up', process: next.ingest.process, heardUntil: now },
    { kind: 'door-down', process: killed.ingest.process },
  ])
  expect(await shown()).toEqual([false, false, false])
})

test('fleet > a device that connects anew before its former connection has ended stays connected', async () => {
  const one = await aProcess(Date.now())
  const [former, newer] = [session(devices[0]!), session(devices[0]!)]
  await one.host.opened(former)
  await one.host.opened(newer)
  one.host.closed(former, 'taken-over')
  await one.host.opened(session(devices[1]!)) // in order: when this is shown, the end before it is
  await expect.poll(shown).toEqual([true, true, false])
  one.host.closed(newer, 'socket-closed')
  await expect.poll(shown).toEqual([false, true, false])
})
