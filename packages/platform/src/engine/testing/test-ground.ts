import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { makeClock } from '../clock/system-clock.ts'
import { makeDb } from '../db/db.ts'
import { makeIds } from '../ids/ids.ts'
import { makeKeys } from '../keys/keys.ts'
import { masterKeysInMemory } from '../keys/master-key.ts'
import type { Clock, Db, Ids, Keys, Watch } from '../ports.ts'
import { makeWatch } from '../watch/watch.ts'
import { testDatabase } from './test-database.ts'

/** A database of its own with the ports that need no folder, log or thread. */
export interface TestGround {
  readonly db: Db
  readonly pool: pg.Pool
  readonly keys: Keys
  readonly clock: Clock
  readonly ids: Ids
  readonly watch: Watch
  /** Another pool on the same database: what a second process would have. */
  anotherPool(): pg.Pool
  /** Makes a tenant and gives its id. */
  tenant(): Promise<string>
  stop(): Promise<void>
}

export async function testGround(options: { clock?: Clock } = {}): Promise<TestGround> {
  const database = await testDatabase()
  const pools: pg.Pool[] = []
  const anotherPool = () => {
    const made = new pg.Pool({ connectionString: database.url, max: 8 })
    // `end` resolves while connections still say good-bye; dropping the database then cuts them off, which is no error here.
    made.on('connect', (client) => client.on('error', () => {}))
    made.on('error', () => {}) // an idle connection that the end of the test's database cuts
    pools.push(made)
    return made
  }
  const pool = anotherPool()
  const clock = options.clock ?? makeClock()
  const ids = makeIds(clock)
  const watch = makeWatch({ level: 'silent' })
  const noLog = { appendWithin: () => Promise.reject(new Error('testGround has no reading log')) }
  const db = makeDb({ pool, watch, log: () => noLog })
  const keys = makeKeys({ pool: anotherPool(), masters: masterKeysInMemory(randomBytes(32)), ids })
  return {
    ...{ db, pool, keys, clock, ids, watch, anotherPool },
    async tenant() {
      const id = ids.uuid()
      await pool.query('insert into engine.tenant (id, name) values ($1, $2)', [id, `tenant ${id}`])
      return id
    },
    async stop() {
      await db.close()
      await Promise.all(pools.filter((each) => !each.ending).map((each) => each.end()))
      await database.drop()
    },
  }
}
