/** Writes what the server reads at its start: postgresql.conf and pg_hba.conf. */
import { randomUUID } from 'node:crypto'
import { closeSync, fchownSync, lchownSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Endpoint, ROLE } from './layout.ts'
import type { ServerOptions } from './server.ts'
import { postgresqlConf } from './settings.ts'

/** Who may come in how: our role with its password, by socket (Windows: loopback). Nothing else, no replication. */
const CLOSED =
  process.platform === 'win32' ? `host all ${ROLE} 127.0.0.1/32 scram-sha-256\n` : `local all ${ROLE} scram-sha-256\n`

export interface Configuration {
  /** Whether a server that runs already runs with the very same files and programs. */
  readonly current: boolean
  /** Writes them. Only while no server runs. */
  write(): void
  /** While `open`, our role needs no password; only who may enter the 0700 socket folder can use it. */
  writeAccess(access: 'open' | 'closed'): void
}

export function configuration(run: ServerOptions, endpoint: Endpoint, maxConnections: number): Configuration {
  const { place, binaries, account } = run
  const socketDir = process.platform === 'win32' ? null : 'socket'
  const conf = `# PostgreSQL ${binaries.version}\n${postgresqlConf({ socketDir, port: endpoint.port, maxConnections })}`
  const at = (name: string) => join(place.cluster, name)
  const writeAccess = (access: 'open' | 'closed') =>
    replaceFile(at('pg_hba.conf'), access === 'closed' ? CLOSED : CLOSED.replace('scram-sha-256', 'trust'), account)
  return {
    current: text(at('postgresql.conf')) === conf && text(at('pg_hba.conf')) === CLOSED,
    write() {
      replaceFile(at('postgresql.conf'), conf, account)
      writeAccess('closed')
      mkdirSync(place.socketDir, { recursive: true, mode: 0o700 })
      if (account.switches) lchownSync(place.socketDir, account.uid, account.gid)
    },
    writeAccess,
  }
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/**
 * The folder belongs to the less trusted user that runs the server: a link that it put there must not lead root's pen elsewhere,
 * so the file is written new and then takes the name.
 */
function replaceFile(path: string, content: string, account: { switches: boolean; uid: number; gid: number }): void {
  if (text(path) === content) return
  const draft = `${path}.${randomUUID()}`
  const fd = openSync(draft, 'wx', 0o600)
  writeSync(fd, content)
  if (account.switches) fchownSync(fd, account.uid, account.gid)
  closeSync(fd)
  renameSync(draft, path)
}
