/** A database as somebody else keeps it: another server's roles and settings. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withClient } from './first-words.ts'
import { type EmbeddedPostgres, prepareDatabase, startPostgres } from './index.ts'

let dir: string
let server: EmbeddedPostgres
let url: string

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'careloop-external-'))
  server = await startPostgres({ dataDir: join(dir, 'postgres'), initdbArgs: ['--no-sync'] })
  url = server.url
  await run('create role keeper login createrole')
  await run('create database kept owner keeper')
  await prepareDatabase(asKeeper())
  await run('create database beside')
  await Promise.all([prepareDatabase(url), prepareDatabase(server.urlOf('beside'))])
})
afterAll(async () => {
  await server.stop()
  rmSync(dir, { recursive: true, force: true })
})

const run = (sql: string) => withClient(url, (client) => client.query(sql))

/** As a hosted database is given out: a role that owns the database and may create roles, and is no superuser. */
const asKeeper = () => `${server.urlOf('kept')}&options=${encodeURIComponent('-c role=keeper')}`

test('database > needs no superuser: rooms reach their tables as careloop_app and no others', async () => {
  await withClient(asKeeper(), async (client) => {
    expect((await client.query('select current_user as me')).rows).toEqual([{ me: 'keeper' }])
    await client.query('begin; set local role careloop_app')
    await client.query(`select set_config('careloop.tenant', '0190a000-0000-7000-8000-000000000001', true)`)
    expect((await client.query('select count(*)::int as n from tenant.subject')).rows).toEqual([{ n: 0 }])
    await expect(client.query('select * from engine.reading_log')).rejects.toMatchObject({ code: '42501' })
  })
})

test('database > says what is missing when its role may not do enough', async () => {
  await run('create role guest login')
  await run('create database guests owner guest')
  const asGuest = `${server.urlOf('guests')}&options=${encodeURIComponent('-c role=guest')}`
  await expect(prepareDatabase(asGuest)).rejects.toMatchObject({
    code: 'migration-failed',
    message: expect.stringContaining('must own the database and may create roles'),
  })
})

/** Does something to the database, tells whether it is still accepted, and takes it back. */
async function refusalAfter(harm: string, mend: string): Promise<unknown> {
  await run(harm)
  try {
    return await prepareDatabase(url).then(
      () => 'accepted',
      (error: unknown) => error,
    )
  } finally {
    await run(mend)
  }
}

test.each([
  ['fsync = off', `alter system set fsync = off; select pg_reload_conf()`],
  ['full_page_writes = off', `alter system set full_page_writes = off; select pg_reload_conf()`],
])('database > refuses %s, which the file that wins decides', async (says, harm) => {
  // alter system cannot stand in one call with another statement
  const [alter, reload] = harm.split(';') as [string, string]
  await run(alter)
  await run(reload)
  const refused = await settled(
    () => prepareDatabase(url),
    (answer) => answer !== 'accepted',
  )
  expect(refused).toMatchObject({ code: 'postgres-unsafe', message: expect.stringContaining(says) })
  await run('alter system reset all')
  await run(reload)
  expect(
    await settled(
      () => prepareDatabase(url),
      (answer) => answer === 'accepted',
    ),
  ).toBe('accepted')
})

/** The server takes a new setting a moment after it was told to. */
async function settled(fn: () => Promise<unknown>, enough: (answer: unknown) => boolean): Promise<unknown> {
  for (let tries = 0; ; tries++) {
    const answer = await fn().then(
      () => 'accepted',
      (error: unknown) => error,
    )
    if (enough(answer) || tries === 2000) return answer
    await new Promise((next) => setTimeout(next, 10))
  }
}

test.each([
  [
    'synchronous_commit = local',
    'alter database careloop set synchronous_commit = local',
    'alter database careloop reset synchronous_commit',
  ],
  ['bypass', 'alter role careloop_app bypassrls', 'alter role careloop_app nobypassrls'],
  ['bypass', 'grant careloop to careloop_app', 'revoke careloop from careloop_app'],
  [
    'tenant.subject',
    'alter table tenant.subject no force row level security',
    'alter table tenant.subject force row level security',
  ],
])('database > refuses what would break a promise: %s > %s', async (says, harm, mend) => {
  expect(await refusalAfter(harm, mend)).toMatchObject({
    code: 'postgres-unsafe',
    message: expect.stringContaining(says),
  })
  expect(await refusalAfter('select 1', 'select 1')).toBe('accepted')
})

test('database > waits for a standby as well when it is told to', async () => {
  const harm = 'alter database careloop set synchronous_commit = remote_apply'
  expect(await refusalAfter(harm, 'alter database careloop reset synchronous_commit')).toBe('accepted')
})

test('database > one that cannot be reached is told without its URL', async () => {
  const refused = await prepareDatabase('postgres://someone:hidden@127.0.0.1:1/nowhere').catch((error: Error) => error)
  expect(refused).toMatchObject({ code: 'postgres-unreachable' })
  expect(`${(refused as Error).message}${(refused as Error).stack}`).not.toMatch(/hidden|someone/)
})

test.each([
  [
    'engine.cursor story',
    `insert into engine.cursor (name, position) values ('story', '8589934600:1')`,
    `delete from engine.cursor where name = 'story'`,
  ],
  [
    'engine.fact',
    `insert into engine.fact (xid, tenant_id, type, body) values ('8589934600', gen_random_uuid(), 'story', '{}')`,
    'delete from engine.fact',
  ],
  [
    'engine.data_key',
    `insert into engine.data_key (id, purpose, owner, master_id, destroyed_at, destroyed_xid)
       values ('0190a000-0000-7000-8000-000000000009', 'subject', 'x', 'm', now(), '8589934600')`,
    `delete from engine.data_key where owner = 'x'`,
  ],
])(
  'database > refuses one that was brought into a server that counts lower, and says what moves the count on: %s',
  async (place, harm, mend) => {
    const refused = await refusalAfter(harm, mend)
    expect(refused).toMatchObject({ code: 'database-moved', message: expect.stringContaining(place) })
    expect(refused).toMatchObject({ message: expect.stringContaining('pg_resetwal -e 3 ') })
    expect(await refusalAfter('select 1', 'select 1')).toBe('accepted')
  },
)
