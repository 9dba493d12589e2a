/** One person of whom no Observation can be made holds up nobody else's. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ManualClock, makeManualClock } from '../../engine/clock/manual-clock.ts'
import { aReading } from '../../telemetry/fixtures.ts'
import { testClinical } from '../fixtures.ts'
import { type ReadingsWorld, readingsWorld, tellAll } from './fixtures.ts'

let clock: ManualClock
let world: ReadingsWorld

beforeAll(async () => {
  clock = makeManualClock(Date.UTC(2026, 2, 1, 8))
  world = await readingsWorld(clock)
})
afterAll(() => world?.stop())

test('Observations > a person whose key is damaged is set aside, counted and told; everybody else is told of as before', async () => {
  const [damaged, other] = [await world.person(), await world.person()]
  for (const who of [damaged, other]) {
    await world.send(who, [aReading('body-weight', clock.now(), 81.5)])
    for (let at = 0; at < 20; at++) await world.send(who, [aReading('heart-rate', clock.now() + at * 1_000, 70 + at)])
  }
  await world.engine.db.pool.query(
    `update engine.data_key set wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 255) where purpose = 'subject' and owner = '${damaged.subject}'`,
  )
  // Another process, which does not have the key in memory.
  const { engine } = world.ground.another()
  const { clinical } = testClinical(engine)
  await tellAll(engine, clinical)
  expect((await world.record(other.subject)).length).toBeGreaterThan(1)
  expect(await engine.watch.metrics.getSingleMetricAsString('careloop_clinical_observations_set_aside_total')).toMatch(
    /_total [1-9]/,
  )
  // The window of a stream is due: it is closed for the other, too.
  await clock.advance(600_000)
  await engine.log.append([{ kind: 'tick', at: clock.now() }])
  await world.store()
  await tellAll(engine, clinical)
  const summaries = (await world.record(other.subject)).filter(({ effectivePeriod }) => effectivePeriod !== undefined)
  expect(summaries).toHaveLength(1)
  expect(await world.engine.db.cursor('clinical-observations:0')).toBe(String(await engine.log.head(0)))
})
