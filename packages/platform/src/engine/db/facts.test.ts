import pg from 'pg'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../testing/index.ts'
import { makeFactFeed } from './facts.ts'

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
