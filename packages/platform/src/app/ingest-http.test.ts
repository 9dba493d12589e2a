/** The HTTP door of devices on a whole platform, over a real socket. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeWatch } from '../engine/index.ts'
import { type TestDatabase, testDatabase } from '../engine/testing/index.ts'
import type { By } from '../subjects/index.ts'
import { readConfig } from './config.ts'
import { type Platform, startPlatform } from './platform.ts'

let dir: string
let database: TestDatabase
let platform: Platform
let token: string
let device: string

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'careloop-test-'))
  database = await testDatabase()
  platform = await open({})
  const { identity, subjects, fleet } = platform.rooms
  const by: By = { tenant: await identity.createTenant('Ward 3'), actor: 'cli' }
  const room = await subjects.create(by, {
    timeZone: 'Europe/Vienna',
    resource: { resourceType: 'Location', name: 'Ward' },
  })
  device = (await fleet.enrolDevice(by, { name: 'monitor-1', profile: 'generic', classification: 'medical' })).id
  await fleet.assign(by, device, room.id, Date.UTC(2020, 0, 1))
  token = (await fleet.createDeviceToken(by, device, {})).token
})
afterAll(async () => {
  await platform?.close()
  await database?.drop()
  rmSync(dir, { recursive: true, force: true })
})

const open = (env: Record<string, string>) =>
  startPlatform(
    readConfig({
      ...{ CARELOOP_DATA: join(dir, 'data'), CARELOOP_MASTER_KEY_FILE: join(dir, 'master.key') },
      ...{ DATABASE_URL: database.url, CARELOOP_HTTP_PORT: '0', CARELOOP_MQTT_PORT: 'off', CARELOOP_MQTTS_PORT: 'off' },
      ...{ CARELOOP_BALLAST_BYTES: '0', CARELOOP_DISK_FLOOR_BYTES: '0', ...env },
    }),
    makeWatch({ level: 'silent' }),
  )

interface Answer {
  readonly status: number
  readonly retryAfter: string | null
  readonly body: Record<string, unknown>
}

async function post(body: unknown, headers: Record<string, string> = {}, to: Platform = platform): Promise<Answer> {
  const response = await fetch(`${to.http}/api/v1/ingest`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body),
  })
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: (await response.json()) as Record<string, unknown>,
  }
}

const stored = async () => {
  const commits = await platform.rooms.engine.log.read(0, 0, 100_000)
  return commits
    .flatMap(({ entries }) => entries)
    .flatMap((entry) => (entry.kind === 'readings' ? [...entry.readings] : []))
}

const pointerOf = ({ body }: Answer) => (body.issue as { expression?: string[] }[])[0]?.expression?.[0]

describe('POST /api/v1/ingest', () => {
  test('answers 202 with a receipt after the reading can be read back; again with "duplicate"', async () => {
    const message = { ts: Date.now(), values: { 'heart-rate': 71 } }
    const first = await post(message)
    expect(first).toMatchObject({ status: 202, body: { receipts: [{ outcome: 'stored', readings: 1 }] } })
    expect((await stored()).at(-1)).toMatchObject({ signal: 'heart-rate', value: 71, measuredAt: message.ts })
    expect(await post(message)).toMatchObject({ status: 202, body: { receipts: [{ outcome: 'duplicate' }] } })
  })

  test('a batch has a receipt for each message, in order; what is wrong in one does not stop the others', async () => {
    const ts = Date.now()
    const batch = [
      { seq: 1, ts, values: { spo2: 97 } },
      { seq: 2, ts: ts + 1, values: { flux: 1 } },
      { seq: 3, ts: ts + 2, values: { spo2: 96 } },
    ]
    const { status, body } = await post(batch)
    expect(status).toBe(202)
    expect((body.receipts as { outcome: string }[]).map(({ outcome }) => outcome)).toEqual([
      'stored',
      'quarantined',
      'stored',
    ])
  })

  test('SenML, gzip, and both', async () => {
    const pack = [
      { bn: 'urn:dev:mac:0024befffe804ff1:', bt: Date.now() / 1000, n: 'heart-rate', u: 'beat/min', v: 64 },
      { n: 'spo2', u: '%', v: 98 },
    ]
    const senml = { 'content-type': 'application/senml+json' }
    expect(await post(pack, senml)).toMatchObject({
      status: 202,
      body: { receipts: [{ outcome: 'stored', readings: 2 }] },
    })
    const zipped = gzipSync(JSON.stringify({ ts: Date.now(), values: { spo2: 95 } }))
    expect((await post(zipped, { 'content-encoding': 'gzip' })).status).toBe(202)
    const later = gzipSync(JSON.stringify([{ ...pack[0]!, bt: Date.now() / 1000 + 1 }]))
    expect((await post(later, { ...senml, 'content-encoding': 'gzip' })).status).toBe(202)
  })

  test('a message of which nothing can be taken answers 422 with a pointer, and is kept', async () => {
    const answer = await post({ values: { spo2: 'high' } })
    expect(answer.status).toBe(422)
    expect(pointerOf(answer)).toContain('/values/spo2')
    expect(JSON.stringify(answer.body)).toContain('quarantine')
  })

  test.each([
    ['an empty body', '', {}, 400],
    ['an empty array', '[]', {}, 400],
    [
      'more messages than a request may hold',
      JSON.stringify(Array.from({ length: 1001 }, () => ({ values: { spo2: 97 } }))),
      {},
      400,
    ],
    ['another content type', 'x', { 'content-type': 'text/xml' }, 415],
    ['a body beyond the bound', ' '.repeat(1024 * 1024 + 1), {}, 413],
    ['a body that says it is gzip', '{}', { 'content-encoding': 'gzip' }, 400],
    ['no token', '{}', { authorization: '' }, 401],
    ['a token that is not one', '{}', { authorization: 'Bearer clt_nonsense' }, 401],
  ])('%s is refused', async (_, body, headers, status) => {
    expect(await post(body, headers)).toMatchObject({ status, body: { resourceType: 'OperationOutcome' } })
  })

  test('a small gzip that inflates beyond the bound is refused, and the server lives on', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '))
    expect(bomb.length).toBeLessThan(1024 * 1024)
    expect((await post(bomb, { 'content-encoding': 'gzip' })).status).toBe(413)
    expect((await post({ ts: Date.now() + 5, values: { spo2: 97 } })).status).toBe(202)
  })

  test('with too little disk left it starts, answers 507 with Retry-After, keeps nothing, and ends in order', async () => {
    const full = await open({ CARELOOP_DATA: join(dir, 'full'), CARELOOP_DISK_FLOOR_BYTES: String(2 ** 52) })
    const before = (await stored()).length
    const answer = await post({ ts: Date.now() + 9, values: { spo2: 97 } }, {}, full).finally(() => full.close())
    expect(answer.status).toBe(507)
    expect(Number(answer.retryAfter)).toBeGreaterThan(0)
    expect(await stored()).toHaveLength(before)
  })
})
