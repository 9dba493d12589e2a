/** Wall-clock times of devices: read where their wearer lives, and the same record wherever it is read. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aPatient, testSubjects } from '../subjects/fixtures.ts'
import type { DeviceIdentity } from './door.ts'
import { type IngestGround, ingestGround, logEntries, readingsOf } from './fixtures.ts'

let ground: IngestGround
beforeAll(async () => {
  ground = await ingestGround()
})
afterAll(() => ground?.stop())

const cuff = { profile: 'ble-blood-pressure' } as const

/** 120/80 (93) with the date and time that the cuff's clock showed. */
function measurement(local: string): Buffer {
  const [year, month, day, hour, minute, second] = local.split(/\D/).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const bytes = Buffer.from('02780050005d000000000000000000'.slice(0, 28), 'hex')
  bytes.writeUInt16LE(year, 7)
  bytes.set([month, day, hour, minute, second], 9)
  return bytes
}

const say = (device: DeviceIdentity, local: string) =>
  ground.ingest.accept({
    ...{ kind: 'telemetry', device, door: 'mqtt', format: 'profile', bytes: measurement(local) },
    receivedAt: ground.engine.clock.now(),
  })
const newest = async () => readingsOf(await logEntries(ground.engine)).at(-1)!
const measured = async (device: DeviceIdentity, local: string) => {
  expect(await say(device, local)).toMatchObject({ outcome: 'stored' })
  return new Date((await newest()).readings[0]!.measuredAt).toISOString()
}
const aWearer = async (timeZone: string) =>
  (await testSubjects(ground.engine).create(ground.by, { ...aPatient(), timeZone })).id

test.each([
  ['winter', '2026-01-15T07:05:09', '2026-01-15T06:05:09.000Z'],
  ['summer', '2026-07-15T07:05:09', '2026-07-15T05:05:09.000Z'],
  ['the hour that does not occur: a clock that nobody put forward', '2026-03-29T02:30:00', '2026-03-29T01:30:00.000Z'],
  ['just before it', '2026-03-29T01:59:59', '2026-03-29T00:59:59.000Z'],
  ['just after it', '2026-03-29T03:00:00', '2026-03-29T01:00:00.000Z'],
  ['the hour that occurs twice: the earlier', '2025-10-26T02:30:00', '2025-10-26T00:30:00.000Z'],
])('a cuff of a patient in Vienna > %s', async (_, local, instant) => {
  expect(await measured(await ground.anotherDevice(true, cuff), local)).toBe(instant)
  expect((await newest()).readings[0]).toMatchObject({ deviceTime: Date.parse(instant), deviceLocal: local })
})

test('a device with a zone of its own keeps to it; one whose wearer moved goes by the new place at once', async () => {
  const fixed = await ground.anotherDevice(true, { ...cuff, timeZone: 'Asia/Tokyo' })
  expect(await measured(fixed, '2026-01-15T07:00:00')).toBe('2026-01-14T22:00:00.000Z')
  const subjects = testSubjects(ground.engine)
  const patient = await subjects.create(ground.by, aPatient())
  const device = await ground.anotherDevice(false, cuff)
  await ground.fleet.assign(ground.by, device.device, patient.id, Date.UTC(2026, 0, 1))
  await ground.fleet.attribution.refresh()
  expect(await measured(device, '2026-01-15T07:00:00')).toBe('2026-01-15T06:00:00.000Z')
  const moved = { ...aPatient(), timeZone: 'America/New_York', version: patient.version }
  await subjects.update(ground.by, patient.id, moved)
  await ground.fleet.attribution.refresh()
  expect(await measured(device, '2026-01-15T08:00:00')).toBe('2026-01-15T13:00:00.000Z')
  // The cuff sends all it remembers once more: what it said in Vienna is no new measurement in New York.
  expect(await say(device, '2026-01-15T07:00:00')).toMatchObject({ outcome: 'duplicate' })
  const restarted = await ground.anotherProcess()
  await restarted.ingest.accept({
    ...{ kind: 'telemetry', device, door: 'mqtt', format: 'profile', bytes: measurement('2026-01-15T07:00:00') },
    receivedAt: ground.engine.clock.now(),
  })
  const stored = readingsOf(await logEntries(ground.engine)).filter((entry) => entry.device === device.device)
  expect(stored).toHaveLength(2)
})

test('a time is read in the zone of who wore the device then, not of who wears it now', async () => {
  const [tokyo, chicago] = [await aWearer('Asia/Tokyo'), await aWearer('America/Chicago')]
  const device = await ground.anotherDevice(false, cuff)
  const change = Date.UTC(2026, 0, 20)
  await ground.fleet.assign(ground.by, device.device, tokyo, Date.UTC(2026, 0, 1))
  await ground.fleet.unassign(ground.by, device.device, change)
  await ground.fleet.assign(ground.by, device.device, chicago, change)
  await ground.fleet.attribution.refresh()
  expect(await measured(device, '2026-01-10T09:00:00')).toBe('2026-01-10T00:00:00.000Z')
  expect(await newest()).toMatchObject({ subject: tokyo })
  expect(await measured(device, '2026-01-25T09:00:00')).toBe('2026-01-25T15:00:00.000Z')
  expect(await newest()).toMatchObject({ subject: chicago })
})

test('a change of wearer that a door has not heard of yet changes the zone with it', async () => {
  const [tokyo, chicago] = [await aWearer('Asia/Tokyo'), await aWearer('America/Chicago')]
  const device = await ground.anotherDevice(false, cuff)
  const worn = await ground.fleet.assign(ground.by, device.device, tokyo, Date.UTC(2026, 0, 1))
  await ground.fleet.attribution.refresh()
  await measured(device, '2026-01-10T09:00:00')
  await ground.fleet.correctAssignment(ground.by, device.device, {
    reason: 'It was given to the other patient',
    edits: [{ edit: 'change', assignment: worn.id, subject: chicago }],
  })
  expect(await measured(device, '2026-01-11T09:00:00')).toBe('2026-01-11T15:00:00.000Z')
  expect(await newest()).toMatchObject({ subject: chicago })
})

test('where nobody wore it, the zone is that of its gateway site, else UTC, and the measurement waits', async () => {
  const { fleet, by } = ground
  const site = await testSubjects(ground.engine).createSite(by, { name: 'Depot', timeZone: 'Australia/Perth' })
  const gateway = await fleet.enrolGateway(by, { name: 'depot-gw', site: site.id })
  const stored = await ground.anotherDevice(false, { ...cuff, gateway: gateway.id })
  await fleet.attribution.refresh()
  expect(fleet.attribution.zones(stored.device)).toEqual({ own: null, worn: [], otherwise: 'Australia/Perth' })
  const alone = await ground.anotherDevice(false, cuff)
  expect(fleet.attribution.zones(alone.device)).toEqual({ own: null, worn: [], otherwise: 'UTC' })
  expect(await say(stored, '2026-01-10T09:00:00')).toMatchObject({ quarantined: [{ reason: 'unassigned' }] })
})
