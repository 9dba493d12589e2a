import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestGround, testGround } from '../testing/index.ts'
import { destroyedMark } from './erasure-ledger.ts'

let ground: TestGround
beforeAll(async () => {
  ground = await testGround()
})
afterAll(() => ground.stop())

test('erasure ledger > a transaction that began first and commits last is not overlooked', async () => {
  const { pool, keys } = ground
  const early = await keys.keyFor('subject', ground.ids.uuid())
  const late = await keys.keyFor('subject', ground.ids.uuid())
  const destroy = `update engine.data_key set wrapped = null, destroyed_at = now(), destroyed_xid = pg_current_xact_id() where id = $1`
  const first = await pool.connect()
  try {
    const before = await destroyedMark(pool)
    await first.query('begin')
    await first.query(destroy, [early.id])
    await pool.query(destroy, [late.id])
    const between = await destroyedMark(pool)
    expect(between).not.toBe(before)
    await first.query('commit')
    expect(await destroyedMark(pool)).not.toBe(between)
  } finally {
    first.release()
  }
})
