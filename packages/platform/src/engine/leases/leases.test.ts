import type pg from 'pg'
import { expect, it } from 'vitest'
import { makeManualClock } from '../clock/manual-clock.ts'
import { testGround } from '../testing/test-ground.ts'
import { leasesContract } from './leases.contract.ts'
import { makeLeases } from './leases.ts'

leasesContract('PostgreSQL', async () => {
  const ground = await testGround()
  return {
    db: ground.db,
    process() {
      const stopwatch = makeManualClock()
      const network = tappedPool(ground.anotherPool())
      const leases = makeLeases({ pool: network.pool, ids: ground.ids, watch: ground.watch, stopwatch })
      return {
        leases,
        async pass(ms) {
          await stopwatch.advance(ms)
          await network.quiet()
        },
        setAway: network.setAway,
      }
    },
    async expire(name) {
      await ground.pool.query(`update engine.lease set expires_at = now() - interval '1 s' where name = $1`, [name])
    },
    async left(name) {
      const { rows } = await ground.pool.query<{ left: number }>(
        'select extract(epoch from expires_at - clock_timestamp())::float8 * 1000 as left from engine.lease where name = $1',
        [name],
      )
      return rows[0]!.left
    },
    stop: ground.stop,
  }
})

/** The real pool with a cable that can be pulled, and a way to wait until nothing is under way. */
function tappedPool(pool: pg.Pool) {
  const running = new Set<Promise<unknown>>()
  let away = false
  const query = (text: string, values: unknown[]) => {
    const answer = away ? Promise.reject(new Error('the database is away')) : pool.query(text, values)
    const settled = answer.then(
      () => undefined,
      () => undefined,
    )
    running.add(settled)
    void settled.finally(() => running.delete(settled))
    return answer
  }
  return {
    pool: Object.assign(Object.create(pool) as pg.Pool, { query }),
    setAway(value: boolean) {
      away = value
    },
    async quiet() {
      while (running.size > 0) await Promise.all(running)
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

it('leases > keeps a lease by the real clock, and another process gets it after the holder is gone', async () => {
  const ground = await testGround()
  const parts = () => ({ pool: ground.anotherPool(), ids: ground.ids, watch: ground.watch })
  const holder = parts()
  const lease = await makeLeases(holder).acquire('real', 600)
  const rival = makeLeases(parts())
  expect(await rival.acquire('real', 600)).toBeNull()
  // The holder loses its connections for good: its heartbeats fail, its signal must abort, the rival must get the lease.
  await holder.pool.end()
  await new Promise((resolve) => lease!.signal.addEventListener('abort', resolve, { once: true }))
  let next = await rival.acquire('real', 60_000)
  while (!next) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    next = await rival.acquire('real', 60_000)
  }
  expect(next.token).toBe(2)
  await next.release()
  await ground.stop()
})
