/** Opens a data directory as `npm start` does, without doors: the database, the migrations, the engine. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Engine,
  openEngine,
  openMasterKey,
  prepareDatabase,
  startPostgres,
} from '../../packages/platform/src/engine/index.ts'
import { makeWatch } from '../../packages/platform/src/engine/watch/watch.ts'

/** Files of a kept directory, beside `data/`. */
export const MASTER_KEY = 'master.key'
export const EXPECTED = 'expected.json'

export interface Expected {
  /** Short hash of the commit whose code made it. */
  readonly commit: string
  /** Number of the newest migration then. */
  readonly schema: number
  /** What each content gave when it was read back then. */
  readonly contents: Readonly<Record<string, unknown>>
}

export const readExpected = (dir: string): Expected => JSON.parse(readFileSync(join(dir, EXPECTED), 'utf8')) as Expected

/** @returns what `fn` gave, and the numbers of the schema before and after; all is stopped by then */
export async function withKept<T>(
  dir: string,
  fn: (engine: Engine) => Promise<T>,
  initdbArgs: readonly string[] = [],
): Promise<{ result: T; from: number; to: number }> {
  const data = join(dir, 'data')
  const master = await openMasterKey({ path: join(dir, MASTER_KEY), dataDir: data })
  const server = await startPostgres({ dataDir: join(data, 'postgres'), initdbArgs })
  try {
    const { from, to } = await prepareDatabase(server.url)
    const watch = makeWatch({ level: 'warn' })
    const opened = openEngine({ url: server.url, masters: master.keys, dataDir: data, watch })
    try {
      return { result: await fn(opened.engine), from, to }
    } finally {
      await opened.close()
    }
  } finally {
    await server.stop()
  }
}
