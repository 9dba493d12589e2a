/**
 * One of two server processes is paused (SIGSTOP: a stalled disk, a suspended machine) while the other takes over its devices and its
 * work, and then goes on as if nothing had been: nothing it still believes may reach the log twice, or at all.
 */
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, test } from 'vitest'
import { startServer, type TestServer } from '../../bench/support/server.ts'
import { type Ground, openGround } from './support/ground.ts'
import { signal } from './support/processes.ts'
import { isSoak } from './support/soak.ts'
import { caughtUp, judge, storedInLog, storedInTelemetry } from './support/stored.ts'
import type { StoryDevice } from './support/story-device.ts'
import { PATIENCE_MS, sleep, waitFor } from './support/wait.ts'

/** Beside this the pause lasts until both leases have a new holder, which takes longer than 10 s. */
const PAUSE_MS = 10_000
const PAUSES = isSoak ? 10 : 1

let ground: Ground
let other: TestServer
let moving: StoryDevice[]
let staying: StoryDevice[]
let first = true

beforeAll(async () => {
  ground = await openGround()
  const { server } = ground
  other = await startServer({
    DATABASE_URL: server.databaseUrl(),
    CARELOOP_MASTER_KEY_FILE: server.env.CARELOOP_MASTER_KEY_FILE,
    CARELOOP_SEAL_AFTER_MS: '300',
  })
  const namings = ['seq', 'ts', 'neither'] as const
  const port = () => (first ? server.mqtt : other.mqtt)
  moving = await Promise.all(
    Array.from({ length: 9 }, (_, i) => ground.device(namings[i % 3]!, { port, everyMs: 5, version: i % 2 ? 4 : 5 })),
  )
  staying = await Promise.all(namings.map((naming) => ground.device(naming)))
})
afterAll(async () => {
  await other?.stop()
  await ground?.end()
  await other?.remove()
})

beforeEach(() => onTestFailed(() => console.log(ground?.server.output().slice(-4000))))

test('a paused process that wakes after its devices were taken over appends nothing for them, and each reading stands once', {
  timeout: PATIENCE_MS,
}, async () => {
  const all = [...moving, ...staying]
  for (const device of all) device.start()
  for (let pause = 0; pause < PAUSES; pause++) {
    first = true
    for (const device of moving) device.vanish()
    await goOn(all)
    const { server } = ground
    const tokens = await leaseTokens()
    // With messages under way: some are in its memory, some in its sockets, a commit may be in flight.
    await waitFor('messages to be under way', () => moving.some((device) => device.unacknowledged > 0), 60_000, 0)
    signal(server.process().pid!, 'SIGSTOP')
    const paused = performance.now()
    await waitFor('more messages to reach the sockets of the paused one', () =>
      moving.every((device) => device.unacknowledged >= 16),
    )
    first = false
    for (const device of moving) device.vanish()
    await goOn(moving)
    await waitFor('the other to take over the stages, too', async () =>
      (await leaseTokens()).every((token, i) => token > tokens[i]!),
    )
    await sleep(Math.max(0, PAUSE_MS - (performance.now() - paused)))
    signal(server.process().pid!, 'SIGCONT')
    await goOn(all)
  }
  // And some go back at once, while the former holder is just learning what it lost.
  first = true
  for (const device of moving) device.vanish()
  await goOn(all)
  for (const device of all) device.quieten()
  await waitFor('all to be acknowledged', () => all.every((device) => device.unacknowledged === 0))
  const { engine } = ground.rooms()
  await caughtUp(engine, ['telemetry:0', 'alerting:0', 'quarantine:0'])
  const inLog = judge(all, await storedInLog(engine))
  expect(inLog).toMatchObject({ lost: [], doubled: [], invented: [] })
  expect(judge(all, await storedInTelemetry(ground.rooms()))).toEqual(inLog)
  expect(all.map((device) => device.sessionsLost)).toEqual(all.map(() => 0))
})

async function goOn(devices: readonly StoryDevice[]): Promise<void> {
  const until = devices.map((device) => Math.max(0, ...device.sent) + 5)
  await waitFor('every device to go on', () => devices.every((device, i) => device.acknowledged.has(until[i]!)))
}

async function leaseTokens(): Promise<number[]> {
  const { rows } = await ground
    .rooms()
    .engine.db.pool.query<{ token: number }>(
      `select token::int as token from engine.lease where name in ('telemetry:0', 'alerting:0') order by name`,
    )
  expect(rows).toHaveLength(2)
  return rows.map(({ token }) => token)
}
