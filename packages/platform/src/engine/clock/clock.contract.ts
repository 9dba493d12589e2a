import { describe, expect, it } from 'vitest'
import type { Clock } from '../ports.ts'

/** What the suite needs of an engine: its clock, and a way to let time pass on it (waiting, for a real one). */
export interface ClockGround {
  readonly clock: Clock
  pass(ms: number): Promise<void>
}

export function clockContract(name: string, make: () => ClockGround): void {
  describe(`clock: ${name}`, () => {
    it('tells milliseconds since 1970 and never runs backwards while nobody steps it', async () => {
      const { clock, pass } = make()
      const before = clock.now()
      await pass(5)
      expect(Number.isInteger(before)).toBe(true)
      expect(before).toBeGreaterThan(Date.UTC(2020, 0, 1))
      expect(clock.now()).toBeGreaterThanOrEqual(before)
    })

    it('wakes sleepers in the order of their times', async () => {
      const { clock, pass } = make()
      const woke: number[] = []
      const sleeps = [60, 5, 30].map((ms) => clock.sleep(ms).then(() => woke.push(ms)))
      await pass(60)
      await Promise.all(sleeps)
      expect(woke).toEqual([5, 30, 60])
    })

    it('ends a sleep at once when its signal aborts, without rejecting', async () => {
      const { clock } = make()
      const abort = new AbortController()
      const asleep = clock.sleep(3_600_000, abort.signal)
      abort.abort()
      await expect(asleep).resolves.toBeUndefined()
      await expect(clock.sleep(3_600_000, AbortSignal.abort())).resolves.toBeUndefined()
    })

    it('calls again and again until stopped', async () => {
      const { clock, pass } = make()
      let calls = 0
      let third = () => {}
      const reached = new Promise<void>((resolve) => {
        third = resolve
      })
      const stop = clock.every(5, () => {
        calls += 1
        if (calls === 3) {
          stop()
          third()
        }
      })
      await pass(15)
      await reached
      await pass(30)
      expect(calls).toBe(3)
    })
  })
}
