/** PostgreSQL's own lock file. Source: src/include/utils/pidfile.h (line 1 pid, 3 start time, 4 port, 8 status). */
import { readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'

export interface Postmaster {
  readonly pid: number
  /** Seconds since the epoch. */
  readonly startedAt: number
  readonly port: number
  readonly status: string
}

/** @returns undefined when there is no such file or the server is only beginning to write it */
export function readPostmasterPid(cluster: string): Postmaster | undefined {
  let lines: readonly string[]
  try {
    lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  return { pid, startedAt: Number(lines[2]), port: Number(lines[3]), status: (lines[7] ?? '').trim() }
}

/** Whether a process with this id lives, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Whether the process is a PostgreSQL that runs in this very directory; a pid file outlives its process, and the number may
 * belong to anything by now. Linux tells; elsewhere `unknown`, and only logging in with our password can tell.
 */
export function runsIn(cluster: string, pid: number): boolean | 'unknown' {
  if (process.platform !== 'linux') return isAlive(pid) ? 'unknown' : false
  try {
    const program = basename(readlinkSync(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, '')
    return program === 'postgres' && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster)
  } catch {
    return false
  }
}
