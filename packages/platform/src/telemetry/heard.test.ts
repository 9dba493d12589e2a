import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestEngine, testEngine } from '../engine/testing/index.ts'
import { aReading, catchUp, LAZY, logged, worn } from './fixtures.ts'
import { devicesHeard } from './heard.ts'
import { latest } from './latest.ts'

const T0 = Date.UTC(2026, 0, 5, 8)
let ground: TestEngine
let tenant: string

beforeAll(async () => {
  ground = await testEngine()
  tenant = await ground.tenant()
})
afterAll(() => ground?.stop())

it('says when each device last measured, and nothing of devices of another organisation', async () => {
  const [a, b, stranger] = [worn(tenant), worn(tenant), worn(await ground.tenant())]
  await ground.engine.log.append([
    logged(a, [aReading('heart-rate', T0, 70), aReading('spo2', T0 + 5_000, 97)]),
    logged(b, [aReading('temperature-probe', T0 + 9_000, 5)]),
    logged(stranger, [aReading('temperature-probe', T0 + 9_000, 5)]),
  ])
  await catchUp(ground.engine, LAZY)
  const heard = await devicesHeard(ground.engine.db, { tenant })
  expect(new Map(heard.map(({ device, measuredAt }) => [device, measuredAt - T0]))).toEqual(
    new Map([
      [a.device, 5_000],
      [b.device, 9_000],
    ]),
  )
  expect(await devicesHeard(ground.engine.db, { tenant, device: stranger.device })).toEqual([])
})

it('takes a value of a stream as current for 8 s, so that a page shows within 10 s that it stopped', async () => {
  const by = worn(tenant)
  await ground.engine.log.append([logged(by, [aReading('heart-rate', T0, 70)])])
  await catchUp(ground.engine, LAZY)
  const stateAt = async (passed: number) =>
    (await latest(ground.engine, { tenant, subject: by.subject, now: T0 + passed }))[0]
  expect(await stateAt(8_000)).toMatchObject({ state: 'fresh', freshForMs: 8_000, current: { value: 70 } })
  expect(await stateAt(8_001)).toMatchObject({ state: 'stale', current: null })
})
