import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withClient } from '../postgres/first-words.ts'
import { type TestDatabase, testDatabase } from '../testing/index.ts'
import { migrate } from './index.ts'

let database: TestDatabase
let dir: string
beforeEach(async () => {
  database = await testDatabase({ empty: true })
  dir = mkdtempSync(join(tmpdir(), 'careloop-migrations-'))
  write('0001-engine.sql', GROUND)
  write('0002-one.sql', 'create table engine.one (n int);')
})
afterEach(async () => {
  rmSync(dir, { recursive: true, force: true })
  await database.drop()
})

const GROUND = `create schema engine;
create table engine.migration (number int primary key, name text not null, sha256 text not null, applied_at timestamptz not null default now());`

const write = (file: string, sql: string) => writeFileSync(join(dir, file), sql)
const remove = (file: string) => rmSync(join(dir, file))
const query = async (sql: string) => withClient(database.url, async (client) => (await client.query(sql)).rows)

test('migrate > applies what is pending, once, and writes down what it did', async () => {
  expect(await migrate(database.url, { dir })).toEqual({
    applied: ['0001-engine.sql', '0002-one.sql'],
    from: 0,
    to: 2,
  })
  write('0003-two.sql', 'create table engine.two (n int);')
  expect(await migrate(database.url, { dir })).toEqual({ applied: ['0003-two.sql'], from: 2, to: 3 })
  expect(await migrate(database.url, { dir })).toEqual({ applied: [], from: 3, to: 3 })
  expect(await query('select number, name, length(sha256) as digits from engine.migration order by number')).toEqual([
    { number: 1, name: 'engine', digits: 64 },
    { number: 2, name: 'one', digits: 64 },
    { number: 3, name: 'two', digits: 64 },
  ])
})

test('migrate > two processes that start together apply once', async () => {
  const outcomes = await Promise.all([migrate(database.url, { dir }), migrate(database.url, { dir })])
  expect(outcomes.map((outcome) => outcome.applied.length).sort()).toEqual([0, 2])
})

test('migrate > a dry run tries everything and changes nothing', async () => {
  expect((await migrate(database.url, { dir, dryRun: true })).applied).toEqual(['0001-engine.sql', '0002-one.sql'])
  expect(await query(`select nspname from pg_namespace where nspname = 'engine'`)).toEqual([])
  write('0003-bad.sql', 'create table engine.one (n int);')
  await expect(migrate(database.url, { dir, dryRun: true })).rejects.toMatchObject({ code: 'migration-failed' })
})

test('migrate > all or nothing: an error in the last file leaves the schema as it was, and says file and line', async () => {
  write('0003-bad.sql', 'create table engine.three (n int);\n\nalter table engine.nothing add m int;\n')
  await expect(migrate(database.url, { dir })).rejects.toMatchObject({
    code: 'migration-failed',
    message: expect.stringContaining('0003-bad.sql'),
  })
  write('0003-bad.sql', 'create table engine.three (n int);\n\ncreate tabel x (n int);\n')
  await expect(migrate(database.url, { dir })).rejects.toMatchObject({
    message: expect.stringContaining('0003-bad.sql:3: syntax error'),
  })
  expect(await query(`select nspname from pg_namespace where nspname = 'engine'`)).toEqual([])
})

test('migrate > a kill in the middle leaves the schema as it was, and the next start does it all', async () => {
  write('0003-slow.sql', 'create table engine.three (n int); select pg_sleep(60);')
  const door = fileURLToPath(new URL('./index.ts', import.meta.url))
  const code = `import { migrate } from ${JSON.stringify(door)}
    await migrate(${JSON.stringify(database.url)}, { dir: ${JSON.stringify(dir)} })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' })
  const inTheMiddle = `select count(*)::int as n from pg_stat_activity
    where datname = current_database() and wait_event = 'PgSleep'`
  while ((await query(inTheMiddle))[0]?.n !== 1) await new Promise((next) => setTimeout(next, 20))
  child.kill('SIGKILL')
  await once(child, 'exit')
  write('0003-slow.sql', 'create table engine.three (n int);')
  // The server still sleeps in the killed one's transaction, until it notices that nobody waits for it.
  expect((await migrate(database.url, { dir })).applied).toEqual(['0001-engine.sql', '0002-one.sql', '0003-slow.sql'])
})

test('migrate > refuses a file that ends the transaction', async () => {
  write('0003-bad.sql', 'create table engine.three (n int); commit; begin;')
  await expect(migrate(database.url, { dir })).rejects.toMatchObject({
    code: 'migration-failed',
    message: expect.stringContaining('0003-bad.sql ends the transaction'),
  })
})

test('migrate > refuses data of a newer release, an edited file, a file that was taken away or put in between', async () => {
  write('0004-four.sql', 'create table engine.four (n int);')
  await migrate(database.url, { dir })
  write('0003-late.sql', 'create table engine.three (n int);')
  await expect(migrate(database.url, { dir })).rejects.toMatchObject({
    code: 'schema-edited',
    message: expect.stringContaining('0003-late.sql'),
  })
  remove('0003-late.sql')
  write('0002-one.sql', 'create table engine.one (n bigint);')
  await expect(migrate(database.url, { dir })).rejects.toMatchObject({
    code: 'schema-edited',
    message: expect.stringContaining('0002-one.sql'),
  })
  remove('0002-one.sql')
  await expect(migrate(database.url, { dir })).rejects.toMatchObject({ code: 'schema-edited' })
  write('0002-one.sql', 'create table engine.one (n int);')
  remove('0004-four.sql')
  await expect(migrate(database.url, { dir })).rejects.toMatchObject({
    code: 'schema-newer',
    message: expect.stringContaining('0004-four.sql'),
  })
})

test('migrate > refuses names and numbers that leave the order open', async () => {
  write('0002-other.sql', '')
  await expect(migrate(database.url, { dir })).rejects.toMatchObject({ code: 'migration-failed' })
  remove('0002-other.sql')
  write('3-three.sql', '')
  await expect(migrate(database.url, { dir })).rejects.toMatchObject({ code: 'migration-failed' })
})
