import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTrail } from '../../audit/index.ts'
import type { Attribution } from '../../fleet/index.ts'
import { aFridge, aPatient, byTest, testSubjects } from '../../subjects/fixtures.ts'
import type { DeviceIdentity } from '../door.ts'
import { aFrame, type IngestGround, ingestGround, logEntries, readingsOf } from '../fixtures.ts'
import { quarantineStage } from './project.ts'
import { makeQuarantine, type Quarantine, type QuarantinedFrame } from './quarantine.ts'

let ground: IngestGround
let quarantine: Quarantine
let stop: () => Promise<void>

beforeAll(async () => {
  ground = await ingestGround()
  quarantine = makeQuarantine({ engine: ground.engine, attribution: ground.fleet.attribution })
  stop = await quarantineStage.start(ground.engine)
})
afterAll(async () => {
  await stop()
  await ground.stop()
})

const send = (device: DeviceIdentity, payload: unknown, receivedAt = Date.now()) =>
  ground.ingest.accept(aFrame(device, payload, { receivedAt }))
const heldOf = (device: DeviceIdentity) =>
  quarantine.list(ground.by, { device: device.device, status: 'held', limit: 50 })

/** The device's only held frame, once the stage has taken it in. */
async function heldFrame(device: DeviceIdentity): Promise<QuarantinedFrame> {
  for (;;) {
    const [frame, ...more] = await heldOf(device)
    expect(more).toEqual([])
    if (frame) return frame
    await new Promise((go) => setTimeout(go, 10))
  }
}

async function heldAfter(device: DeviceIdentity, known: string): Promise<QuarantinedFrame> {
  for (;;) {
    const found = (await heldOf(device)).find(({ id }) => id !== known)
    if (found) return found
    await new Promise((go) => setTimeout(go, 10))
  }
}

const stored = async (device: DeviceIdentity) =>
  readingsOf(await logEntries(ground.engine)).filter((entry) => entry.device === device.device)

describe('quarantine', () => {
  test('lists what was set aside with reason and pointer, gives its bytes as they came, and counts it', async () => {
    const device = await ground.anotherDevice()
    await send(device, '{"values": {"spo2": ')
    const frame = await heldFrame(device)
    expect(frame).toMatchObject({ reason: 'bad-frame', pointer: '', status: 'held', door: 'mqtt', format: 'json' })
    const { bytes } = await quarantine.frame(ground.by, frame.id)
    expect(bytes?.toString()).toBe('{"values": {"spo2": ')
    const counts = await quarantine.counts(ground.by.tenant)
    expect(counts.find(({ reason, status }) => reason === 'bad-frame' && status === 'held')!.count).toBeGreaterThan(0)
    const trail = await ground.engine.db.asTenant(ground.by.tenant, (tx) => readTrail(tx, {}))
    expect(trail.find((each) => each.action === 'read' && each.resourceId === frame.id)?.subject).toBe(ground.subject)
  })

  test('of a device that a patient wears or wore lately, whoever does not see the patient learns how the message is built only', async () => {
    const device = await ground.anotherDevice()
    await send(device, { ts: 'Kunigunde, ninety-seven', values: { spo2: [97.25, true, null] }, 'Zwölf axinger': 1 })
    const frame = await heldFrame(device)
    const kinds = ['asset', 'location'] as const
    const biomed = { ...ground.by, actor: 'staff:bo', sight: { kinds } }
    const looked = await quarantine.frame(biomed, frame.id)
    expect(looked.bytes).toBeNull()
    expect(looked.topic).toBeUndefined()
    expect(looked.withheld).toMatch(/patient/)
    expect(looked.structure).toEqual([
      { pointer: '', type: 'object', size: 3 },
      { pointer: '/ts', type: 'text', size: 23 },
      { pointer: '/values', type: 'object', size: 1 },
      { pointer: '/values/spo2', type: 'array', size: 3 },
      { pointer: '/values/spo2/0', type: 'number', size: null },
      { pointer: '/values/spo2/1', type: 'boolean', size: null },
      { pointer: '/values/spo2/2', type: 'null', size: null },
      { pointer: '/*', type: 'number', size: null },
    ])
    expect(JSON.stringify(looked)).not.toMatch(/Kunigunde|97|axinger/)
    const trail = await ground.engine.db.asTenant(ground.by.tenant, (tx) => readTrail(tx, { subject: ground.subject }))
    expect(trail.some((each) => each.actor === 'staff:bo' && each.resourceId === frame.id)).toBe(true)
    const reach = {
      teams: [],
      teamless: false,
      subjects: new Map([[ground.subject, { why: new Set(['owner'] as const) }]]),
    }
    expect((await quarantine.frame({ ...ground.by, sight: { kinds, reach } }, frame.id)).bytes?.toString()).toContain(
      '97',
    )
    // Taken off a moment ago: what it buffered may still be the patient's.
    await ground.fleet.unassign(ground.by, device.device, Date.now())
    await send(device, 'half a mess')
    const later = await heldAfter(device, frame.id)
    expect((await quarantine.frame(biomed, later.id)).structure).toEqual([{ pointer: '', type: 'bytes', size: 11 }])
  })

  test('of a device that no patient wore, the message is given as it came', async () => {
    const biomed = { ...ground.by, sight: { kinds: ['asset', 'location'] as const } }
    const unworn = await ground.anotherDevice(false)
    await send(unworn, 'half')
    expect((await quarantine.frame(biomed, (await heldFrame(unworn)).id)).bytes?.toString()).toBe('half')
    const cold = await ground.anotherDevice(false)
    const fridge = await testSubjects(ground.engine).create(ground.by, aFridge())
    await ground.fleet.assign(ground.by, cold.device, fridge.id, Date.UTC(2020, 0, 1))
    await send(cold, 'cold')
    expect((await quarantine.frame(biomed, (await heldFrame(cold)).id)).bytes?.toString()).toBe('cold')
  })

  test('a message from before the device was assigned replays to its wearer, once, with the times it had', async () => {
    const device = await ground.anotherDevice(false)
    const ts = Date.now() - 60_000
    await send(device, { ts, values: { spo2: 95 } })
    const frame = await heldFrame(device)
    const replay = () => quarantine.replay(ground.by, frame.id, {})
    await expect(replay()).rejects.toMatchObject({ code: 'quarantine-not-replayable' })
    await ground.fleet.assign(ground.by, device.device, ground.subject, ts - 1000)
    expect(await replay()).toEqual({ readings: 1 })
    const [entry, ...more] = await stored(device)
    expect(more).toEqual([])
    expect(entry).toMatchObject({ subject: ground.subject, door: 'replay', receivedAt: frame.receivedAt })
    expect(entry!.readings[0]).toMatchObject({ signal: 'spo2', value: 95, measuredAt: ts })
    await expect(replay()).rejects.toMatchObject({ code: 'quarantine-settled' })
    expect(await stored(device)).toHaveLength(1)
  })

  test('of two who replay at the same moment, one succeeds', async () => {
    const device = await ground.anotherDevice(false)
    await send(device, { ts: Date.now() - 60_000, values: { spo2: 94 } })
    const frame = await heldFrame(device)
    await ground.fleet.assign(ground.by, device.device, ground.subject, Date.UTC(2020, 0, 1))
    const both = await Promise.allSettled([1, 2].map(() => quarantine.replay(ground.by, frame.id, {})))
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await stored(device)).toHaveLength(1)
  })

  test('a conflict keeps both values: the replayed one takes ordinals of its own', async () => {
    const device = await ground.anotherDevice()
    const ts = Date.now()
    await send(device, { ts, values: { spo2: 97, 'heart-rate': 60 } })
    await send(device, { ts, values: { spo2: 90, 'heart-rate': 60 } })
    const frame = await heldFrame(device)
    expect(frame).toMatchObject({ reason: 'conflict', pointer: '/values/spo2' })
    expect(await quarantine.replay(ground.by, frame.id, {})).toEqual({ readings: 1 })
    const readings = (await stored(device)).flatMap((entry) => entry.readings)
    expect(readings.map(({ signal, value, ordinal }) => [signal, value, ordinal])).toEqual([
      ['spo2', 97, 0],
      ['heart-rate', 60, 0],
      ['spo2', 90, 10_000],
    ])
  })

  test('two conflicts of one moment, both replayed, stand beside the first and each other', async () => {
    const device = await ground.anotherDevice()
    const ts = Date.now()
    for (const spo2 of [97, 90, 91]) await send(device, { ts, values: { spo2 } })
    while ((await heldOf(device)).length < 2) await new Promise((go) => setTimeout(go, 10))
    for (const { id } of await heldOf(device)) await quarantine.replay(ground.by, id, {})
    const readings = (await stored(device)).flatMap((entry) => entry.readings)
    expect(readings.map(({ value }) => value).sort()).toEqual([90, 91, 97])
    expect(new Set(readings.map(({ ordinal }) => ordinal)).size).toBe(3)
  })

  test('more people replay at one moment than there are connections to the database', async () => {
    const device = await ground.anotherDevice(false)
    for (let i = 0; i < 12; i++) await send(device, { ts: Date.now() - 60_000 - i, values: { spo2: 94 } })
    while ((await heldOf(device)).length < 12) await new Promise((go) => setTimeout(go, 10))
    await ground.fleet.assign(ground.by, device.device, ground.subject, Date.UTC(2020, 0, 1))
    const held = await heldOf(device)
    await Promise.all(held.map(({ id }) => quarantine.replay(ground.by, id, {})))
    expect(await stored(device)).toHaveLength(12)
  })

  test('a correction in the moment of replaying: it goes to whom the history names then', async () => {
    const device = await ground.anotherDevice(false)
    await send(device, { ts: Date.now() - 60_000, values: { spo2: 93 } })
    const frame = await heldFrame(device)
    const second = (await testSubjects(ground.engine).create(ground.by, aPatient())).id
    const from = Date.UTC(2020, 0, 1)
    await ground.fleet.assign(ground.by, device.device, ground.subject, from)
    const { attribution } = ground.fleet
    const [span] = await attribution.refresh().then(() => attribution.device(device.device)!.spans)
    let corrected = false
    const interrupted: Attribution = Object.assign(Object.create(attribution), {
      whoWears: attribution.whoWears.bind(attribution),
      device: attribution.device.bind(attribution),
      zones: attribution.zones.bind(attribution),
      load: attribution.load.bind(attribution),
      known: attribution.known.bind(attribution),
      async refresh() {
        await attribution.refresh()
        if (corrected) return
        corrected = true
        const edits = [{ edit: 'change', assignment: span!.id, subject: second }] as const
        await ground.fleet.correctAssignment(ground.by, device.device, { edits: [...edits], reason: 'mixed up' })
      },
    })
    const other = makeQuarantine({ engine: ground.engine, attribution: interrupted })
    expect(await other.replay(ground.by, frame.id, {})).toEqual({ readings: 1 })
    expect((await stored(device)).map(({ subject }) => subject)).toEqual([second])
  })

  test('a replayed message is settled by the clock that held when it came', async () => {
    const device = await ground.anotherDevice(false)
    const receivedAt = Date.now() - 60_000
    const ts = receivedAt - 3_600_000
    const ahead = receivedAt + 3_600_000
    await send(device, { ts: ahead, now: ahead, values: { spo2: 92 } }, receivedAt)
    const frame = await heldFrame(device)
    await ground.fleet.assign(ground.by, device.device, ground.subject, ts - 1000)
    expect(await quarantine.replay(ground.by, frame.id, {})).toEqual({ readings: 1 })
    const [entry] = await stored(device)
    expect(entry).toMatchObject({ clockOffsetMs: -3_600_000 })
    expect(entry!.readings[0]).toMatchObject({ measuredAt: receivedAt, deviceTime: ahead })
    expect(entry!.readings[0]!.flags).toBeUndefined()
  })

  test('an implausible value replays only when a person takes it, and then flagged', async () => {
    const device = await ground.anotherDevice()
    await send(device, { ts: Date.now(), values: { 'heart-rate': 9000, spo2: 97 } })
    const frame = await heldFrame(device)
    expect(frame).toMatchObject({ reason: 'implausible', pointer: '/values/heart-rate' })
    await expect(quarantine.replay(ground.by, frame.id, {})).rejects.toMatchObject({
      code: 'quarantine-not-replayable',
      pointer: '/values/heart-rate',
    })
    expect(await quarantine.replay(ground.by, frame.id, { takeImplausible: true })).toEqual({ readings: 1 })
    const readings = (await stored(device)).flatMap((entry) => entry.readings)
    expect(readings.map(({ signal, flags }) => [signal, flags])).toEqual([
      ['spo2', undefined],
      ['heart-rate', ['implausible']],
    ])
  })

  test('what still cannot be read is refused with its pointer and stays', async () => {
    const device = await ground.anotherDevice()
    await send(device, { values: { flux: 1 } })
    const frame = await heldFrame(device)
    await expect(quarantine.replay(ground.by, frame.id, {})).rejects.toMatchObject({
      code: 'quarantine-not-replayable',
      pointer: '/values/flux',
    })
    expect((await heldFrame(device)).id).toBe(frame.id)
  })

  test('a dismissed message is settled, keeps its bytes, and is not replayed', async () => {
    const device = await ground.anotherDevice()
    await send(device, 'nonsense')
    const frame = await heldFrame(device)
    await quarantine.dismiss(ground.by, frame.id, 'test-data')
    expect(await heldOf(device)).toEqual([])
    const [dismissed] = await quarantine.list(ground.by, { device: device.device, status: 'dismissed', limit: 5 })
    expect(dismissed).toMatchObject({ id: frame.id, outcome: 'test-data', settledAt: expect.any(Number) })
    expect((await quarantine.frame(ground.by, frame.id)).bytes?.toString()).toBe('nonsense')
    for (const again of [
      () => quarantine.replay(ground.by, frame.id, {}),
      () => quarantine.dismiss(ground.by, frame.id, 'repeated'),
    ])
      await expect(again()).rejects.toMatchObject({ code: 'quarantine-settled' })
  })

  test('another organisation sees none of it', async () => {
    const device = await ground.anotherDevice()
    await send(device, 'nonsense')
    const frame = await heldFrame(device)
    const stranger = byTest(await ground.tenant())
    expect(await quarantine.list(stranger, { limit: 50 })).toEqual([])
    expect(await quarantine.counts(stranger.tenant)).toEqual([])
    for (const asked of [
      () => quarantine.frame(stranger, frame.id),
      () => quarantine.replay(stranger, frame.id, {}),
      () => quarantine.dismiss(stranger, frame.id, 'not-ours'),
    ])
      await expect(asked()).rejects.toMatchObject({ code: 'quarantine-not-found' })
  })

  test('what lies in the table is sealed', async () => {
    const device = await ground.anotherDevice()
    await send(device, 'canary-in-a-frame')
    await heldFrame(device)
    const { rows } = await ground.engine.db.pool.query<{ line: string }>(
      'select q::text as line from tenant.quarantine q',
    )
    const hex = Buffer.from('canary-in-a-frame').toString('hex')
    const base64 = Buffer.from('canary-in-a-frame').toString('base64').slice(0, 20)
    for (const { line } of rows) for (const seed of ['canary-in-a-frame', hex, base64]) expect(line).not.toContain(seed)
  })

  test('pages are newest first and do not overlap', async () => {
    const device = await ground.anotherDevice()
    for (let i = 0; i < 5; i++) await send(device, `nonsense ${i}`)
    while ((await heldOf(device)).length < 5) await new Promise((go) => setTimeout(go, 10))
    const ids: string[] = []
    for (let before: string | undefined; ; before = ids.at(-1)) {
      const page = await quarantine.list(ground.by, { device: device.device, limit: 2, ...(before ? { before } : {}) })
      ids.push(...page.map(({ id }) => id))
      if (page.length < 2) break
    }
    expect(ids).toHaveLength(5)
    expect(ids).toEqual([...ids].sort().reverse())
  })
})
