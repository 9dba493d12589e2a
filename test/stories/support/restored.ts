/** Backups as an operator handles them: `careloop backup ...` in a process of its own, and a look into what came back. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestServer } from '../../../bench/support/server.ts'
import { readConfig } from '../../../packages/platform/src/app/config.ts'
import { openMasters } from '../../../packages/platform/src/app/open-masters.ts'
import {
  type Engine,
  type MasterKeys,
  makeClock,
  makeIds,
  makeWatch,
  type ObjectStore,
  openEngine,
  openObjectStore,
  startPostgres,
} from '../../../packages/platform/src/engine/index.ts'

const MAIN = fileURLToPath(new URL('../../../packages/platform/src/app/main.ts', import.meta.url))

export interface Said {
  readonly code: number | null
  readonly text: string
}

export async function careloop(env: NodeJS.ProcessEnv, ...words: string[]): Promise<Said> {
  const child = spawn(process.execPath, [MAIN, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk
    })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, text }
}

/** What lies in a safe: a copy of the master key, far from the server. */
export function escrow(server: TestServer, into: string): NodeJS.ProcessEnv {
  const copy = join(into, 'escrowed.key')
  copyFileSync(join(server.dir, 'master.key'), copy)
  return { ...server.env, CARELOOP_DATA: join(into, 'nowhere'), CARELOOP_MASTER_KEY_FILE: copy }
}

/** As a restore takes them. */
export async function storeOf(env: NodeJS.ProcessEnv): Promise<{ objects: ObjectStore; masters: MasterKeys }> {
  const config = readConfig(env)
  const clock = makeClock()
  const objects = openObjectStore(config.backup!.store, { clock, ids: makeIds(clock) })
  return { objects, masters: (await openMasters(config)).keys }
}

/** Looks into a restored directory without opening a door. */
export async function lookInto<T>(
  env: NodeJS.ProcessEnv,
  dir: string,
  look: (engine: Engine) => Promise<T>,
): Promise<T> {
  const server = await startPostgres({ dataDir: join(dir, 'postgres') })
  try {
    return await lookAt(server.url, (await storeOf(env)).masters, dir, look)
  } finally {
    await server.stop()
  }
}

export async function lookAt<T>(
  url: string,
  masters: MasterKeys,
  dataDir: string,
  look: (engine: Engine) => Promise<T>,
): Promise<T> {
  const opened = openEngine({ url, masters, dataDir, watch: makeWatch({ level: 'silent' }), maxConnections: 4 })
  try {
    return await look(opened.engine)
  } finally {
    await opened.close()
  }
}
