import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aFrame, type IngestGround, ingestGround, logEntries, readingsOf } from './fixtures.ts'

describe('ingest', () => {
  let ground: IngestGround
  beforeAll(async () => {
    ground = await ingestGround()
  })
  afterAll(() => ground.stop())

  const send = (payload: unknown, over: Parameters<typeof aFrame>[2] = {}) =>
    ground.ingest.accept(aFrame(ground.device, payload, over))
  const stored = async () => readingsOf(await logEntries(ground.engine)).flatMap((entry) => entry.readings)

  test('acknowledges only what another process can read back, attributed to who wore the device', async () => {
    const ts = Date.now() - 1000
    const receipt = await send({ ts, values: { 'heart-rate': 72, spo2: 97.5 } })
    expect(receipt).toMatchObject({ outcome: 'stored', readings: 2, quarantined: [] })
    const entry = readingsOf(await logEntries(ground.another().engine)).at(-1)!
    expect(entry).toMatchObject({
      subject: ground.subject,
      device: ground.device.device,
      origin: 'automatic',
      door: 'mqtt',
    })
    expect(entry.readings).toEqual([
      { signal: 'heart-rate', value: 72, measuredAt: ts, deviceTime: ts, ordinal: 0 },
      { signal: 'spo2', value: 97.5, measuredAt: ts, deviceTime: ts, ordinal: 0 },
    ])
    expect(Buffer.from(entry.frame.bytes).toString()).toContain('"heart-rate":72')
  })

  test('stores a message once, however often it is sent: by sequence, by time, by packet identifier', async () => {
    const before = (await stored()).length
    const numbered = { seq: 1, values: { 'heart-rate': 60 } }
    const timed = { ts: Date.now(), values: { 'heart-rate': 61 } }
    const bare = { values: { 'heart-rate': 62 } }
    const delivery = { packetId: 9, dup: false }
    for (const message of [numbered, timed]) {
      expect((await send(message)).outcome).toBe('stored')
      expect((await send(message)).outcome).toBe('duplicate')
    }
    expect((await send(bare, { delivery })).outcome).toBe('stored')
    expect((await send(bare, { delivery: { ...delivery, dup: true } })).outcome).toBe('duplicate')
    expect((await send(bare, { delivery })).outcome).toBe('stored') // no DUP: another measurement that looks the same
    expect((await stored()).length).toBe(before + 4)
  })

  test('a repetition while the first is on its way is acknowledged with it, and stored once', async () => {
    const before = (await stored()).length
    const message = { ts: Date.now() + 1, values: { 'heart-rate': 63 } }
    const receipts = await Promise.all([send(message), send(message), send(message)])
    expect(receipts.map((receipt) => receipt.outcome).sort()).toEqual(['duplicate', 'duplicate', 'stored'])
    expect((await stored()).length).toBe(before + 1)
  })

  test('of two in one commit with the same number or time and other content, the first is stored and the other set aside', async () => {
    const ts = Date.now() - 1000
    for (const name of [{ seq: 4 }, { ts }]) {
      const device = await ground.anotherDevice()
      const say = (payload: unknown) => ground.ingest.accept(aFrame(device, payload))
      await say({ values: { 'heart-rate': 59 } })
      const values = [60, 61, 62].map((rate) => ({ ...name, values: { 'heart-rate': rate } }))
      const receipts = await Promise.all([...values, values[1], { values: { 'heart-rate': 63 } }].map(say))
      expect(receipts.map((receipt) => receipt.outcome)).toEqual([
        'stored',
        ...['quarantined', 'quarantined', 'quarantined'],
        'stored',
      ])
      const mine = readingsOf(await logEntries(ground.engine)).filter((entry) => entry.device === device.device)
      expect(mine.flatMap((entry) => entry.readings.map((reading) => reading.value))).toEqual([59, 60, 63])
    }
  })

  test('a restart of the count in one commit with what follows it forgets nothing', async () => {
    const device = await ground.anotherDevice()
    const say = (payload: unknown) => ground.ingest.accept(aFrame(device, payload))
    const ts = Date.now() - 10_000
    for (const seq of [0, 1, 2]) await say({ seq, ts: ts + seq, values: { 'heart-rate': 60 + seq } })
    const anew = [0, 1].map((seq) => ({ seq, ts: ts + 5000 + seq, values: { 'heart-rate': 80 + seq } }))
    for (const wanted of ['stored', 'duplicate'])
      expect((await Promise.all(anew.map(say))).map((receipt) => receipt.outcome)).toEqual([wanted, wanted])
  })

  test('a PUBLISH delivered again is not taken for another one with the same bytes that is on its way', async () => {
    const device = await ground.anotherDevice()
    const say = (packetId: number, dup: boolean) =>
      ground.ingest.accept(aFrame(device, { values: { spo2: 96 } }, { delivery: { packetId, dup } }))
    const receipts = await Promise.all([say(1, false), say(2, true), say(1, true)])
    expect(receipts.map((receipt) => receipt.outcome)).toEqual(['stored', 'stored', 'duplicate'])
  })

  test('a SenML pack with times relative to now is recognised when it is delivered again later', async () => {
    const before = (await stored()).length
    const pack = [
      { n: 'heart-rate', v: 71, t: -30 },
      { n: 'heart-rate', v: 72, t: -20 },
    ]
    const delivery = { packetId: 77, dup: false }
    const now = Date.now()
    const first = await send(pack, { format: 'senml', delivery, receivedAt: now })
    expect(first).toMatchObject({ outcome: 'stored', readings: 2 })
    const again = { format: 'senml', delivery: { ...delivery, dup: true }, receivedAt: now + 8_000 } as const
    expect((await send(pack, again)).outcome).toBe('duplicate')
    const readings = await stored()
    expect(readings).toHaveLength(before + 2)
    expect(readings.slice(-2).map(({ measuredAt, deviceTime }) => [measuredAt - now, deviceTime])).toEqual([
      [-30_000, undefined],
      [-20_000, undefined],
    ])
  })

  test('a long backlog in one message is recognised when it is delivered again', async () => {
    const device = await ground.anotherDevice()
    const before = (await stored()).length
    const start = Date.now() - 1_000_000
    const backlog = Array.from({ length: 900 }, (_, i) => ({
      ts: start + i * 1000,
      values: { 'heart-rate': 60 + (i % 30) },
    }))
    const delivery = { packetId: 8, dup: false }
    expect((await ground.ingest.accept(aFrame(device, backlog, { delivery }))).outcome).toBe('stored')
    const again = aFrame(device, backlog, { delivery: { ...delivery, dup: true } })
    expect((await ground.ingest.accept(again)).outcome).toBe('duplicate')
    expect((await stored()).length).toBe(before + 900)
  })

  test('the same number or time with other content is a conflict: kept, and not a reading', async () => {
    const device = await ground.anotherDevice()
    const ts = Date.now()
    const say = (payload: unknown) => ground.ingest.accept(aFrame(device, payload))
    await say({ seq: 5, values: { 'heart-rate': 60 } })
    expect(await say({ seq: 5, values: { 'heart-rate': 99 } })).toMatchObject({
      outcome: 'quarantined',
      quarantined: [{ reason: 'conflict', pointer: '/seq' }],
    })
    await say({ ts, values: { spo2: 97 } })
    expect(await say({ ts, values: { spo2: 90 } })).toMatchObject({
      outcome: 'quarantined',
      quarantined: [{ reason: 'conflict', pointer: '/values/spo2' }],
    })
  })

  test('a device that counts anew after a reset is believed when its time goes on', async () => {
    const device = await ground.anotherDevice()
    const say = (payload: unknown) => ground.ingest.accept(aFrame(device, payload))
    const ts = Date.now() - 10_000
    for (const seq of [0, 1, 2]) await say({ seq, ts: ts + seq, values: { 'heart-rate': 60 + seq } })
    expect((await say({ seq: 0, ts: ts + 5000, values: { 'heart-rate': 80 } })).outcome).toBe('stored')
    expect((await say({ seq: 0, ts: ts + 5000, values: { 'heart-rate': 80 } })).outcome).toBe('duplicate')
    expect((await say({ seq: 1, ts: ts + 6000, values: { 'heart-rate': 81 } })).outcome).toBe('stored')
  })

  test('the same number and content long after, without a time, may be another measurement: set aside, not swallowed', async () => {
    const device = await ground.anotherDevice()
    const now = Date.now()
    const say = (receivedAt: number, over: object = {}, more: object = {}) =>
      ground.ingest.accept(aFrame(device, { seq: 1, values: { 'heart-rate': 60 }, ...more }, { receivedAt, ...over }))
    await say(now - 3_600_000)
    expect((await say(now - 3_000_000)).outcome).toBe('duplicate')
    expect((await say(now, { delivery: { packetId: 3, dup: true } })).outcome).toBe('duplicate')
    expect(await say(now)).toMatchObject({
      outcome: 'quarantined',
      quarantined: [{ reason: 'conflict', pointer: '/seq' }],
    })
    const timed = { seq: 2, ts: now - 3_600_000 }
    await say(now - 3_600_000, {}, timed)
    expect((await say(now, {}, timed)).outcome).toBe('duplicate')
  })

  test.each([
    ['not JSON', 'nonsense', 'bad-frame', ''],
    ['no values', { values: {} }, 'bad-frame', '/values'],
    ['seconds for milliseconds', { ts: 1_700_000_000, values: { spo2: 97 } }, 'bad-frame', '/ts'],
    ['an unknown signal', { values: { flux: 1 } }, 'unknown-signal', '/values/flux'],
    ['text for a number', { values: { spo2: '97' } }, 'bad-frame', '/values/spo2'],
    ['a unit of another quantity', { values: { spo2: { value: 9, unit: 'kg' } } }, 'unit-mismatch', '/values/spo2'],
    ['a heart rate of 9000', { values: { 'heart-rate': 9000 } }, 'implausible', '/values/heart-rate'],
  ])('%s is set aside with a pointer', async (_, payload, reason, pointer) => {
    const receipt = await send(payload)
    expect(receipt).toMatchObject({ outcome: 'quarantined', quarantined: [{ reason, pointer }] })
    const entry = (await logEntries(ground.engine)).at(-1)
    expect(entry).toMatchObject({ kind: 'quarantined', reason })
  })

  test('what is good in a message is stored, the rest is set aside', async () => {
    const receipt = await send({ ts: Date.now(), values: { spo2: 96, flux: 1, 'heart-rate': 9000 } })
    expect(receipt).toMatchObject({ outcome: 'stored', readings: 1 })
    expect(receipt.outcome === 'stored' && receipt.quarantined.map((aside) => aside.reason).sort()).toEqual([
      'implausible',
      'unknown-signal',
    ])
  })

  test('a device that nobody wears is set aside until it is assigned, then replays to who wore it then', async () => {
    const device = await ground.anotherDevice(false)
    const ts = Date.now() - 60_000
    const receipt = await ground.ingest.accept(aFrame(device, { ts, values: { spo2: 95 } }))
    expect(receipt).toMatchObject({ outcome: 'quarantined', quarantined: [{ reason: 'unassigned' }] })
  })

  test('a reading measured before the change of wearer goes to the former one, in the very moment of the change', async () => {
    const device = await ground.anotherDevice()
    const other = (await import('../subjects/fixtures.ts')).testSubjects(ground.engine)
    const { aPatient } = await import('../subjects/fixtures.ts')
    const second = (await other.create(ground.by, aPatient())).id
    const change = Date.now() - 5000
    await ground.ingest.accept(aFrame(device, { ts: change - 9, values: { spo2: 90 } }))
    await ground.fleet.unassign(ground.by, device.device, change)
    await ground.fleet.assign(ground.by, device.device, second, change)
    // The door's copy may be stale now: the log's fence makes it look again.
    await ground.ingest.accept(
      aFrame(device, [
        { ts: change - 1, values: { spo2: 91 } },
        { ts: change, values: { spo2: 92 } },
      ]),
    )
    const entries = readingsOf(await logEntries(ground.engine)).slice(-2)
    expect(entries.map((entry) => [entry.subject, entry.readings[0]?.value])).toEqual([
      [ground.subject, 91],
      [second, 92],
    ])
  })

  test('clocks: a future time is replaced and kept raw; a told offset begins an epoch and moves nothing before', async () => {
    const device = await ground.anotherDevice()
    const say = (payload: unknown, receivedAt: number) => ground.ingest.accept(aFrame(device, payload, { receivedAt }))
    const now = Date.now()
    await say({ ts: now + 3_600_000, values: { spo2: 97 } }, now)
    for (const [at, spo2] of [
      [0, 94],
      [60_000, 95],
      [120_000, 98],
    ] as const)
      await say({ ts: now + at - 3_600_000, now: now + at - 3_600_000, values: { spo2 } }, now + at)
    await say({ ts: now - 3_479_000, values: { spo2: 99 } }, now + 121_000)
    const entries = readingsOf(await logEntries(ground.engine)).slice(-5)
    expect(entries[0]?.readings[0]).toMatchObject({
      measuredAt: now,
      deviceTime: now + 3_600_000,
      flags: ['clock-in-future'],
    })
    expect(entries[1]?.readings[0]).toMatchObject({ measuredAt: now - 3_600_000, flags: ['historic'] })
    expect(entries[2]?.clockEpoch).toBeUndefined()
    expect(entries[3]).toMatchObject({ clockEpoch: 1, clockOffsetMs: 3_600_000 })
    expect(entries[3]?.readings[0]).toMatchObject({ measuredAt: now + 120_000, deviceTime: now - 3_480_000 })
    expect(entries[4]).toMatchObject({ clockEpoch: 1 })
    expect(entries[4]?.readings[0]).toMatchObject({ measuredAt: now + 121_000 })
  })

  test('several moments of a fast clock in one message stay apart and in order', async () => {
    const device = await ground.anotherDevice()
    const now = Date.now()
    const records = [1, 2, 3].map((i) => ({ ts: now + i * 10_000, values: { spo2: 95, 'heart-rate': 60 } }))
    await ground.ingest.accept(aFrame(device, records, { receivedAt: now }))
    const { readings } = readingsOf(await logEntries(ground.engine)).at(-1)!
    expect(readings.map(({ measuredAt }) => measuredAt - now)).toEqual([-2, -2, -1, -1, 0, 0])
  })

  test('a cuff measurement is one group, and old readings are historic', async () => {
    const ts = Date.now() - 3_600_000
    await send({ ts, values: { systolic: 128, diastolic: 82, 'pulse-rate': 66 } })
    const entry = readingsOf(await logEntries(ground.engine)).at(-1)!
    expect(new Set(entry.readings.map((reading) => reading.groupId)).size).toBe(1)
    expect(entry.readings[0]).toMatchObject({ groupId: expect.any(String), flags: ['historic'] })
  })
})

describe('two processes serve devices', () => {
  test('after a take-over every message stands once, whoever it was sent to, and the former holder appends no more for it', async () => {
    const ground = await ingestGround()
    const { device } = ground
    const frames = Array.from({ length: 40 }, (_, seq) =>
      aFrame(device, { seq, values: { 'heart-rate': 60 + (seq % 20) } }),
    )
    for (const frame of frames.slice(0, 20)) await ground.ingest.accept(frame)
    const second = await ground.anotherProcess()
    // The device did not hear the last acknowledgements: it sends them again, to the other process.
    for (const frame of frames.slice(15)) await second.ingest.accept(frame)
    await expect(ground.ingest.accept(aFrame(device, { seq: 99, values: { 'heart-rate': 61 } }))).rejects.toMatchObject(
      { code: 'taken-over' },
    )
    const sequences = readingsOf(await logEntries(ground.engine)).map((entry) => entry.sequence)
    expect(sequences).toEqual(frames.map((_, seq) => seq))
    // And back again.
    await ground.ingest.accept(aFrame(device, { seq: 39, values: { 'heart-rate': 79 } }))
    expect(readingsOf(await logEntries(ground.engine))).toHaveLength(40)
    await ground.stop()
  })

  test('what is known of devices survives a restart without an orderly end', async () => {
    const ground = await ingestGround()
    const say = (ingest: typeof ground.ingest, seq: number) =>
      ingest.accept(aFrame(ground.device, { seq, values: { 'heart-rate': 60 + seq } }))
    for (let seq = 0; seq < 10; seq++) await say(ground.ingest, seq)
    await ground.ingest.slots.save()
    for (let seq = 10; seq < 20; seq++) await say(ground.ingest, seq)
    const restarted = await ground.anotherProcess()
    for (let seq = 0; seq < 20; seq++) expect((await say(restarted.ingest, seq)).outcome).toBe('duplicate')
    expect((await say(restarted.ingest, 20)).outcome).toBe('stored')
    await ground.stop()
  })
})
