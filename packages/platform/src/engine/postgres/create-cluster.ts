/** Makes the data directory. It appears under its name only when it is whole: a kill in the middle leaves nothing half made. */
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { engineFailure } from '../errors.ts'
import type { Account } from './account.ts'
import type { Binaries } from './binaries.ts'
import { type Layout, makePassword, ROLE } from './layout.ts'
import { dataDirArgument, finished, spawnAs } from './run-as.ts'
import { scramVerifier } from './scram.ts'

export interface CreateOptions {
  readonly binaries: Binaries
  readonly account: Account
  /** initdb's further arguments, e.g. `--no-sync` for tests. */
  readonly initdbArgs?: readonly string[]
}

/** Runs initdb (about 0.5 s). @throws Failure `postgres-init` (503) with what initdb said */
export async function createCluster(place: Layout, options: CreateOptions): Promise<void> {
  for (const name of readdirSync(place.dataDir)) {
    if (name.startsWith('new-')) rmSync(join(place.dataDir, name), { recursive: true, force: true })
  }
  const work = mkdtempSync(join(place.dataDir, 'new-'))
  const cluster = join(work, 'cluster')
  mkdirSync(cluster, { mode: 0o700 })
  await initdb(work, cluster, makePassword(place), options)
  if (options.account.switches) chownTree(cluster, options.account)
  renameSync(cluster, place.cluster)
  // initdb has made its files durable under another name; a power cut must not take the new one away with readings in it.
  for (const dir of [place.dataDir, dirname(place.dataDir), dirname(dirname(place.dataDir))]) syncFolder(dir)
  rmSync(work, { recursive: true, force: true })
}

function syncFolder(dir: string): void {
  if (process.platform === 'win32') return // a folder cannot be opened there
  let fd: number
  try {
    fd = openSync(dir, 'r')
  } catch {
    return // a folder above ours that we may not read: it was there before us
  }
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

async function initdb(work: string, cluster: string, password: string, options: CreateOptions): Promise<void> {
  const { account, binaries } = options
  const runner = { switches: account.switches, uid: account.initUid, gid: account.initGid }
  const verifier = passwordFile(work, password, runner)
  const outputPath = join(work, 'output')
  const output = openSync(outputPath, 'w', 0o600)
  if (runner.switches) chownSync(cluster, runner.uid, runner.gid)
  const args = [
    ...['-D', dataDirArgument(account, cluster), '-U', ROLE, '-E', 'UTF8', '--no-instructions', '--no-clean'],
    // Sort order and case rules come with the server, not with the host's libraries: an upgrade there damages no index.
    ...['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--data-checksums'],
    ...['--auth-local=scram-sha-256', '--auth-host=scram-sha-256', `--pwfile=${verifier.path}`],
    ...(options.initdbArgs ?? []),
  ]
  try {
    const code = await finished(
      spawnAs(binaries.initdb, args, { account: runner, cwd: cluster, stdin: verifier.fd, output }),
    )
    if (code !== 0) throw new Error(lastLines(outputPath))
  } catch (cause) {
    throw engineFailure('postgres-init', initFailure(cause, basename(binaries.initdb)), { cause })
  } finally {
    closeSync(output)
    closeSync(verifier.fd)
  }
}

/** initdb gets the SCRAM verifier, not the password: by an open, nameless file where the system can, else from our 0700 folder. */
function passwordFile(work: string, password: string, runner: { switches: boolean; uid: number; gid: number }) {
  const path = join(work, 'verifier')
  writeFileSync(path, `${scramVerifier(password)}\n`, { mode: 0o600 })
  if (runner.switches) chownSync(path, runner.uid, runner.gid)
  const fd = openSync(path, 'r')
  if (process.platform === 'win32') return { fd, path }
  unlinkSync(path)
  return { fd, path: '/dev/stdin' }
}

/** Gives the tree to the account and closes it to others, as PostgreSQL demands; also after a restore by root. */
export function chownTree(dir: string, account: Account): void {
  chmodSync(dir, 0o700)
  const walk = (at: string) => {
    lchownSync(at, account.uid, account.gid)
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name)
      if (entry.isDirectory()) walk(path)
      else lchownSync(path, account.uid, account.gid)
    }
  }
  walk(dir)
}

export function lastLines(path: string, count = 8): string {
  return readFileSync(path, 'utf8').trim().split('\n').slice(-count).join('\n')
}

function initFailure(cause: unknown, program: string): string {
  const said = cause instanceof Error ? cause.message : String(cause)
  const advice = said.includes('could not look up effective user ID')
    ? 'This process runs under a number without a user name. Add it to /etc/passwd, or set DATABASE_URL.'
    : said.includes('shared libraries')
      ? 'A library of the system is missing: install it, or set DATABASE_URL.'
      : 'Mend the cause and start again; nothing was left behind.'
  return `The embedded PostgreSQL could not be set up. ${program} said: ${said}\n${advice}`
}
