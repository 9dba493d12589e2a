/**
 * The database does not answer for a while (SIGSTOP of all its processes: a stalled disk, a fail-over). The doors hold what they have
 * not stored, acknowledge nothing of it, refuse what they have no room for, and go on by themselves.
 */
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, test } from 'vitest'
import { type Ground, openGround } from './support/ground.ts'
import { clusterOf, peakMiB, signal } from './support/processes.ts'
import { isSoak } from './support/soak.ts'
import { caughtUp, judge, storedInLog, storedInTelemetry } from './support/stored.ts'
import type { StoryDevice } from './support/story-device.ts'
import { PATIENCE_MS, sleep, waitFor } from './support/wait.ts'

const AWAY_MS = isSoak ? 30_000 : 5_000
/** Twice what the log's queue may hold (32 MiB): some must be held, some must be refused. */
const FLOOD = 80
const FLOOD_BYTES = 900_000
/** What a process at rest takes, the queue, the requests that are held, and what the collector leaves lying. */
const MOST_MIB = 900

let ground: Ground
let devices: StoryDevice[]
/** What is stopped now. */
let cluster: number[] = []

beforeAll(async () => {
  ground = await openGround()
  const namings = ['seq', 'ts', 'neither'] as const
  devices = await Promise.all(
    Array.from({ length: 6 }, (_, i) => ground.device(namings[i % 3]!, { version: i % 2 === 0 ? 4 : 5 })),
  )
})
afterAll(() => {
  for (const pid of cluster) signal(pid, 'SIGCONT')
  return ground?.end()
})

beforeEach(() => onTestFailed(() => console.log(ground?.server.output().slice(-4000))))

test(`a database that is away for ${AWAY_MS / 1000} s: no false acknowledgement, bounded memory, and then everything goes on`, {
  timeout: PATIENCE_MS,
}, async () => {
  const { server } = ground
  const flooder = await ground.device('ts')
  for (const device of devices) device.start()
  await goOn()
  // Who it is must be known: a stranger is not let in while nobody can be asked.
  expect((await post(server.http, flooder.options.token, Date.now(), 0)).status).toBe(202)
  cluster = clusterOf(server.postmaster())
  for (const pid of cluster) signal(pid, 'SIGSTOP')
  // What was sent before may have been stored before; what is sent from now on cannot be.
  const before = devices.map((device) => Math.max(0, ...device.sent))
  const answers = flood(server.http, flooder.options.token)
  await waitFor('devices to fill their windows', () => devices.every((device) => device.unacknowledged >= 32))
  await waitFor('the doors to refuse what they have no room for', () => answers.refused.length > 0)
  await sleep(AWAY_MS)
  for (const [i, device] of devices.entries())
    expect(
      [...device.acknowledged].filter((n) => n > before[i]!),
      'acknowledged without a database',
    ).toEqual([])
  expect(answers.accepted, 'accepted without a database').toBe(0)
  for (const { status, retryAfter } of answers.refused) {
    expect([429, 503]).toContain(status)
    expect(retryAfter).toBeGreaterThan(0)
  }
  expect(peakMiB(server.process().pid!)).toBeLessThan(MOST_MIB)
  for (const pid of cluster.splice(0)) signal(pid, 'SIGCONT')
  await goOn()
  await answers.done
  expect(answers.accepted + answers.refused.length).toBe(FLOOD)
  expect(answers.accepted).toBeGreaterThan(0)
  for (const device of devices) device.quieten()
  await waitFor('all to be acknowledged', () => devices.every((device) => device.unacknowledged === 0))
  const { engine } = ground.rooms()
  await caughtUp(engine, ['telemetry:0', 'alerting:0', 'quarantine:0'])
  const inLog = judge(devices, await storedInLog(engine))
  expect(inLog).toMatchObject({ lost: [], doubled: [], invented: [] })
  expect(judge(devices, await storedInTelemetry(ground.rooms()))).toEqual(inLog)
})

interface Answers {
  accepted: number
  readonly refused: { status: number; retryAfter: number }[]
  done: Promise<unknown>
}

/** Big messages over HTTP, more than may wait, each with one reading and its own time. */
function flood(port: number, token: string): Answers {
  const answers: Answers = { accepted: 0, refused: [], done: Promise.resolve() }
  const now = Date.now()
  const one = async (i: number) => {
    const response = await post(port, token, now + 1000 + i, FLOOD_BYTES)
    if (response.status === 202) answers.accepted++
    else answers.refused.push({ status: response.status, retryAfter: Number(response.headers.get('retry-after')) })
  }
  answers.done = Promise.all(Array.from({ length: FLOOD }, (_, i) => one(i)))
  return answers
}

function post(port: number, token: string, ts: number, padding: number): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/api/v1/ingest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ts, values: { spo2: 97 } }) + ' '.repeat(padding),
  })
}

async function goOn(): Promise<void> {
  const until = devices.map((device) => Math.max(0, ...device.sent) + 5)
  await waitFor('every device to go on', () => devices.every((device, i) => device.acknowledged.has(until[i]!)))
}
