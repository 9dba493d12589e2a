/**
 * A disk of one gigabyte fills up. Below the floor the doors say no with a reason, so that nothing is swallowed; on a disk that is full
 * to the last byte the ballast gives the database room to stand up; when space returns, so does acceptance.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, test } from 'vitest'
import { releaseBallast } from '../../packages/platform/src/engine/disk/disk-guard.ts'
import { type Ground, openGround } from './support/ground.ts'
import { mountSmallDisk, type SmallDisk } from './support/small-disk.ts'
import { caughtUp, judge, storedInLog, storedInTelemetry } from './support/stored.ts'
import type { StoryDevice } from './support/story-device.ts'
import { PATIENCE_MS, waitFor, waitUntilTrue } from './support/wait.ts'

const FLOOR = 200_000_000
const BALLAST = 64_000_000
const QUOTA_EXCEEDED = 0x97

let disk: SmallDisk
let ground: Ground
let five: StoryDevice[]
let four: StoryDevice[]

beforeAll(async () => {
  disk = mountSmallDisk()
  const { TMPDIR } = process.env
  process.env.TMPDIR = disk.dir
  try {
    ground = await openGround({ CARELOOP_DISK_FLOOR_BYTES: String(FLOOR), CARELOOP_BALLAST_BYTES: String(BALLAST) })
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
  }
  const namings = ['seq', 'ts', 'neither'] as const
  five = await Promise.all(namings.map((naming) => ground.device(naming, { version: 5 })))
  four = await Promise.all(namings.map((naming) => ground.device(naming, { version: 4 })))
  for (const device of [...five, ...four]) device.start()
})
afterAll(async () => {
  await ground?.end()
  disk?.unmount()
})

beforeEach(() => onTestFailed(() => console.log(ground?.server.output().slice(-4000))))

test('below the floor MQTT 5 hears "quota exceeded", HTTP 507 with Retry-After, and nobody an acknowledgement', {
  timeout: PATIENCE_MS,
}, async () => {
  await goOn()
  expect((await post()).status).toBe(202)
  disk.fill(FLOOR - 30_000_000)
  await waitFor('MQTT 5 to be refused', () => five.every((device) => (device.refusals.get(QUOTA_EXCEEDED) ?? 0) > 0))
  const before = [...five, ...four].map((device) => Math.max(...device.sent))
  const answer = await post()
  expect(answer.status).toBe(507)
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await answer.json()).toMatchObject({ resourceType: 'OperationOutcome' })
  expect((await ready()).status).toBe(503)
  await waitFor('more to be refused', () => five.every((device) => (device.refusals.get(QUOTA_EXCEEDED) ?? 0) > 5))
  for (const [i, device] of [...five, ...four].entries())
    expect([...device.acknowledged].filter((n) => n > before[i]!)).toEqual([])
  expect([...five.flatMap(({ refusals }) => [...refusals.keys()])].every((reason) => reason === QUOTA_EXCEEDED)).toBe(
    true,
  )
  disk.clear()
  await waitUntilTrue('acceptance to return', async () => (await post()).status === 202)
  await goOn()
})

test('on a disk that is full to the last byte the ballast lets the database stand up, and nothing acknowledged is lost', {
  timeout: PATIENCE_MS,
}, async () => {
  await goOn()
  disk.fill(0)
  const refused = () => five.map((device) => device.refusals.get(QUOTA_EXCEEDED) ?? 0)
  const before = refused()
  await waitFor('MQTT 5 to be refused', () => refused().every((count, i) => count > before[i]!))
  disk.fill(0)
  expect(releaseBallast(join(ground.server.dir, 'data'))).toBe(BALLAST)
  await ground.letGo()
  // The reserve is for the database: it can write again.
  await ground.reopen()
  await waitUntilTrue('the database to write again', async () => {
    await ground.rooms().engine.db.pool.query('checkpoint')
    return true
  })
  // Whether the doors refuse still depends on how much of its log the checkpoint let go.
  disk.clear()
  await waitUntilTrue('acceptance to return', async () => (await post()).status === 202)
  await goOn()
  const all = [...five, ...four]
  for (const device of all) device.quieten()
  await waitFor('all to be acknowledged', () => all.every((device) => device.unacknowledged === 0))
  const { engine } = ground.rooms()
  await caughtUp(engine, ['telemetry:0', 'alerting:0', 'quarantine:0'])
  const inLog = judge(all, await storedInLog(engine))
  expect(inLog).toMatchObject({ lost: [], doubled: [], invented: [] })
  expect(judge(all, await storedInTelemetry(ground.rooms()))).toEqual(inLog)
})

const url = (path: string) => `http://127.0.0.1:${ground.server.http}${path}`
const ready = () => fetch(url('/readyz'))

function post(): Promise<Response> {
  return fetch(url('/api/v1/ingest'), {
    method: 'POST',
    headers: { authorization: `Bearer ${five[0]!.options.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ values: { spo2: 97 } }),
  })
}

async function goOn(): Promise<void> {
  const devices = [...five, ...four]
  const until = devices.map((device) => Math.max(0, ...device.sent) + 5)
  await waitFor('every device to go on', () => devices.every((device, i) => device.acknowledged.has(until[i]!)))
}
