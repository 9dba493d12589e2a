/**
 * Rubbish on every port while good devices work: noise, half packets, TLS to the plain port and plain to TLS, and those who come and say
 * nothing, a byte at a time. Good devices are served, memory stays bounded, and of what strangers sent nothing but counters remains.
 */
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, test } from 'vitest'
import { type Ground, openGround } from './support/ground.ts'
import { openFiles, peakMiB } from './support/processes.ts'
import { CANARY, strangers, visit } from './support/rubbish.ts'
import { isSoak } from './support/soak.ts'
import { judge, storedInLog } from './support/stored.ts'
import type { StoryDevice } from './support/story-device.ts'
import { PATIENCE_MS, waitFor } from './support/wait.ts'

/** Visits of each kind to each port. */
const VISITS = isSoak ? 300 : 12
/** The door gives a stranger 15 s for its CONNECT; HTTP gives longer, and a stranger that leaves before is no harm. */
const STAY_MS = isSoak ? 60_000 : 20_000
const MOST_MIB = 600

let ground: Ground
let devices: StoryDevice[]

beforeAll(async () => {
  ground = await openGround({ CARELOOP_LOG: 'trace' })
  const namings = ['seq', 'ts', 'neither'] as const
  devices = await Promise.all(namings.map((naming) => ground.device(naming)))
  for (const device of devices) device.start()
})
afterAll(() => ground?.end())
beforeEach(() => onTestFailed(() => console.log(ground?.server.output().slice(-4000))))

test('rubbish on every port: good devices are served all the while, memory stays bounded, logs hold nothing of it', {
  timeout: PATIENCE_MS,
}, async () => {
  const { server } = ground
  const pid = server.process().pid!
  await goOn()
  const files = openFiles(pid)
  const visits: Promise<unknown>[] = []
  const mqttEnded: Promise<string>[] = []
  for (let i = 0; i < VISITS; i++)
    for (const stranger of strangers)
      for (const port of [server.http, server.mqtt, server.mqtts]) {
        const visited = visit(port, stranger, STAY_MS)
        visits.push(visited)
        if (port !== server.http && stranger.stays)
          mqttEnded.push(
            visited.then((how) => `${stranger.name} at ${port === server.mqtt ? 'mqtt' : 'mqtts'}: ${how}`),
          )
      }
  let visiting = true
  const done = Promise.all(visits).then(() => {
    visiting = false
  })
  while (visiting) await goOn()
  await done
  // Whoever does not make itself known in time is sent away, so that nobody can take all the places.
  expect((await Promise.all(mqttEnded)).filter((how) => how.endsWith('left'))).toEqual([])
  expect((await fetch(`http://127.0.0.1:${server.http}/readyz`)).status).toBe(200)
  expect(peakMiB(pid)).toBeLessThan(MOST_MIB)
  await waitFor('the connections of strangers to be gone', () => openFiles(pid) <= files + 20)
  for (const device of devices) device.quieten()
  await waitFor('all to be acknowledged', () => devices.every((device) => device.unacknowledged === 0))
  expect(judge(devices, await storedInLog(ground.rooms().engine))).toMatchObject({
    lost: [],
    doubled: [],
    invented: [],
  })
  expect(
    devices.map((device) => device.connects),
    'good devices that were cut',
  ).toEqual(devices.map(() => 1))
  expect(server.process().exitCode).toBeNull()
  expect(server.output().toLowerCase()).not.toContain(CANARY)
  const metrics = await fetch(`http://127.0.0.1:${server.http}/metrics`)
  expect(await metrics.text()).not.toContain(CANARY)
})

async function goOn(): Promise<void> {
  const until = devices.map((device) => Math.max(0, ...device.sent) + 5)
  await waitFor('every device to go on', () => devices.every((device, i) => device.acknowledged.has(until[i]!)))
}
