/**
 * Runs PostgreSQL's programs as the account. Root on Linux starts them inside the data directory and names it
 * `/proc/self/cwd`: the folder is entered before the user changes, so neither a 0700 home nor a 0700 data folder above it
 * has to be opened for that user. (A plain relative path does not do: PostgreSQL makes it absolute.)
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Account } from './account.ts'

/** How the data directory is named to a program that was started inside it. */
export function dataDirArgument(account: Account, cluster: string): string {
  return account.switches && process.platform === 'linux' ? '/proc/self/cwd' : cluster
}

export interface RunOptions {
  readonly account: { readonly switches: boolean; readonly uid: number; readonly gid: number }
  readonly cwd: string
  /** File descriptors; pipes would break when this process dies before the server. */
  readonly stdin?: number
  readonly output?: number
}

/** A process group of its own: Ctrl-C in a terminal reaches Careloop only, which drains its doors before it stops the database. */
export function spawnAs(program: string, args: readonly string[], options: RunOptions): ChildProcess {
  const { account } = options
  return spawn(program, [...args], {
    cwd: options.cwd,
    env: environment(),
    detached: true,
    windowsHide: true,
    stdio: [options.stdin ?? 'ignore', options.output ?? 'ignore', options.output ?? 'ignore'],
    ...(account.switches ? { uid: account.uid, gid: account.gid } : {}),
  })
}

/** PG* variables of the shell would change what the programs do; locale and library paths of the shell likewise. */
function environment(): NodeJS.ProcessEnv {
  const keep = ['PATH', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'SYSTEMROOT', 'ComSpec', 'COMSPEC', 'PATHEXT']
  const kept = Object.fromEntries(keep.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
  return { ...kept, LC_ALL: 'C', TZ: 'UTC' }
}

/** @returns exit code, null when ended by a signal. @throws the system's error when it cannot be started */
export function finished(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code))
  })
}
