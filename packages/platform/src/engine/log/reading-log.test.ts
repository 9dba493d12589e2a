import { expect, test } from 'vitest'
import { testEngine } from '../testing/test-engine.ts'
import { decodeCommit, encodeCommit } from './codec.ts'
import { readingLogContract } from './reading-log.contract.ts'

readingLogContract('embedded PostgreSQL', async () => {
  const ground = await testEngine()
  return { engine: ground.engine, another: () => ground.another().engine, stop: ground.stop }
})

test('log codec > refuses a format it does not know', () => {
  const bytes = encodeCommit([{ kind: 'tick', at: 1 }])
  bytes[0] = 9
  expect(() => decodeCommit(bytes)).toThrow(/format 9/)
})

test('log > an append whose connection is cut in the middle is stored exactly once', async () => {
  const ground = await testEngine()
  const { engine } = ground
  const other = ground.another().engine
  for (let round = 0; round < 20; round++) {
    const before = await other.log.head(0)
    const done = engine.log.append([{ kind: 'tick', at: round }])
    await new Promise((go) => setTimeout(go, round % 4))
    await other.db.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'careloop-log'`,
    )
    const { position } = await done
    const stored = await other.log.read(0, before, 100)
    expect(stored.map((commit) => [commit.position, commit.entries])).toEqual([
      [position, [{ kind: 'tick', at: round }]],
    ])
  }
  await ground.stop()
})
