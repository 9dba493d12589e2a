/** The first start is killed again and again while it makes the database and brings it to this version's schema. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { startServer, type TestServer } from '../../bench/support/server.ts'
import { clusterOf, signal } from './support/processes.ts'
import { isSoak, randomFrom, roundsOr, seed } from './support/soak.ts'
import { PATIENCE_MS, sleep } from './support/wait.ts'

const random = randomFrom(seed)
const kills = isSoak ? roundsOr(5) : 3
let server: TestServer | undefined
afterAll(() => server?.remove())

test(`a start that was killed at any moment goes on where it was (${kills} kills, seed ${seed})`, {
  timeout: PATIENCE_MS,
}, async () => {
  server = await startServer()
  await server.stop('SIGKILL')
  await killDatabase(server)
  rmSync(join(server.dir, 'data'), { recursive: true })
  const began = performance.now()
  await server.start()
  const aStartMs = performance.now() - began
  for (let round = 0; round < kills; round++) {
    await server.stop('SIGKILL')
    await killDatabase(server)
    // Every other time from nothing; else what the kill before left is gone on with.
    if (round % 2 === 0) rmSync(join(server.dir, 'data'), { recursive: true })
    const started = server.start().catch(() => {})
    await sleep(random() * aStartMs)
    await server.stop('SIGKILL')
    if (random() < 0.5) await killDatabase(server)
    await server.start()
    await started
    expect(await applied(server)).toEqual(migrations)
  }
})

const migrations = readdirSync(fileURLToPath(new URL('../../packages/platform/migrations', import.meta.url)))
  .filter((name) => name.endsWith('.sql'))
  .map((name) => Number(name.slice(0, 4)))
  .sort((a, b) => a - b)

async function applied(running: TestServer): Promise<number[]> {
  const client = new pg.Client({ connectionString: running.databaseUrl() })
  await client.connect()
  const { rows } = await client.query<{ number: number }>('select number from engine.migration order by number')
  await client.end()
  return rows.map(({ number }) => number)
}

async function killDatabase(killed: TestServer): Promise<void> {
  if (!existsSync(join(killed.dir, 'data/postgres/cluster/postmaster.pid'))) return
  const postmaster = killed.postmaster()
  if (!Number.isInteger(postmaster) || postmaster <= 1) return
  const cluster = clusterOf(postmaster)
  for (const pid of cluster) signal(pid, 'SIGKILL')
  while (cluster.some(isAlive)) await sleep(5)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
