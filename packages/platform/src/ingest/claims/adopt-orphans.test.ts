import { expect, test } from 'vitest'
import { aFrame, ingestGround, logEntries, readingsOf } from '../fixtures.ts'
import { adoptOrphans } from './adopt-orphans.ts'

test('claims > the devices of a dead process are taken over, so that the log need not be kept for it', async () => {
  const ground = await ingestGround()
  const { engine, device } = ground
  const say = (ingest: typeof ground.ingest, seq: number) =>
    ingest.accept(aFrame(device, { seq, values: { spo2: 90 + seq } }))
  for (let seq = 0; seq < 5; seq++) await say(ground.ingest, seq)
  const { ingest } = await ground.anotherProcess()
  const { rows } = await engine.db.pool.query<{ process: string }>(
    'select process from engine.door_process order by started_at, process',
  )
  const [dead, self] = rows.map((row) => row.process) as [string, string]
  expect(await adoptOrphans(engine, ingest.slots, self)).toBe(0) // it breathes
  await engine.db.pool.query('update engine.door_process set heard_until = 0 where process = $1', [dead])
  expect(await adoptOrphans(engine, ingest.slots, self)).toBe(1)
  const state = await engine.db.pool.query(
    'select ended, checkpoint::int as checkpoint from engine.door_process where process = $1',
    [dead],
  )
  expect(state.rows).toMatchObject([{ ended: true }])
  for (let seq = 0; seq < 5; seq++) expect((await say(ingest, seq)).outcome).toBe('duplicate')
  // It was only paused: what it says for the device now is refused.
  await expect(say(ground.ingest, 5)).rejects.toMatchObject({ code: 'taken-over' })
  expect(readingsOf(await logEntries(engine))).toHaveLength(5)
  await ground.stop()
})

test('claims > after an orderly end the next process knows every message without the log', async () => {
  const ground = await ingestGround()
  const { engine, device } = ground
  for (let seq = 0; seq < 5; seq++) await ground.ingest.accept(aFrame(device, { seq, values: { spo2: 90 + seq } }))
  await ground.ingest.close()
  await engine.db.pool.query('delete from engine.reading_log')
  const { ingest } = await ground.anotherProcess()
  for (let seq = 0; seq < 5; seq++)
    expect((await ingest.accept(aFrame(device, { seq, values: { spo2: 90 + seq } }))).outcome).toBe('duplicate')
  await ground.stop()
})

test('claims > a device that was served here, then by the process that died, is taken back', async () => {
  const ground = await ingestGround()
  const { engine, device } = ground
  const say = (ingest: typeof ground.ingest, seq: number) =>
    ingest.accept(aFrame(device, { seq, values: { spo2: 90 + seq } }))
  await say(ground.ingest, 0)
  const second = await ground.anotherProcess()
  await say(second.ingest, 1)
  const { process } = second.ingest
  await engine.db.pool.query('update engine.door_process set heard_until = 0 where process = $1', [process])
  expect(await adoptOrphans(engine, ground.ingest.slots, ground.ingest.process)).toBe(1)
  for (const seq of [0, 1]) expect((await say(ground.ingest, seq)).outcome).toBe('duplicate')
  await ground.stop()
})
