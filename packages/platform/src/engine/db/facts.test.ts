import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../testing/index.ts'
import { makeFactFeed, readFacts } from './facts.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())

/** A feed that listens, and the connection on which it does. */
async function listening() {
  const pool = new pg.Pool({ connectionString: database.url })
  pool.on('error', () => {}) // an idle connection that the end of the test's database cuts
  pool.on('error', () => {})
  const clients: pg.PoolClient[] = []
  pool.on('connect', (client) => void clients.push(client))
  const feed = makeFactFeed(pool, pino({ level: 'silent' }))
  feed.subscribe('all', () => {})
  await expect.poll(() => clients.find((client) => client.listenerCount('notification') > 0)).toBeDefined()
  const client = clients.find((each) => each.listenerCount('notification') > 0)!
  return { pool, feed, client }
}

// A server whose database went away while it closed was ended by "Release called on client which has already been released".
test('facts > a connection that breaks after the feed has closed ends nothing', async () => {
  const { pool, feed, client } = await listening()
  await feed.close()
  expect(() => client.emit('error', new Error('terminating connection'))).not.toThrow()
  await pool.end()
})

test('facts > a connection that breaks while the feed listens is given back once', async () => {
  const { pool, feed, client } = await listening()
  client.emit('error', new Error('terminating connection'))
  await feed.close()
  await pool.end()
  expect(pool.totalCount).toBe(0)
})

test('facts > a feed that closes while it connects leaves no connection behind', async () => {
  const pool = new pg.Pool({ connectionString: database.url })
  pool.on('error', () => {}) // an idle connection that the end of the test's database cuts
  pool.on('error', () => {})
  const feed = makeFactFeed(pool, pino({ level: 'silent' }))
  feed.subscribe('all', () => {})
  await feed.close()
  await pool.end() // waits for connections that were never given back
  expect(pool.totalCount).toBe(0)
})

// Read as text, transaction 10 stood before transaction 9: a reader that remembered 9 heard 10 twice, one that stopped in between never heard 9.
test('facts > are read in the order of their transactions also where their numbers get a digit more', async () => {
  const pool = new pg.Pool({ connectionString: database.url })
  pool.on('error', () => {}) // an idle connection that the end of the test's database cuts
  const tenant = randomUUID()
  await pool.query('insert into engine.tenant (id, name) values ($1, $2)', [tenant, 'digits'])
  for (const xid of ['9', '10', '99', '100'])
    await pool.query('insert into engine.fact (xid, tenant_id, type, body) values ($1, $2, $3, $4)', [
      ...[xid, tenant, 'SiteChanged', JSON.stringify({ site: xid })],
    ])
  const read: string[] = []
  for (let after = '0'; ; ) {
    const [fact] = await readFacts(pool, after, 1)
    if (fact === undefined) break
    read.push((fact.body as { site: string }).site)
    after = fact.position
  }
  expect(read).toEqual(['9', '10', '99', '100'])
  await pool.end()
})
