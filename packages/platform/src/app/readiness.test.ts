import { afterEach, expect, test, vi } from 'vitest'
import type { Engine } from '../engine/index.ts'
import { testEngine } from '../engine/testing/index.ts'
import { readinessOf, standstillMs, stillMoves } from './readiness.ts'

afterEach(() => void vi.useRealTimers())

/** Checks once per span; what the stage says of itself each time. */
async function checks(found: readonly { at: string; isBehind: boolean }[]): Promise<(string | null)[]> {
  vi.useFakeTimers({ toFake: ['performance'] })
  let next = 0
  const check = stillMoves({} as Engine, async () => found[next++]!, 'It stands.')
  const said: (string | null)[] = []
  for (const _ of found) {
    said.push(await check())
    vi.advanceTimersByTime(standstillMs / 2)
  }
  return said
}

test('readiness > a stage that stands still for a minute while more waits is named', async () => {
  const said = await checks([1, 1, 1, 2].map((at) => ({ at: String(at), isBehind: true })))
  expect(said.map((words) => words !== null)).toEqual([false, false, true, false])
  expect(said[2]).toMatch(/^It stands\. It has not moved for 60 s/)
})

test('readiness > a stage that rests because nothing waits is not', async () => {
  const said = await checks([false, false, false, true, true].map((isBehind) => ({ at: '1', isBehind })))
  expect(said).toEqual([null, null, null, null, null])
})

test('readiness > the record, its views and what subscribers are told of are named when they stand still', async () => {
  const ground = await testEngine()
  try {
    const tenant = await ground.tenant()
    await ground.engine.log.append([{ kind: 'tick', at: ground.engine.clock.now() }])
    await ground.engine.db.asTenant(tenant, (tx) => tx.publish({ type: 'SubjectChanged', subject: tenant }))
    vi.useFakeTimers({ toFake: ['performance'] })
    const checks = readinessOf({ engine: ground.engine } as never).filter(({ name }) =>
      ['record-readings', 'record-views', 'subscriptions'].includes(name),
    )
    // No worker runs: each is behind from the first look on.
    expect(await Promise.all(checks.map(({ check }) => check()))).toEqual([null, null, null])
    vi.advanceTimersByTime(standstillMs)
    const said = await Promise.all(checks.map(({ check }) => check()))
    expect(said.map((words) => words?.split('.')[0])).toEqual([
      'Readings do not become Observations: FHIR shows old ones',
      'FHIR shows patients, alerts and tasks as they were',
      'Events of FHIR subscriptions are not told',
    ])
  } finally {
    vi.useRealTimers()
    await ground.stop()
  }
})
