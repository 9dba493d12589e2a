import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ManualClock, makeManualClock } from '../clock/manual-clock.ts'
import { type TestGround, testGround } from '../testing/index.ts'
import { writeBackupState } from './backup-state.ts'
import { lastingTrouble, tellLastingTrouble } from './lasting-trouble.ts'

const MINUTE = 60_000
let ground: TestGround
let clock: ManualClock
beforeAll(async () => {
  ground = await testGround()
  clock = makeManualClock(Date.UTC(2026, 10, 22))
})
afterAll(() => ground.stop())

test.each([
  ['all is well', { errorSince: null, walAt: 99 * MINUTE, ledgerAt: null }, null],
  ['nothing was ever shipped, for now', { errorSince: null, walAt: null, ledgerAt: null }, null],
  ['a short trouble', { errorSince: 90 * MINUTE, walAt: 99 * MINUTE, ledgerAt: null }, null],
  ['a long one', { errorSince: 80 * MINUTE, walAt: 99 * MINUTE, ledgerAt: null }, 80 * MINUTE],
  ['silence without an error', { errorSince: null, walAt: 70 * MINUTE, ledgerAt: null }, 70 * MINUTE],
])('backups > trouble that lasts > %s', (_, state, since) => {
  expect(lastingTrouble(state, 100 * MINUTE)).toBe(since)
})

test('backups > trouble that lasts is told after 15 minutes and then each hour, and measured', async () => {
  const { pool, watch } = ground
  const said: unknown[] = []
  const log = { error: (fields: unknown) => void said.push(fields) }
  const stop = tellLastingTrouble({ clock, db: { pool }, watch: { metrics: watch.metrics, log } })
  const minutes = async (count: number) => {
    for (let n = 0; n < count; n++) {
      const asked = vi.spyOn(pool, 'query')
      await clock.advance(MINUTE)
      await Promise.all(asked.mock.results.map(({ value }) => value))
      asked.mockRestore()
    }
  }
  await writeBackupState(pool, { errorCode: 'object-store-unreachable', errorSince: clock.now(), walAt: clock.now() })
  const since = clock.now()
  await minutes(14)
  expect(said).toEqual([])
  await minutes(2)
  expect(said).toEqual([{ errorCode: 'object-store-unreachable', since: new Date(since).toISOString() }])
  await minutes(58)
  expect(said).toHaveLength(1)
  await minutes(3)
  expect(said).toHaveLength(2)
  expect(await watch.metrics.metrics()).toContain(`careloop_backup_trouble_since_timestamp_seconds ${since / 1000}`)
  stop()
})
