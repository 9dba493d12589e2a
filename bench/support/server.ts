/** A real server in a process of its own, on a fresh data directory, for benches and stories. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { openRooms, type Rooms } from '../../packages/platform/src/app/rooms.ts'
import { makeWatch, openEngine, openMasterKey } from '../../packages/platform/src/engine/index.ts'
import { cpuSeconds, processTree } from './report.ts'

const MAIN = fileURLToPath(new URL('../../packages/platform/src/app/main.ts', import.meta.url))

export interface TestServer {
  readonly dir: string
  readonly http: number
  readonly mqtt: number
  readonly mqtts: number
  readonly env: NodeJS.ProcessEnv
  /** What the server has written so far. */
  output(): string
  process(): ChildProcess
  /** Starts it again on the same data. Resolves when its pages answer. */
  start(extra?: NodeJS.ProcessEnv): Promise<void>
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<void>
  /** Process number of the embedded PostgreSQL. */
  postmaster(): number
  databaseUrl(): string
  /** The rooms on the same database, in this process, to set things up and to look afterwards. */
  rooms(): Promise<{ rooms: Rooms; close(): Promise<void> }>
  /** CPU seconds so far of server and database. */
  cpu(): { server: number; database: number }
  /** Stops it and removes its data, unless they were to be kept. */
  remove(): Promise<void>
}

/** @param keep a folder whose data are used again and stay; absent = a fresh one, removed at the end */
export async function startServer(env: NodeJS.ProcessEnv = {}, keep?: string): Promise<TestServer> {
  const dir = keep ?? mkdtempSync(join(tmpdir(), 'careloop-server-'))
  const [http, mqtt, mqtts] = [await freePort(), await freePort(), await freePort()]
  const all: NodeJS.ProcessEnv = {
    ...process.env,
    CARELOOP_DATA: join(dir, 'data'),
    CARELOOP_MASTER_KEY_FILE: join(dir, 'master.key'),
    CARELOOP_HTTP_PORT: String(http),
    CARELOOP_MQTT_PORT: String(mqtt),
    CARELOOP_MQTTS_PORT: String(mqtts),
    CARELOOP_MQTTS_HOST: '127.0.0.1',
    CARELOOP_LOG: 'warn',
    ...env,
  }
  let child: ChildProcess | undefined
  let text = ''
  const running = () => JSON.parse(readFileSync(join(dir, 'data', 'running.json'), 'utf8')) as { url: string }
  const server: TestServer = {
    ...{ dir, http, mqtt, mqtts, env: all },
    output: () => text,
    process: () => child!,
    async start(extra = {}) {
      const started = spawn(
        process.execPath,
        [...(process.env.CARELOOP_BENCH_NODE ?? '').split(' ').filter(Boolean), MAIN, 'start'],
        {
          env: { ...all, ...extra },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      )
      child = started
      for (const stream of [started.stdout, started.stderr])
        stream.on('data', (chunk: Buffer) => {
          text += chunk
        })
      await answers(`http://127.0.0.1:${http}/readyz`, started, () => text)
    },
    async stop(signal = 'SIGTERM') {
      const ending = child
      if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
      const ended = new Promise((resolve) => ending.once('exit', resolve))
      ending.kill(signal)
      await ended
    },
    postmaster: () => Number(readFileSync(join(dir, 'data/postgres/cluster/postmaster.pid'), 'utf8').split('\n')[0]),
    databaseUrl: () => all.DATABASE_URL ?? running().url,
    async rooms() {
      const watch = makeWatch({ level: 'warn' })
      const master = await openMasterKey({ path: join(dir, 'master.key'), dataDir: join(dir, 'data') })
      const opened = openEngine({
        url: server.databaseUrl(),
        masters: master.keys,
        dataDir: join(dir, 'data'),
        watch,
        maxConnections: 8,
      })
      return { rooms: await openRooms(opened.engine, { secureCookies: false }), close: opened.close }
    },
    cpu: () => ({
      server: cpuSeconds(child!.pid!),
      database: processTree(server.postmaster()).reduce((sum, pid) => sum + cpuSeconds(pid), 0),
    }),
    async remove() {
      await server.stop()
      if (keep === undefined) rmSync(dir, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

async function answers(url: string, child: ChildProcess, output: () => string): Promise<void> {
  for (let i = 0; i < 2400; i++) {
    if (child.exitCode !== null) throw new Error(`the server ended at once:\n${output()}`)
    const up = await fetch(url).then(
      (response) => response.ok,
      () => false,
    )
    if (up) return
    await new Promise((go) => setTimeout(go, 50))
  }
  throw new Error(`the server did not answer within two minutes:\n${output()}`)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}

/** Benches are worth nothing on a database that forgets: says and asserts what it runs with. */
export async function assertDurableSettings(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes') order by name`,
  )
  await client.end()
  for (const { name, setting } of rows)
    if (setting !== 'on') throw new Error(`${name} is ${setting}: this bench is void`)
  return rows.map(({ name, setting }) => `${name}=${setting}`).join(' ')
}
