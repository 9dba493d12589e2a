/** Real servers in folders of their own: as root and as an ordinary user, killed, restored, damaged. About 0.8 s each. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EmbeddedPostgres, type PostgresOptions, startPostgres } from './index.ts'
import { runsIn } from './postmaster-pid.ts'

const isRoot = process.getuid?.() === 0
let home: string
let dataDir: string
const running = new Set<EmbeddedPostgres>()

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'careloop-pg-')) // 0700 and ours: as root it is what /root is
  dataDir = join(home, 'postgres')
})

afterEach(async () => {
  for (const server of running) await server.stop()
  running.clear()
  rmSync(home, { recursive: true, force: true })
})

async function start(options: Partial<PostgresOptions> = {}): Promise<EmbeddedPostgres & { events: string[] }> {
  const events: string[] = []
  const server = await startPostgres({
    dataDir,
    initdbArgs: ['--no-sync'],
    onEvent: (event) => events.push(event),
    ...options,
  })
  running.add(server)
  return { ...server, events }
}

async function stop(server: EmbeddedPostgres): Promise<void> {
  for (const known of running) if (known.url === server.url) running.delete(known)
  await server.stop()
}

async function query(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** Asks until the server answers again. */
async function eventually(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  for (let tries = 0; ; tries++) {
    try {
      return await query(url, sql)
    } catch (error) {
      if (tries === 4000) throw error
      await new Promise((next) => setTimeout(next, 25))
    }
  }
}

/** Another process that starts the server, prints `{ url, pid }` and lives on. */
async function startInAnotherProcess(user?: { uid: number; gid: number }): Promise<{
  child: ChildProcess
  url: string
  pid: number
}> {
  const door = fileURLToPath(new URL('./index.ts', import.meta.url))
  const code = `
    import { startPostgres } from ${JSON.stringify(door)}
    const server = await startPostgres({ dataDir: ${JSON.stringify(dataDir)}, initdbArgs: ['--no-sync'] })
    process.on('SIGTERM', () => server.stop().then(() => process.exit(0)))
    console.log(JSON.stringify({ url: server.url, pid: server.pid() }))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...user,
  })
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  return { child, ...(JSON.parse(line.toString()) as { url: string; pid: number }) }
}

/** What a process says that cannot start. */
async function failureInAnotherProcess(user: { uid: number; gid: number }): Promise<string> {
  const door = fileURLToPath(new URL('./index.ts', import.meta.url))
  const code = `
    import { startPostgres } from ${JSON.stringify(door)}
    await startPostgres({ dataDir: ${JSON.stringify(dataDir)} }).catch((error) => console.log(error.code, error.message))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...user,
  })
  return text(child.stdout!)
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal)
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

test('embedded PostgreSQL > keeps its rows over stop and start, and is closed to everybody else', async () => {
  const first = await start()
  expect(first.events).toEqual(['created', 'started'])
  await query(first.url, 'create table kept (n int); insert into kept values (42)')
  const [settings] = await query(
    first.url,
    `select current_setting('fsync') fsync, current_setting('synchronous_commit') synchronous_commit,
      current_setting('full_page_writes') full_page_writes, current_setting('listen_addresses') listen_addresses,
      current_setting('data_checksums') data_checksums, current_setting('password_encryption') password_encryption`,
  )
  expect(settings).toEqual({
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    listen_addresses: '',
    data_checksums: 'on',
    password_encryption: 'scram-sha-256',
  })
  await expect(query(first.url.replace(/:[^:@]+@/, ':wrong@'), 'select 1')).rejects.toMatchObject({ code: '28P01' })
  expect([
    mode(join(dataDir, 'password')),
    mode(join(dataDir, 'cluster')),
    mode(join(dataDir, 'cluster/socket')),
  ]).toEqual(['600', '700', '700'])
  if (isRoot)
    expect([statSync(join(dataDir, 'password')).uid, statSync(join(dataDir, 'cluster')).uid]).not.toContain([0, 0])
  await stop(first)
  const second = await start()
  expect(second.events).toEqual(['started'])
  expect(await query(second.url, 'select n from kept')).toEqual([{ n: 42 }])
  const log = readLog()
  expect(log).toContain('database system is shut down')
  expect(log).not.toContain('was not properly shut down')
})

test('embedded PostgreSQL > refuses a directory that a living Careloop uses, also its own', async () => {
  const other = await startInAnotherProcess()
  await expect(start()).rejects.toMatchObject({ code: 'data-dir-in-use' })
  await kill(other.child, 'SIGTERM')
  await start()
  await expect(start()).rejects.toMatchObject({ code: 'data-dir-in-use' })
})

test('embedded PostgreSQL > adopts the server that a kill -9 of Careloop left behind', async () => {
  const killed = await startInAnotherProcess()
  await query(killed.url, 'create table kept (n int); insert into kept values (42)')
  await kill(killed.child, 'SIGKILL')
  const server = await start()
  expect(server.events).toEqual(['adopted'])
  expect(server.pid()).toBe(killed.pid)
  expect(await query(server.url, 'select n from kept')).toEqual([{ n: 42 }])
  await stop(server)
  expect(runsIn(join(dataDir, 'cluster'), killed.pid)).toBe(false)
})

test('embedded PostgreSQL > replaces a server that was left behind with other settings', async () => {
  const killed = await startInAnotherProcess()
  await kill(killed.child, 'SIGKILL')
  const server = await start({ maxConnections: 33 })
  expect(server.events).toEqual(['replaced-orphan', 'started'])
  expect(await query(server.url, 'show max_connections')).toEqual([{ max_connections: '33' }])
})

test('embedded PostgreSQL > is started again when it is killed, and nothing committed is lost', async () => {
  const server = await start()
  await query(server.url, 'create table kept (n int); insert into kept values (42)')
  const before = server.pid()
  process.kill(before, 'SIGKILL')
  expect(await eventually(server.url, 'select n from kept')).toEqual([{ n: 42 }])
  expect(server.pid()).not.toBe(before)
  expect(server.events.filter((event) => event !== 'restart-failed')).toEqual([
    'created',
    'started',
    'died',
    'restarted',
  ])
})

test('embedded PostgreSQL > takes a pid file of a process that is no longer PostgreSQL for what it is', async () => {
  await stop(await start())
  writeFileSync(
    join(dataDir, 'cluster/postmaster.pid'),
    `${process.pid}\n${join(dataDir, 'cluster')}\n1700000000\n5432\nsocket\n\n  1 1\nready   \n`,
  )
  expect((await start()).events).toEqual(['started'])
})

test('embedded PostgreSQL > makes a new password when the file is lost, as after a restore', async () => {
  const first = await start()
  await query(first.url, 'create table kept (n int); insert into kept values (42)')
  await stop(first)
  rmSync(join(dataDir, 'password'))
  if (isRoot) own(join(dataDir, 'cluster'), 0)
  const second = await start()
  expect(second.events).toEqual(['password-renewed', 'started'])
  expect(second.url).not.toBe(first.url)
  expect(await query(second.url, 'select n from kept')).toEqual([{ n: 42 }])
  await expect(query(first.url, 'select 1')).rejects.toMatchObject({ code: '28P01' })
})

test('embedded PostgreSQL > says why it does not start', async () => {
  await stop(await start())
  appendFileSync(join(dataDir, 'cluster/careloop.local.conf'), `shared_buffers = 'banana'\n`)
  await expect(start()).rejects.toMatchObject({
    code: 'postgres-start',
    message: expect.stringContaining('invalid value for parameter "shared_buffers": "banana"'),
  })
  rmSync(join(dataDir, 'cluster/careloop.local.conf'))
  writeFileSync(join(dataDir, 'cluster/PG_VERSION'), '14\n')
  await expect(start()).rejects.toMatchObject({
    code: 'postgres-start',
    message: expect.stringContaining('start the Careloop release that made them'),
  })
})

test('embedded PostgreSQL > refuses to run where a commit may be lost', async () => {
  const server = await start()
  await query(server.url, 'alter system set synchronous_commit = off')
  await stop(server)
  await expect(start()).rejects.toMatchObject({
    code: 'postgres-unsafe',
    message: expect.stringContaining('synchronous_commit = off'),
  })
  appendFileSync(join(dataDir, 'cluster/careloop.local.conf'), `fsync = off\n`)
  writeFileSync(join(dataDir, 'cluster/postgresql.auto.conf'), '')
  const [row] = await query((await start()).url, 'show fsync')
  expect(row).toEqual({ fsync: 'on' })
})

test('embedded PostgreSQL > writes no value of a statement, parameter or row into its log', async () => {
  const { url } = await start()
  await query(url, `create table person (mrn text primary key); insert into person values ('MRN-CANARY')`)
  const attempts = [
    `insert into person values ('MRN-CANARY')`,
    `select 'MRN-CANARY'::uuid`,
    `select mrn from person_of('MRN-CANARY')`,
    `do $$ begin raise warning 'MRN-CANARY'; end $$`,
  ]
  for (const sql of attempts) await query(url, sql).catch(() => {})
  await query(url, `set statement_timeout = 1; select pg_sleep(1), 'MRN-CANARY'`).catch(() => {})
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  await client.query('select $1::int', ['MRN-CANARY']).catch(() => {})
  // A backend that dies makes the server write what it was doing.
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() pid')
  const sleeping = client.query(`select pg_sleep(60), 'MRN-CANARY'`).catch(() => {})
  process.kill(rows[0]!.pid, 'SIGKILL')
  await sleeping
  await eventually(url, 'select 1')
  const log = readLog()
  expect(log).toContain('was terminated by signal 9')
  expect(log).not.toContain('CANARY')
})

test('embedded PostgreSQL > works where the path is longer than a socket may have', async () => {
  dataDir = join(home, 'a'.repeat(120), 'postgres')
  const server = await start()
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
})

if (isRoot) {
  test('embedded PostgreSQL > root without a user `postgres` runs it under a number of its own', async () => {
    const passwd = join(home, 'passwd')
    writeFileSync(passwd, 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n')
    const server = await start({ passwd })
    expect(statSync(`/proc/${server.pid()}`).uid).toBe(60_843)
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await stop(server)
    // The owner of the data goes on when a user `postgres` comes later.
    expect(statSync(`/proc/${(await start()).pid()}`).uid).toBe(60_843)
  })

  test('embedded PostgreSQL > an ordinary user runs it as itself', async () => {
    chownSync(home, 65_534, 65_534)
    const first = await startInAnotherProcess({ uid: 65_534, gid: 65_534 })
    await kill(first.child, 'SIGTERM')
    // What a container that starts again finds: a pid file whose number is a living process of the same user.
    const sleeper = spawn('sleep', ['60'], { uid: 65_534, gid: 65_534 })
    writeFileSync(
      join(dataDir, 'cluster/postmaster.pid'),
      `${sleeper.pid}\n/x\n1700000000\n5432\n\n\n  1 1\nready   \n`,
    )
    // And the socket's lock, which says the same once more.
    writeFileSync(join(dataDir, 'cluster/socket/.s.PGSQL.5432.lock'), `${sleeper.pid}\n/x\n1700000000\n5432\nsocket\n`)
    const other = await startInAnotherProcess({ uid: 65_534, gid: 65_534 })
    await kill(sleeper, 'SIGKILL')
    expect(statSync(`/proc/${other.pid}`).uid).toBe(65_534)
    expect(await query(other.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await kill(other.child, 'SIGTERM')
    expect(other.child.exitCode).toBe(0)
    expect(runsIn(join(dataDir, 'cluster'), other.pid)).toBe(false)
  })

  test('embedded PostgreSQL > a number without a user name is told what to do, and nothing is left behind', async () => {
    chownSync(home, 54_321, 54_321)
    const said = await failureInAnotherProcess({ uid: 54_321, gid: 54_321 })
    expect(said).toMatch(/^postgres-init .*Add it to \/etc\/passwd, or set DATABASE_URL/s)
    expect(readdirSync(dataDir).filter((name) => name === 'cluster' || name === 'lock')).toEqual([])
  })
}

function readLog(): string {
  const dir = join(dataDir, 'cluster/log')
  return readdirSync(dir)
    .map((name) => readFileSync(join(dir, name), 'utf8'))
    .join('\n')
}

function own(dir: string, uid: number): void {
  chownSync(dir, uid, uid)
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) own(join(dir, entry.name), uid)
    else chownSync(join(dir, entry.name), uid, uid)
  }
}
