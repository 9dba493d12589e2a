import { expect, test } from 'vitest'
import { testEngine } from './testing/index.ts'

test('engine > a connection that breaks between two statements fails its transaction, not the process', async () => {
  const test = await testEngine()
  const { db } = test.engine
  const broken = db.asEngine(async (tx) => {
    const { rows } = await tx.client.query<{ pid: number }>('select pg_backend_pid() as pid')
    const gone = new Promise((resolve) => tx.client.once('end', resolve))
    await db.pool.query('select pg_terminate_backend($1)', [rows[0]!.pid])
    await gone
    await tx.client.query('select 1')
  })
  await expect(broken).rejects.toThrow(/connection|queryable|terminat/i)
  expect(await db.tenants()).toEqual([])
  await test.stop()
})

test('engine > a transaction of ours that stays open and does nothing is ended by the database after ten minutes', async () => {
  const ground = await testEngine()
  try {
    const { rows } = await ground.engine.db.pool.query('show idle_in_transaction_session_timeout')
    expect(rows).toEqual([{ idle_in_transaction_session_timeout: '10min' }])
  } finally {
    await ground.stop()
  }
})
