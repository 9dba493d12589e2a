/** What every port of timers holds. Run on each engine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db, FiredTimer, Timers } from '../ports.ts'

/** One process as the suite needs it. */
export interface TimersProcess {
  readonly db: Db
  readonly timers: Timers
  close(): Promise<void>
}

export interface TimersGround {
  process(): TimersProcess
  now(): number
  pass(ms: number): Promise<void>
  tenant(): Promise<string>
  stop(): Promise<void>
}

const minute = 60_000

export function timersContract(name: string, make: () => Promise<TimersGround>): void {
  describe(`timers: ${name}`, () => {
    let ground: TimersGround
    let here: TimersProcess
    let there: TimersProcess
    let lane = 0
    beforeAll(async () => {
      ground = await make()
      here = ground.process()
      there = ground.process()
    })
    afterAll(() => ground.stop())

    const fresh = () => `lane-${++lane}`
    const set = (lane: string, key: string, inMs: number, ids: FiredTimer['ids'] = {}) =>
      here.db.asEngine((tx) => here.timers.set(tx, lane, { key, at: ground.now() + inMs, ids }))
    const listen = (lane: string, { timers }: TimersProcess = here) => {
      const heard: FiredTimer[] = []
      const stop = timers.work(lane, async (fired) => void heard.push(fired))
      return { heard, stop }
    }

    it('fires once, when its time has come and not before, with what it was given', async () => {
      const lane = fresh()
      const { heard, stop } = listen(lane)
      await set(lane, 'a', minute, { task: 't1', step: 2 })
      const dueAt = ground.now() + minute
      await ground.pass(minute - 1)
      await here.timers.runDue()
      expect(heard).toEqual([])
      await ground.pass(1)
      await here.timers.runDue()
      expect(heard).toEqual([{ key: 'a', ids: { task: 't1', step: 2 }, dueAt }])
      await ground.pass(60 * minute)
      await here.timers.runDue()
      expect(heard).toHaveLength(1)
      await stop()
    })

    it('moves a timer that waits instead of making a second one', async () => {
      const lane = fresh()
      const { heard, stop } = listen(lane)
      await set(lane, 'a', minute, { n: 1 })
      await set(lane, 'a', 3 * minute, { n: 2 })
      await ground.pass(2 * minute)
      await here.timers.runDue()
      expect(heard).toEqual([])
      await ground.pass(minute)
      await here.timers.runDue()
      expect(heard.map(({ ids }) => ids)).toEqual([{ n: 2 }])
      await stop()
    })

    it('is set if and only if the transaction commits, also one of a tenant', async () => {
      const lane = fresh()
      const { heard, stop } = listen(lane)
      const tenant = await ground.tenant()
      const within = (key: string, fails: boolean) =>
        here.db.asTenant(tenant, async (tx) => {
          await here.timers.set(tx, lane, { key, at: ground.now(), ids: {} })
          if (fails) throw new Error('no')
        })
      await within('lost', true).catch(() => {})
      await within('kept', false)
      await here.timers.runDue()
      expect(heard.map(({ key }) => key)).toEqual(['kept'])
      await stop()
    })

    it('does not fire what was cancelled, unless the transaction that cancelled it failed', async () => {
      const lane = fresh()
      const { heard, stop } = listen(lane)
      const cancel = (key: string, fails: boolean) =>
        here.db.asEngine(async (tx) => {
          await here.timers.cancel(tx, lane, key)
          if (fails) throw new Error('no')
        })
      await Promise.all(['a', 'b'].map((key) => set(lane, key, minute)))
      await cancel('a', false)
      await cancel('b', true).catch(() => {})
      await cancel('never set', false)
      await ground.pass(minute)
      await here.timers.runDue()
      expect(heard.map(({ key }) => key)).toEqual(['b'])
      await stop()
    })

    it('of two processes one fires it', async () => {
      const lane = fresh()
      const [one, other] = [listen(lane, here), listen(lane, there)]
      for (let n = 0; n < 12; n++) await set(lane, `k${n}`, 0)
      await Promise.all([here.timers.runDue(), there.timers.runDue()])
      await Promise.all([one.stop(), other.stop()])
      const keys = [...one.heard, ...other.heard].map(({ key }) => key)
      expect(keys.sort()).toEqual(Array.from({ length: 12 }, (_, n) => `k${n}`).sort())
    })

    it('takes back what a failed handler did, tries again later, and lets others pass meanwhile', async () => {
      const lane = fresh()
      const cursor = `of ${lane}`
      const heard: string[] = []
      let fails = true
      const stop = here.timers.work(lane, async ({ key }, tx) => {
        heard.push(key)
        if (key !== 'bad') return
        await here.db.moveCursor(tx, cursor, '0', '1')
        if (fails) throw new Error('no')
      })
      await set(lane, 'bad', 0)
      await here.timers.runDue()
      await set(lane, 'good', 0)
      await here.timers.runDue()
      expect(heard).toEqual(['bad', 'good'])
      expect(await here.db.cursor(cursor)).toBe('0')
      fails = false
      await ground.pass(1_000)
      await here.timers.runDue()
      expect(heard).toEqual(['bad', 'good', 'bad'])
      expect(await here.db.cursor(cursor)).toBe('1')
      await stop()
    })

    it('fires a timer that a handler sets in its own name and key', async () => {
      const lane = fresh()
      const heard: number[] = []
      const stop = here.timers.work(lane, async ({ key, ids }, tx) => {
        const n = Number(ids.n)
        heard.push(n)
        if (n < 3) await here.timers.set(tx, lane, { key, at: ground.now() + minute, ids: { n: n + 1 } })
      })
      await set(lane, 'chain', 0, { n: 1 })
      for (let n = 0; n < 4; n++) {
        await here.timers.runDue()
        await ground.pass(minute)
      }
      expect(heard).toEqual([1, 2, 3])
      await stop()
    })

    it('fires late, once, what came due while no process was there, and says since when it was due', async () => {
      const lane = fresh()
      await set(lane, 'a', minute)
      const dueAt = ground.now() + minute
      await ground.pass(120 * minute)
      expect(await here.timers.overdue(minute)).toBe(1)
      const next = ground.process()
      const { heard, stop } = listen(lane, next)
      await next.timers.runDue()
      expect(heard).toEqual([{ key: 'a', ids: {}, dueAt }])
      expect(await here.timers.overdue(minute)).toBe(0)
      await stop()
      await next.close()
    })
  })
}
