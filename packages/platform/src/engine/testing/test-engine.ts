import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { masterKeysInMemory } from '../keys/master-key.ts'
import { type OpenEngine, openEngine } from '../open-engine.ts'
import type { Clock, Engine } from '../ports.ts'
import { makeWatch } from '../watch/watch.ts'
import { testDatabase } from './test-database.ts'

export interface TestEngine {
  readonly engine: Engine
  readonly url: string
  readonly dataDir: string
  /** Makes a tenant and gives its id. */
  tenant(): Promise<string>
  /** A second process: another engine on the same database and master key. */
  another(options?: { clock?: Clock }): OpenEngine
  stop(): Promise<void>
}

/** A whole engine on a database of its own: real log, keys, threads. About 100 ms. */
export async function testEngine(
  options: { clock?: Clock; watch?: ReturnType<typeof makeWatch> } = {},
): Promise<TestEngine> {
  const database = await testDatabase()
  const dataDir = mkdtempSync(join(tmpdir(), 'careloop-test-'))
  const masters = masterKeysInMemory(randomBytes(32))
  const opened: OpenEngine[] = []
  const open = (clock?: Clock) => {
    const watch = options.watch ?? makeWatch({ level: 'silent' })
    const made = openEngine({
      url: database.url,
      masters,
      dataDir,
      watch,
      maxConnections: 8,
      ...(clock ? { clock } : {}),
    })
    opened.push(made)
    return made
  }
  const { engine } = open(options.clock)
  return {
    engine,
    url: database.url,
    dataDir,
    async tenant() {
      const id = engine.ids.uuid()
      await engine.db.pool.query('insert into engine.tenant (id, name) values ($1, $2)', [id, `tenant ${id}`])
      return id
    },
    another: (more = {}) => open(more.clock),
    async stop() {
      await Promise.all(opened.map((each) => each.close()))
      await database.drop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
