/**
 * One embedded server for a whole test run, started when the first test asks. Vitest's main process owns it; workers ask over a
 * socket whose address they find in the environment.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate } from '../migrate/index.ts'
import { withClient } from '../postgres/first-words.ts'
import { type EmbeddedPostgres, startPostgres } from '../postgres/index.ts'
import { layout } from '../postgres/layout.ts'
import { isAlive, readPostmasterPid, runsIn } from '../postgres/postmaster-pid.ts'

/** Where workers ask for the server. */
export const ADDRESS_VARIABLE = 'CARELOOP_TEST_POSTGRES'
/** Migrated once; each test database is a copy. */
export const TEMPLATE = 'careloop_template'

const PREFIX = 'careloop-test-'

export type Answer = { readonly url: string } | { readonly error: string }

/** Vitest's globalSetup. @returns the teardown */
export default async function setup(): Promise<() => Promise<void>> {
  sweep()
  const dir = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`))
  let starting: Promise<EmbeddedPostgres> | undefined
  const desk = createServer((socket) => {
    starting ??= startTemplate(dir)
    answer(socket, starting)
  })
  const port = await new Promise<number>((listening) => {
    desk.listen(0, '127.0.0.1', () => {
      const address = desk.address()
      listening(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
  process.env[ADDRESS_VARIABLE] = String(port)
  return async () => {
    desk.close()
    await (await starting?.catch(() => undefined))?.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function startTemplate(dir: string): Promise<EmbeddedPostgres> {
  const server = await startPostgres({
    dataDir: join(dir, 'postgres'),
    maxConnections: 400,
    initdbArgs: ['--no-sync'],
  })
  try {
    const admin = (sql: string) => withClient(server.urlOf('postgres'), (client) => client.query(sql))
    await admin(`create database ${TEMPLATE}`)
    await migrate(server.urlOf(TEMPLATE))
    // Nobody, autovacuum's helpers aside, may be in a database while it is copied.
    await admin(`alter database ${TEMPLATE} with is_template true allow_connections false`)
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}

function answer(socket: Socket, starting: Promise<EmbeddedPostgres>): void {
  socket.on('error', () => {}) // a worker that was ended while it waited
  const say = (what: Answer) => socket.end(JSON.stringify(what))
  starting.then(
    (server) => say({ url: server.urlOf('postgres') }),
    (error: Error) => say({ error: error.message }),
  )
}

/** A run that was killed could not tear down: its server is ended here, at once, since nobody wants its data. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    const { dataDir, cluster } = layout(join(tmpdir(), name, 'postgres'))
    try {
      const found = readPostmasterPid(cluster)
      if (found !== undefined && runsIn(cluster, found.pid) === true) process.kill(found.pid, 'SIGQUIT')
      rmSync(join(dataDir, '..'), { recursive: true, force: true })
    } catch {
      // Another user's, or another run sweeps as well.
    }
  }
}
