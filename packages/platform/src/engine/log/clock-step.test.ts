import { expect, test } from 'vitest'
import { makeManualClock } from '../clock/manual-clock.ts'
import { testEngine } from '../testing/test-engine.ts'
import { TailCache } from './tail-cache.ts'

test('log > storedAt is held over a small step of the clock back, and follows a large one', async () => {
  const clock = makeManualClock()
  const ground = await testEngine({ clock })
  const { log } = ground.engine
  const stored = async () => (await log.append([{ kind: 'tick', at: 0 }])).storedAt
  const first = await stored()
  clock.step(clock.now() - 30_000)
  expect(await stored()).toBe(first)
  clock.step(first - 3_630_000)
  expect(await stored()).toBe(first - 3_630_000)
  await ground.stop()
})

test('log > what readers find decoded is bounded by the bytes of its frames', () => {
  const cache = new TailCache(1000, 1000)
  const entry = { kind: 'quarantined', frame: { format: 'json', bytes: Buffer.alloc(400) } } as never
  for (let position = 1; position <= 5; position++)
    cache.push({ partition: 0, position, storedAt: 0, entries: [entry] })
  expect(cache.read(0, 10)).toEqual([])
  expect(cache.read(3, 10).map((commit) => commit.position)).toEqual([4, 5])
})
