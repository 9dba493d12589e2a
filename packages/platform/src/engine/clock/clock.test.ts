import { expect, it } from 'vitest'
import { clockContract } from './clock.contract.ts'
import { makeManualClock } from './manual-clock.ts'
import { makeClock } from './system-clock.ts'

clockContract('the machine', () => {
  const clock = makeClock()
  return { clock, pass: (ms) => clock.sleep(ms) }
})

clockContract('moved by hand', () => {
  const clock = makeManualClock()
  return { clock, pass: (ms) => clock.advance(ms) }
})

it('manual clock > runs what a timer woke before the next timer fires', async () => {
  const clock = makeManualClock(1_000)
  const seen: string[] = []
  const stop = clock.every(1_000, () => seen.push(`tick ${clock.now()}`))
  const sleeper = clock.sleep(1_500).then(async () => {
    await Promise.resolve()
    seen.push(`woke ${clock.now()}`)
  })
  await clock.advance(3_000)
  await sleeper
  stop()
  expect(seen).toEqual(['tick 2000', 'woke 2500', 'tick 3000', 'tick 4000'])
})

it('manual clock > a stepped wall clock moves no timer and no span', async () => {
  const clock = makeManualClock(1_000)
  let fired = 0
  clock.after(100, () => {
    fired += 1
  })
  clock.step(5_000_000)
  expect(clock.now()).toBe(5_000_000)
  expect(clock.elapsedMs()).toBe(0)
  await clock.advance(99)
  expect(fired).toBe(0)
  await clock.advance(1)
  expect(fired).toBe(1)
})
