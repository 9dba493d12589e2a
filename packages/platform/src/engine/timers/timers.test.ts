import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { getConstructionPlans, PgBoss } from 'pg-boss'
import { expect, it } from 'vitest'
import { makeManualClock } from '../clock/manual-clock.ts'
import { testEngine, testGround } from '../testing/index.ts'
import { timersContract } from './timers.contract.ts'
import { makeTimers } from './timers.ts'

timersContract('pg-boss on PostgreSQL', async () => {
  const clock = makeManualClock()
  const ground = await testGround({ clock })
  const made: { close(): Promise<void> }[] = []
  return {
    process() {
      const { db, watch } = ground
      const timers = makeTimers({ db, watch, clock, pool: ground.anotherPool(), isScripted: true })
      made.push(timers)
      return { db, timers, close: timers.close }
    },
    now: clock.now,
    pass: clock.advance,
    tenant: ground.tenant,
    async stop() {
      await Promise.all(made.map((each) => each.close()))
      await ground.stop()
    },
  }
})

it('timers > fire by themselves on the real clock, at once when set for now', async () => {
  const test = await testEngine()
  const { db, timers, clock } = test.engine
  const fired = Promise.withResolvers<string>()
  const stop = timers.work('real', async ({ key }) => fired.resolve(key))
  await timers.runDue()
  await db.asEngine((tx) => timers.set(tx, 'real', { key: 'a', at: clock.now(), ids: {} }))
  expect(await fired.promise).toBe('a')
  await stop()
  await test.stop()
})

it('timers > a connection cut in the middle of a handler takes its work back; the timer fires again', async () => {
  const clock = makeManualClock()
  const test = await testEngine({ clock })
  const { db, timers } = test.engine
  let tries = 0
  const stop = timers.work('cut', async (_, tx) => {
    await db.moveCursor(tx, 'cut', '0', '1')
    tries += 1
    if (tries > 1) return
    const killer = new pg.Client({ connectionString: test.url })
    await killer.connect()
    const { rows } = await tx.client.query<{ pid: number }>('select pg_backend_pid() as pid')
    await killer.query('select pg_terminate_backend($1)', [rows[0]!.pid])
    await killer.end()
    await tx.client.query('select 1')
  })
  await db.asEngine((tx) => timers.set(tx, 'cut', { key: 'a', at: clock.now(), ids: {} }))
  await timers.runDue()
  expect([tries, await db.cursor('cut')]).toEqual([1, '0'])
  await clock.advance(1_000)
  await timers.runDue()
  expect([tries, await db.cursor('cut')]).toEqual([2, '1'])
  await stop()
  await test.stop()
})

it('timers > the migration makes what this version of pg-boss expects, no more and no less', async () => {
  const migration = readFileSync(fileURLToPath(new URL('../../../migrations/0020-timers.sql', import.meta.url)), 'utf8')
  // Partitions by date of a table that is not used, and the transaction, which is the migration's.
  const plans = getConstructionPlans('pgboss')
    .replace(/DO \$\$\s+DECLARE\s+d date;[\s\S]*?END;\s+\$\$/, '')
    .replace(/^\s*(BEGIN|COMMIT);$|^\s*SET LOCAL .*$|^\s*SELECT pg_advisory_xact_lock.*$/gm, '')
    .replace('CREATE SCHEMA IF NOT EXISTS', 'CREATE SCHEMA')
  const statements = (sql: string) =>
    sql
      .replace(/^--.*$/gm, '')
      .split(/;\s*\n/)
      .map((each) => each.replace(/\s+/g, ' ').replace(/;/g, '').trim())
      .filter(Boolean)
  expect(statements(migration)).toEqual(statements(plans))

  const ground = await testGround()
  const boss = new PgBoss({ db: { executeSql: (text, values) => ground.pool.query(text, values) }, migrate: false })
  const drift = await boss.detectSchemaDrift()
  expect({ ...drift, extraIndexes: [] }).toMatchObject({ ok: true, missing: [], missingTables: [], columnDrift: [] })
  await ground.stop()
})

it('timers > careloop_app reaches none of them', async () => {
  const ground = await testGround()
  const tenant = await ground.tenant()
  await expect(ground.db.asTenant(tenant, (tx) => tx.client.query('select * from pgboss.job'))).rejects.toThrow(
    /permission denied for schema pgboss/,
  )
  await ground.stop()
})
