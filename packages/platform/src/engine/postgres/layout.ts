/**
 * What lies where below `dataDir` (`$CARELOOP_DATA/postgres`, 0700):
 *
 *   cluster/         PostgreSQL's own directory, owned by the user that runs it
 *   cluster/socket/  its socket, 0700
 *   cluster/log/     its log, a file per weekday
 *   password         of the role `careloop`, 0600, owned by us: the server never reads it
 *   lock             which Careloop process uses this directory
 *   start.log        what the server said before its own log was open
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export const ROLE = 'careloop'
export const DATABASE = 'careloop'
/** In a folder of its own the port is only a part of the socket's name. */
export const SOCKET_PORT = 5432

export interface Layout {
  readonly dataDir: string
  readonly cluster: string
  readonly socketDir: string
  readonly password: string
  readonly lock: string
  readonly startLog: string
}

export function layout(dataDir: string): Layout {
  return {
    dataDir,
    cluster: join(dataDir, 'cluster'),
    socketDir: join(dataDir, 'cluster', 'socket'),
    password: join(dataDir, 'password'),
    lock: join(dataDir, 'lock'),
    startLog: join(dataDir, 'start.log'),
  }
}

/** @returns undefined when there is none */
export function readPassword(place: Layout): string | undefined {
  try {
    const text = readFileSync(place.password, 'utf8').trim()
    return text === '' ? undefined : text
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

export function makePassword(place: Layout): string {
  const password = randomBytes(24).toString('base64url')
  writeFileSync(place.password, `${password}\n`, { mode: 0o600 })
  return password
}

/** How to reach a server. `host` is a folder (Unix socket) or an address. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** A URL as `pg` takes it. Holds the password: never log it. */
export function connectionUrl(endpoint: Endpoint, password: string, database = DATABASE): string {
  const where = endpoint.host.startsWith('/')
    ? `/${database}?host=${encodeURIComponent(endpoint.host)}&port=${endpoint.port}`
    : `${endpoint.host}:${endpoint.port}/${database}`
  return `postgres://${ROLE}:${password}@${where}`
}

/**
 * A Unix socket's path may have 107 bytes (103 on macOS). Deeper data directories are reached by a short link in a folder that
 * only we can enter. @returns the folder for clients and a function that takes the link away
 */
export function reachableSocketDir(socketDir: string): { host: string; forget(): void } {
  const longest = Buffer.byteLength(join(socketDir, `.s.PGSQL.${SOCKET_PORT}`))
  if (longest <= 103) return { host: socketDir, forget: () => {} }
  const link = join(mkdtempSync(join(tmpdir(), 'careloop-')), 's')
  symlinkSync(socketDir, link)
  return { host: link, forget: () => rmSync(dirname(link), { recursive: true, force: true }) }
}
