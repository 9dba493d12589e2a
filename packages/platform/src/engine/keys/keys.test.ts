import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { makeManualClock } from '../clock/manual-clock.ts'
import { testGround } from '../testing/test-ground.ts'
import { keysContract } from './keys.contract.ts'
import { DESTROYED_ELSEWHERE_MS, makeKeys } from './keys.ts'
import { type MasterKeys, masterKeysInMemory } from './master-key.ts'

keysContract('PostgreSQL, master key in memory', async () => {
  const ground = await testGround()
  const stopwatch = makeManualClock()
  const masters = masterKeysInMemory(randomBytes(32))
  const process = (pool = ground.anotherPool(), held = masters) =>
    makeKeys({ pool, masters: held, ids: ground.ids, stopwatch })
  return {
    db: ground.db,
    keys: process(),
    other: process(),
    only: (master) => process(ground.pool, masterKeysInMemory(master)),
    pass: () => stopwatch.advance(DESTROYED_ELSEWHERE_MS),
    tenant: ground.tenant,
    stop: ground.stop,
  }
})

it('keys > go on from memory while the database is away, and refuse what they do not know', async () => {
  const ground = await testGround()
  const stopwatch = makeManualClock()
  const pool = ground.anotherPool()
  const keys = makeKeys({ pool, masters: masterKeysInMemory(randomBytes(32)), ids: ground.ids, stopwatch })
  const { id } = await keys.keyFor('log-day', '2026-01-05')
  await pool.end()
  await stopwatch.advance(DESTROYED_ELSEWHERE_MS)
  expect((await keys.keyFor('log-day', '2026-01-05')).id).toBe(id)
  await expect(keys.keyFor('log-day', '2026-01-06')).rejects.toThrow()
  await ground.stop()
})

it('keys > a rotation that dies in the middle is ended by another process, while keys are made and used', async () => {
  const ground = await testGround()
  const masters = masterKeysInMemory(randomBytes(32))
  let batches = 0
  const dying: MasterKeys = {
    ...masters,
    async rewrap(keys) {
      if (++batches === 2) throw new Error('killed')
      return masters.rewrap(keys)
    },
  }
  const made = (held: MasterKeys) => makeKeys({ pool: ground.anotherPool(), masters: held, ids: ground.ids })
  const [rotating, serving] = [made(dying), made(masters)]
  const owners = Array.from({ length: 450 }, (_, n) => `owner ${n}`)
  const sealed = new Map<string, Buffer>()
  for (const owner of owners) sealed.set(owner, (await serving.keyFor('blob', owner)).seal(Buffer.from(owner), 'a'))
  const load = Promise.all(Array.from({ length: 50 }, (_, n) => serving.keyFor('blob', `meanwhile ${n}`)))
  await expect(rotating.rotateMaster()).rejects.toThrow('killed')
  await load
  const { behind } = await serving.master()
  expect(behind).toBeGreaterThan(0)
  expect(behind).toBeLessThan(owners.length + 50)

  expect(await serving.finishRotation()).toEqual({ rewrapped: behind })
  expect(await serving.master()).toMatchObject({ behind: 0 })
  const fresh = made(masters)
  for (const owner of owners)
    expect((await fresh.keyFor('blob', owner)).open(sealed.get(owner)!, 'a').toString()).toBe(owner)
  await ground.stop()
})

it('keys > hold no more in memory than they may, and read again what was dropped', async () => {
  const ground = await testGround()
  const masters = masterKeysInMemory(randomBytes(32))
  const keys = makeKeys({ pool: ground.pool, masters, ids: ground.ids, cacheKeys: 2 })
  const first = await keys.keyFor('blob', 'a')
  const sealed = first.seal(Buffer.from('x'), 'a')
  await keys.keyFor('blob', 'b')
  await keys.keyFor('blob', 'c')
  const again = await keys.keyFor('blob', 'a')
  expect(again).not.toBe(first)
  expect(again.open(sealed, 'a').toString()).toBe('x')
  expect(first.open(sealed, 'a').toString()).toBe('x')
  await ground.stop()
})
