import { afterEach, expect, test, vi } from 'vitest'
import { aFrame, type IngestGround, ingestGround } from '../fixtures.ts'
import { makeSlots } from '../marks/slots.ts'
import { makeClaims } from './claims.ts'
import { openDoorProcess } from './door-process.ts'

let ground: IngestGround
afterEach(() => ground.stop())

const say = (ingest: IngestGround['ingest'], seq: number) =>
  ingest.accept(aFrame(ground.device, { seq, values: { 'heart-rate': 60 + seq } }))

test('claims > a process that was paused does not overwrite what its successor has saved since', async () => {
  ground = await ingestGround()
  for (let seq = 0; seq < 5; seq++) await say(ground.ingest, seq)
  const second = await ground.anotherProcess()
  for (let seq = 5; seq < 10; seq++) await say(second.ingest, seq)
  await second.ingest.slots.save()
  // The first one wakes in the middle of its own saving, before it learns what it lost.
  await ground.ingest.slots.save()
  const third = await ground.anotherProcess()
  for (let seq = 0; seq < 10; seq++) expect((await say(third.ingest, seq)).outcome, `message ${seq}`).toBe('duplicate')
})

test('claims > a device whose marks cannot be opened keeps no other from being served', async () => {
  ground = await ingestGround()
  const other = await ground.anotherDevice()
  await say(ground.ingest, 0)
  await ground.ingest.accept(aFrame(other, { seq: 0, values: { spo2: 97 } }))
  await ground.ingest.slots.save()
  await ground.engine.db.pool.query(`update engine.device_mark set body = 'x' where device = $1`, [
    ground.device.device,
  ])
  const { ingest } = await ground.anotherProcess()
  const both = [ground.device, other].map((device) => ingest.slots.load(device.device))
  expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
})

test('claims > a process that was laid to rest while it was paused is not at rest once it claims again', async () => {
  ground = await ingestGround()
  const { process, slots } = ground.ingest
  const ended = 'update engine.door_process set ended = true where process = $1'
  await ground.engine.db.pool.query(ended, [process])
  await slots.load(ground.device.device)
  const second = await ground.anotherProcess()
  await say(ground.ingest, 0)
  expect((await say(second.ingest, 0)).outcome).toBe('duplicate')
})

test('claims > a take-over whose answer was lost is made good: what the log says since is learned all the same', async () => {
  ground = await ingestGround()
  const { device } = ground.device
  for (let seq = 0; seq < 5; seq++) await say(ground.ingest, seq)
  const { engine } = ground.another()
  const { id } = await openDoorProcess(engine, async () => {})
  let broken = true
  const radio = async () => {
    if (broken) throw new Error('the connection broke after the claim was committed')
    return { now: () => ({}) }
  }
  const slots = makeSlots(engine, { claims: makeClaims(engine, id), radio }, id)
  await expect(slots.load(device)).rejects.toThrow('the connection broke')
  // Nothing may be forgotten over it meanwhile, either.
  await slots.save()
  broken = false
  const { marks } = await slots.load(device)
  for (let seq = 0; seq < 5; seq++) expect(marks.sequences.has(seq), `message ${seq}`).toBe(true)
})

// Found by kill -9 of the database: such a device was answered 500 until its server was started anew.
test('claims > a log that cannot be read once keeps no device from being taken over afterwards', async () => {
  ground = await ingestGround()
  for (let seq = 0; seq < 5; seq++) await say(ground.ingest, seq)
  const { engine, ingest } = await ground.anotherProcess()
  vi.spyOn(engine.log, 'head').mockRejectedValueOnce(new Error('the database was killed'))
  await expect(say(ingest, 5)).rejects.toThrow('the database was killed')
  for (let seq = 0; seq < 5; seq++) expect((await say(ingest, seq)).outcome, `message ${seq}`).toBe('duplicate')
  expect((await say(ingest, 5)).outcome).toBe('stored')
})
