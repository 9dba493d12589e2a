import { expect, test } from 'vitest'
import { settledFacts } from '../testing/index.ts'
import { testEngine } from '../testing/test-engine.ts'
import { letGoOfCommits, letGoOfFacts } from './retention.ts'

test('retention > keeps what a reader has not taken in, moves the floor, and lets go of the rest', async () => {
  const ground = await testEngine()
  const { engine } = ground
  const pool = engine.db.pool
  await pool.query(
    `insert into engine.door_process (process, started_at, heard_until, checkpoint) values (gen_random_uuid(), 0, 0, 1e15::bigint)`,
  )
  for (let i = 0; i < 30; i++) await engine.log.append([{ kind: 'tick', at: i }])
  // As if 20,000 commits had followed.
  await pool.query('update engine.log_head set position = position + 20000 where partition = 0')
  const soon = engine.clock.now() + 1000
  await pool.query(`insert into engine.cursor values ('slow:0', '10'), ('fast:0', '29'), ('facts', '7:1')`)
  expect(await letGoOfCommits(engine, soon - 3_600_000)).toBe(0)
  expect(await letGoOfCommits(engine, soon)).toBe(10)
  expect(await engine.log.floor(0)).toBe(10)
  expect((await ground.another().engine.log.read(0, 10, 1))[0]?.position).toBe(11)
  await pool.query(`update engine.cursor set position = '30' where name = 'slow:0'`)
  expect(await letGoOfCommits(engine, soon)).toBe(19)
  await ground.stop()
})

test('retention > facts stay until they are old and every reader has heard them', async () => {
  const ground = await testEngine()
  const { engine } = ground
  const tenant = await ground.tenant()
  for (let i = 0; i < 3; i++)
    await engine.db.asTenant(tenant, (tx) => tx.publish({ type: 'SiteChanged', site: tenant }))
  const facts = await settledFacts(engine)
  const soon = engine.clock.now() + 1000
  expect(await letGoOfFacts(engine, soon)).toBe(0) // no reader is known yet
  await engine.db.pool.query(`insert into engine.cursor values ('workflow', $1)`, [facts[1]!.position])
  expect(await letGoOfFacts(engine, soon - 3_600_000)).toBe(0)
  expect(await letGoOfFacts(engine, soon)).toBe(2)
  expect(await engine.db.readFacts('0', 10)).toEqual([facts[2]])
  await ground.stop()
})
