/** Those who bring other devices' messages over HTTP: network servers and gateways, as they really ask. */
import type { Scope } from '@careloop/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestShell, testShell } from '../api/testing/test-shell.ts'
import { testFleet } from '../fleet/fixtures.ts'
import type { Fleet } from '../fleet/index.ts'
import { logEntries, readingsOf } from '../ingest/fixtures.ts'
import { makeQuarantine, type OpenIngest, openIngest, type Quarantine } from '../ingest/index.ts'
import { ingestRoutes } from '../ingest/routes.ts'
import { quarantineStage } from '../ingest/stages.ts'
import { aPatient, byTest, testSubjects } from '../subjects/fixtures.ts'
import type { By } from '../subjects/index.ts'

let shell: TestShell
let fleet: Fleet
let ingest: OpenIngest
let quarantine: Quarantine
let by: By
let subject: string
let token: string
let stop: () => Promise<void>
beforeAll(async () => {
  shell = await testShell({
    routes(_, engine) {
      fleet = testFleet(engine)
      // Opened once the shell stands; no route asks before.
      const late: Pick<OpenIngest, 'accept' | 'keepStranger'> = {
        accept: (frame) => ingest.accept(frame),
        keepStranger: (stranger) => ingest.keepStranger(stranger),
      }
      return ingestRoutes({ ingest: late, attribution: fleet.attribution })
    },
  })
  const { engine } = shell
  ingest = await openIngest(engine, { attribution: fleet.attribution })
  quarantine = makeQuarantine({ engine, attribution: fleet.attribution })
  stop = await quarantineStage.start(engine)
  by = byTest(shell.tenant)
  subject = (await testSubjects(engine).create(by, aPatient())).id
  token = await shell.token(['reading:create'])
})
afterAll(async () => {
  await stop?.()
  await shell?.close()
})

const post = (path: string, payload: unknown, authorization = token) =>
  shell.server.inject({
    ...{ method: 'POST', url: `/api/v1/ingest/${path}` },
    headers: { authorization, 'content-type': 'application/json' },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  })
async function worn(name: string, over: { profile: string; address?: string }) {
  const { id } = await fleet.enrolDevice(by, { name, classification: 'operational', ...over })
  await fleet.assign(by, id, subject, Date.UTC(2020, 0, 1))
  await fleet.attribution.refresh()
  return id
}
const entriesOf = async (device: string) =>
  (await logEntries(shell.engine)).filter((entry) => 'device' in entry && entry.device === device)
const readings = async (device: string) =>
  readingsOf(await entriesOf(device)).flatMap((entry) => entry.readings.map(({ signal, value }) => [signal, value]))

/** EM300-TH: 27.2 degrees, 46.5 %. */
const PAYLOAD = Buffer.from('03671001046 85d'.replace(' ', ''), 'hex').toString('base64')
const chirp = (devEui: string, more: Record<string, unknown> = {}) => ({
  ...{ deduplicationId: 'd-1', time: '2026-01-05T07:59:30.123456+00:00', deviceInfo: { devEui, deviceName: 'fridge' } },
  ...{ dr: 5, fPort: 85, data: PAYLOAD, rxInfo: [{ gatewayId: 'gw', rssi: -60, snr: 8 }] },
  ...more,
})
const things = (devEui: string, what: Record<string, unknown>) => ({
  ...{ end_device_ids: { device_id: 'fridge', dev_eui: devEui }, received_at: '2026-01-05T07:59:31Z' },
  ...what,
})
const uplink = (payload = PAYLOAD) => ({
  uplink_message: { f_port: 85, frm_payload: payload, received_at: '2026-01-05T07:58:30Z' },
})
const th = (address: string) => ({ profile: 'milesight-em300-th', address })

test('LoRaWAN > an uplink of either network server is stored once for the device of its DevEUI, whoever repeats it', async () => {
  const device = await worn('fridge-1', th('24:E1:24:13:6B:00:00:01'))
  const climate = [
    ['temperature-ambient', 27.2],
    ['humidity', 46.5],
  ]
  const answered = await post('lorawan', chirp('24e124136b000001'))
  expect(answered.statusCode).toBe(202)
  expect(answered.json()).toMatchObject({ receipts: [{ outcome: 'stored', readings: 4 }] })
  expect(await readings(device)).toEqual([...climate, ['signal-strength', -60], ['signal-to-noise', 8]])
  expect((await post('lorawan', chirp('24e124136b000001'))).json()).toEqual({ receipts: [{ outcome: 'duplicate' }] })
  const again = await post('lorawan', things('24E124136B000001', uplink()))
  expect(again.json()).toMatchObject({ receipts: [{ outcome: 'stored', readings: 2 }] })
  expect((await readings(device)).slice(4)).toEqual(climate)
  expect(readingsOf(await entriesOf(device))[0]).toMatchObject({ door: 'http', frame: { format: 'profile' }, subject })
})

test('LoRaWAN > joins, acknowledgements and status are noted and are no readings, but for a battery level', async () => {
  const device = await worn('fridge-2', th('24e124136b000002'))
  const { deviceInfo, time } = chirp('24e124136b000002')
  const told = [
    { time, deviceInfo, devAddr: '00189440' },
    { time, deviceInfo, acknowledged: true, queueItemId: 'q' },
    things('24e124136b000002', { join_accept: { session_key_id: 'k' } }),
    things('24e124136b000002', { downlink_ack: { f_port: 2 } }),
    things('24e124136b000002', { location_solved: { location: {} } }),
  ]
  for (const event of told)
    expect((await post('lorawan', event)).json()).toMatchObject({ receipts: [{ outcome: 'stored', readings: 0 }] })
  expect(await readings(device)).toEqual([])
  expect((await entriesOf(device)).filter((entry) => entry.kind === 'device-reported')).toHaveLength(told.length)
  await post('lorawan', { time, deviceInfo, margin: 10, batteryLevel: 88.5 })
  expect(await readings(device)).toEqual([['battery-level', 88.5]])
})

test('LoRaWAN > an unknown DevEUI is answered so that the network server goes on, kept, and read once the device is enrolled', async () => {
  const event = chirp('24e124136b0000aa')
  const answered = await post('lorawan', event)
  expect(answered.statusCode).toBe(202)
  const [receipt] = answered.json().receipts
  expect(receipt).toMatchObject({
    ...{ outcome: 'quarantined' },
    quarantined: [{ reason: 'unknown-device', pointer: '/deviceInfo/devEui' }],
  })
  const { id } = receipt.quarantined[0]
  const replay = () => quarantine.replay(by, id, {})
  await expect.poll(() => replay().catch((error) => error.code), { timeout: 15_000 }).toBe('quarantine-not-replayable')
  expect(await quarantine.list(by, { limit: 1 })).toMatchObject([
    { id, device: null, bytes: JSON.stringify(event).length },
  ])
  const device = await worn('fridge-3', th('24e124136b0000aa'))
  expect(await replay()).toEqual({ readings: 4 })
  expect((await readings(device))[0]).toEqual(['temperature-ambient', 27.2])
})

test('LoRaWAN > what nobody can read is kept and told, never refused', async () => {
  await worn('fridge-4', th('24e124136b000004'))
  for (const [body, reason, pointer] of [
    ['not json', 'bad-frame', ''],
    ['[1]', 'bad-frame', ''],
    ['{"applicationID":"1","devEUI":"JOEkE2sAAAE="}', 'bad-frame', '/deviceInfo/devEui'],
    [JSON.stringify({ deviceInfo: { devEui: 'x' } }), 'bad-frame', '/deviceInfo/devEui'],
    [JSON.stringify(things('24e124136b000004', {})), 'bad-frame', '/uplink_message'],
    [JSON.stringify(chirp('24e124136b000004', { data: '!' })), 'bad-frame', '/data'],
  ] as const) {
    const answered = await post('lorawan', body)
    expect(answered.statusCode).toBe(202)
    expect(answered.json()).toMatchObject({
      receipts: [{ outcome: 'quarantined', quarantined: [{ reason, pointer }] }],
    })
  }
  const empty = await post('lorawan', '')
  expect([empty.statusCode, empty.json().issue[0].details.coding[0].code]).toEqual([400, 'ingest-empty'])
})

test('LoRaWAN > the DevEUI of another organisation is as unknown as any, and its device hears nothing', async () => {
  const device = await worn('fridge-5', th('24e124136b000005'))
  const other = await shell.identity.createTenant('Other house')
  const theirs = await shell.token(['reading:create'], other)
  const answered = await post('lorawan', chirp('24e124136b000005'), theirs)
  expect(answered.json()).toMatchObject({ receipts: [{ quarantined: [{ reason: 'unknown-device' }] }] })
  const batch = await post('batch', { messages: [{ device, values: { humidity: 1 } }] }, theirs)
  expect(batch.json()).toMatchObject({ receipts: [{ quarantined: [{ reason: 'unknown-device' }] }] })
  expect((await entriesOf(device)).map((entry) => entry.kind)).toEqual(['assignment-changed'])
})

test('gateway > each message of a batch gets its own receipt, in its order, and goes by its device profile', async () => {
  const wearable = await worn('wear-1', { profile: 'generic' })
  const tag = await worn('tag-1', { profile: 'bthome', address: '5448E68F80A5' })
  const cuff = await worn('cuff-9', { profile: 'ble-blood-pressure' })
  const advertisement = { address: '5448E68F80A5', rssi: -60, serviceData: { fcd2: '4002c40903bf13' } }
  const answered = await post('batch', {
    messages: [
      { device: 'wear-1', seq: 1, values: { 'heart-rate': 61 } },
      { device: 'tag-1', ...advertisement },
      { device: wearable, seq: 2, values: { 'heart-rate': 62 } },
      { device: 'wear-1', seq: 1, values: { 'heart-rate': 61 } },
      { device: 'nobody', values: { 'heart-rate': 63 } },
      { device: 'tag-1', ...advertisement, address: '5448E68F80A6' },
      { device: 'cuff-9', values: { systolic: 120, diastolic: 80 } },
      { device: 'wear-1', hr: 64 },
    ],
  })
  expect(answered.statusCode).toBe(202)
  expect(answered.json().receipts).toMatchObject([
    { outcome: 'stored', readings: 1 },
    { outcome: 'stored', readings: 3 },
    { outcome: 'stored', readings: 1 },
    { outcome: 'duplicate' },
    { outcome: 'quarantined', quarantined: [{ reason: 'unknown-device', pointer: '/device' }] },
    { outcome: 'quarantined', quarantined: [{ reason: 'wrong-device', pointer: '/address' }] },
    { outcome: 'stored', readings: 2 },
    { outcome: 'stored', readings: 1 },
  ])
  expect(await readings(wearable)).toEqual([61, 62, 64].map((value) => ['heart-rate', value]))
  expect((await readings(tag))[0]).toEqual(['temperature-ambient', 25])
  expect(await readings(cuff)).toHaveLength(2)
})

test('gateway > a message for a device that is enrolled later is replayed by the name it gave', async () => {
  const advertisement = { address: 'A4C1380000F1', serviceData: { fcd2: '4002c40903bf13' } }
  const answered = await post('batch', { messages: [{ device: 'tag-late', ...advertisement }] })
  const { id } = answered.json().receipts[0].quarantined[0]
  const device = await worn('tag-late', { profile: 'bthome' })
  const replay = () => quarantine.replay(by, id, {}).catch((error) => error.code)
  await expect.poll(replay, { timeout: 15_000 }).toEqual({ readings: 2 })
  expect(await readings(device)).toHaveLength(2)
})

test('typed readings > are taken from a person only', async () => {
  const payload = { subject, measuredAt: Date.now(), values: [{ signal: 'spo2', value: 97, unit: '%' }] }
  const answered = await shell.server.inject({
    ...{ method: 'POST', url: '/api/v1/readings', payload },
    headers: { authorization: token },
  })
  expect([answered.statusCode, answered.json().issue[0].details.coding[0].code]).toEqual([403, 'reading-staff-only'])
})

test('forwarding > takes a service token with reading:create, and neither a person nor another scope', async () => {
  const event = chirp('24e124136b000001')
  const codeOf = async (path: string, payload: unknown, authorization: string) => {
    const answered = await post(path, payload, authorization)
    return [answered.statusCode, answered.json().issue[0].details.coding[0].code]
  }
  const batch = { messages: [{ device: 'x', values: { spo2: 97 } }] }
  const reader = await shell.token(['reading:read'] satisfies Scope[])
  for (const [path, body] of [
    ['lorawan', event],
    ['batch', batch],
  ] as const) {
    expect(await codeOf(path, body, reader)).toEqual([403, 'not-allowed'])
    expect((await post(path, body, 'Bearer clt_nonsense')).statusCode).toBe(401)
    const { cookie } = await shell.signIn(['nurse'])
    const headers = { cookie, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' }
    const asked = await shell.server.inject({
      method: 'POST',
      url: `/api/v1/ingest/${path}`,
      headers,
      payload: JSON.stringify(body),
    })
    expect([asked.statusCode, asked.json().issue[0].details.coding[0].code]).toEqual([403, 'ingest-service-only'])
  }
  const wrong = await post('batch', { messages: [{ values: {} }] })
  expect([wrong.statusCode, wrong.json().issue[0].expression]).toEqual([400, ['/body/messages/0/device']])
})
