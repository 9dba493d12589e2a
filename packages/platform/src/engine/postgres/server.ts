/** Starts, watches and ends one postmaster. */
import type { ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { engineFailure } from '../errors.ts'
import type { Account } from './account.ts'
import type { Binaries } from './binaries.ts'
import { lastLines } from './create-cluster.ts'
import { type Layout, SOCKET_PORT } from './layout.ts'
import { isAlive, readPostmasterPid, runsIn } from './postmaster-pid.ts'
import { dataDirArgument, finished, spawnAs } from './run-as.ts'

export interface Server {
  readonly pid: number
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<void>
  hasEnded(): boolean
}

/** Its number may belong to another process as soon as it has ended, so the end is remembered. */
export function serverOf(pid: number, end: Promise<void>): Server {
  let over = false
  const ended = end.then(() => {
    over = true
  })
  return { pid, ended, hasEnded: () => over }
}

export interface ServerOptions {
  readonly place: Layout
  readonly binaries: Binaries
  readonly account: Account
}

/**
 * Starts the server and resolves when it takes connections. Recovery after a power cut can take minutes: we wait for as long
 * as the server is at it.
 * @throws Failure `postgres-start` (503) with the cause from its log
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { place, account, binaries } = options
  removeStaleLocks(place)
  const said = markLogs(place)
  const output = openSync(place.startLog, 'a', 0o600)
  const dir = dataDirArgument(account, place.cluster)
  try {
    if (process.platform === 'win32') {
      // pg_ctl drops the rights of an administrator, with which the server refuses to run.
      await finished(
        spawnAs(binaries.pgCtl, ['start', '-D', dir, '-W', '-l', place.startLog], { account, cwd: place.cluster }),
      )
      return await ready(place, undefined, said)
    }
    return await ready(place, spawnAs(binaries.postgres, ['-D', dir], { account, cwd: place.cluster, output }), said)
  } finally {
    closeSync(output)
  }
}

/**
 * PostgreSQL refuses when any process of its user has the number in a left-over lock file; in a container that starts again,
 * something always has, and a killed postmaster that nobody has reaped keeps its own. Where we know that it is no server of this
 * directory, the files mean nothing. The socket's lock, in a folder that only this cluster uses, says the same once more.
 */
function removeStaleLocks({ cluster, socketDir }: Layout): void {
  for (const lock of [join(cluster, 'postmaster.pid'), join(socketDir, `.s.PGSQL.${SOCKET_PORT}.lock`)]) {
    const pid = existsSync(lock) ? Number(readFileSync(lock, 'utf8').split('\n')[0]) : 0
    if (pid > 0 && runsIn(cluster, pid) === false) rmSync(lock)
  }
}

async function ready(place: Layout, child: ChildProcess | undefined, said: () => string): Promise<Server> {
  let exit: { error?: unknown } | undefined
  const ended =
    child &&
    finished(child).then(
      () => {
        exit = {}
      },
      (error: unknown) => {
        exit = { error }
      },
    )
  const deadline = performance.now() + 10_000
  for (;;) {
    const found = readPostmasterPid(place.cluster)
    const ours = found !== undefined && (child === undefined || found.pid === child.pid)
    if (ours && found.status === 'ready') {
      child?.unref()
      return serverOf(found.pid, ended ?? whenGone(place.cluster, found.pid))
    }
    // Without a child of ours (Windows) only the pid file tells that something is on its way.
    const waits = child !== undefined || (ours && isAlive(found.pid)) || performance.now() < deadline
    if (exit !== undefined || !waits) throw startFailure(place, exit?.error, said())
    await pause(10)
  }
}

/** What the server writes from now on, in its start log and then in its own. */
function markLogs(place: Layout): () => string {
  const logDir = join(place.cluster, 'log')
  if (existsSync(place.startLog)) truncateSync(place.startLog)
  const size = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0
  const files = () => (existsSync(logDir) ? readdirSync(logDir).map((name) => join(logDir, name)) : [])
  const before = new Map(files().map((path) => [path, size(path)]))
  return () => {
    const own = files().map((path) => readFileSync(path, 'utf8').slice(before.get(path) ?? 0))
    const lines = [lastLines(place.startLog, 20), ...own].join('\n').trim().split('\n')
    const telling = lines.filter((line) => /FATAL|PANIC|ERROR|HINT|DETAIL|could not|invalid/.test(line))
    return (telling.length > 0 ? telling : lines).slice(-8).join('\n')
  }
}

function startFailure(place: Layout, error: unknown, said: string): Error {
  const cause = error instanceof Error ? `${error.message}\n${said}`.trim() : said
  const advice = /No space left/.test(cause)
    ? 'The disk is full: make room and start again; nothing accepted is lost.'
    : /Permission denied|EACCES|EPERM/.test(cause)
      ? `The user that runs PostgreSQL cannot use ${place.cluster}: give it back to that user.`
      : /incompatible with server|was initialized by PostgreSQL version/.test(cause)
        ? 'These data belong to another major version of PostgreSQL: start the Careloop release that made them.'
        : `Nothing was changed. The whole story is in ${place.startLog} and ${join(place.cluster, 'log')}.`
  return engineFailure('postgres-start', `The embedded PostgreSQL did not start. It said:\n${cause}\n${advice}`, {
    cause: error,
  })
}

/** Watches a server that is not our child. */
export async function whenGone(cluster: string, pid: number): Promise<void> {
  while (isAlive(pid) && runsIn(cluster, pid) !== false) await pause(100, undefined, { ref: false })
}

/**
 * Ends a server: fast (sessions are cut, data are written), and after `patienceMs` at once, which costs a recovery at the next
 * start and loses nothing.
 */
export async function stopServer(options: ServerOptions, server: Server, patienceMs = 30_000): Promise<void> {
  if (server.hasEnded() || (await signalled(options, server, 'fast', patienceMs))) return
  if (await signalled(options, server, 'immediate', 10_000)) return
  throw engineFailure('postgres-stop', `The embedded PostgreSQL (process ${server.pid}) does not end. End it by hand.`)
}

async function signalled(
  options: ServerOptions,
  server: Server,
  mode: 'fast' | 'immediate',
  ms: number,
): Promise<boolean> {
  const { place, binaries, account } = options
  if (process.platform === 'win32') {
    const args = ['stop', '-D', place.cluster, '-m', mode, '-t', String(Math.ceil(ms / 1000))]
    await finished(spawnAs(binaries.pgCtl, args, { account, cwd: place.cluster }))
  } else if (runsIn(place.cluster, server.pid) !== false) {
    process.kill(server.pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
  }
  const timeout = new AbortController()
  try {
    const late = pause(ms, 'late' as const, { signal: timeout.signal })
    return (await Promise.race([server.ended, late])) !== 'late'
  } finally {
    timeout.abort()
  }
}
