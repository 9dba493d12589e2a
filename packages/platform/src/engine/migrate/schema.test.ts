import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withClient } from '../postgres/first-words.ts'
import { type TestDatabase, testDatabase } from '../testing/index.ts'
import { checkManifest, checkTableKinds, writeManifest } from './index.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

const kindsAfter = (sql: string) =>
  withClient(database.url, async (client) => {
    await client.query('begin') // given up when the connection ends
    await client.query(sql)
    return checkTableKinds(client)
  })

test('tables > every table is of a kind', async () => {
  expect(await kindsAfter('select 1')).toEqual([])
})

const TENANT = 'create table tenant.bad (id uuid primary key, tenant_id uuid not null);'
const MADE = `${TENANT} select engine.make_tenant_table('tenant.bad');`

test.each([
  ['create table public.bad (n int)', 'public.bad lies in none of'],
  ['create schema other; create view other.bad as select 1 as n', 'other.bad lies in none of'],
  [TENANT, 'tenant.bad has row-level security off'],
  [TENANT, 'tenant.bad has no policy'],
  [`${MADE} alter table tenant.bad no force row level security`, 'tenant.bad has row-level security off'],
  [`${MADE} alter table tenant.bad alter tenant_id drop not null`, 'tenant.bad has no column tenant_id'],
  [`${MADE} create policy open on tenant.bad for select using (true)`, 'tenant.bad has a policy that does not'],
  [`${MADE} grant select on tenant.bad to public`, 'tenant.bad is open to everybody'],
  ['create view tenant.bad as select * from engine.tenant', 'tenant.bad is a view that runs'],
  ['grant select on engine.fact to careloop_app', 'engine.fact is open to careloop_app'],
  ['grant select (name) on engine.tenant to careloop_app', 'engine.tenant is open to careloop_app'],
  [
    `create function engine.bad() returns int language sql security definer set search_path = pg_catalog as 'select 1'`,
    'engine.bad() is security definer',
  ],
  [
    `create function engine.bad() returns int language sql security definer as 'select 1';
      revoke all on function engine.bad() from public`,
    'engine.bad() is security definer',
  ],
])('tables > finds what is against its kind: %s > %s', async (sql, says) => {
  expect(await kindsAfter(sql)).toContainEqual(expect.stringContaining(says))
})

test('manifest > a migration that changed, or that makes another table, is found', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'careloop-manifest-'))
  const check = async (sql: string) => {
    writeFileSync(join(dir, '0001-engine.sql'), `${GROUND}${sql}`)
    const empty = await testDatabase({ empty: true })
    try {
      return await checkManifest(empty.url, dir)
    } finally {
      await empty.drop()
    }
  }
  writeFileSync(join(dir, '0001-engine.sql'), `${GROUND}create table engine.one (n int);`)
  const empty = await testDatabase({ empty: true })
  await writeManifest(empty.url, dir)
  await empty.drop()
  expect(await check('create table engine.one (n int);')).toEqual([])
  expect(await check('create table engine.one (n int); -- said otherwise')).toEqual([
    'migration 0001-engine.sql: changed',
  ])
  expect(await check('create table engine.one (n bigint); create table engine.two (n int);')).toEqual([
    'migration 0001-engine.sql: changed',
    'schema of engine.one: changed',
    'schema of engine.two: not in the manifest',
  ])
  expect(JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'))).toMatchObject({
    schema: { 'engine.one': expect.stringMatching(/^[0-9a-f]{16}$/) },
  })
  rmSync(dir, { recursive: true, force: true })
})

const GROUND = `create schema engine; create schema tenant; create schema auth;
create table engine.migration (number int primary key, name text not null, sha256 text not null, applied_at timestamptz not null default now());
`
