/**
 * One live Careloop a data directory. The lock file names a process by number and start time, because a number alone comes
 * back after a reboot or in a new container, and is touched while its holder lives, because another container on the same
 * volume cannot look up the number.
 */
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  closeSync,
  constants,
  copyFileSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { engineFailure } from '../errors.ts'
import { isAlive } from './postmaster-pid.ts'

interface Holder {
  readonly pid: number
  readonly startedAt: string
  readonly host: string
}

export interface DataDirLock {
  release(): void
}

const TOUCH_MS = 5_000
/** A holder on another host that did not touch the file for this long is gone. */
const STALE_MS = 20_000

/**
 * Takes the lock; waits up to 25 s for a holder on another host (a container that was just replaced) to prove dead.
 * @throws Failure `data-dir-in-use` (409) when its holder lives
 */
export async function lockDataDir(path: string, waitMs = STALE_MS + TOUCH_MS): Promise<DataDirLock> {
  const mine: Holder = { pid: process.pid, startedAt: processStart(process.pid), host: hostname() }
  const deadline = performance.now() + waitMs
  for (;;) {
    const holder = take(path, mine)
    if (holder === undefined) return held(path, mine)
    if (holder.host === mine.host || performance.now() > deadline) {
      throw engineFailure(
        'data-dir-in-use',
        `Another Careloop (process ${holder.pid} on ${holder.host}) uses this data directory. Stop it, or choose another CARELOOP_DATA. If you are sure that it is gone, remove ${path}.`,
      )
    }
    await pause(250)
  }
}

/** @returns who holds the lock, undefined when it is ours now */
function take(path: string, mine: Holder): Holder | undefined {
  const draft = `${path}.${randomUUID()}`
  writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 })
  try {
    for (;;) {
      try {
        claim(draft, path)
        return undefined
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const found = read(path)
      if (found === undefined) continue
      if (isLive(found.holder, mine, ageMs(path, draft))) return found.holder
      evict(path, found.text)
      writeFileSync(draft, JSON.stringify(mine)) // its time is compared with the next holder's
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Fails with EEXIST when the name is taken: the one atomic step. Some file systems know no second name for a file. */
function claim(draft: string, path: string): void {
  try {
    linkSync(draft, path)
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    copyFileSync(draft, path, constants.COPYFILE_EXCL)
  }
}

function read(path: string): { holder: Holder; text: string } | undefined {
  try {
    const text = readFileSync(path, 'utf8')
    return { holder: parse(text), text }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A power cut leaves an empty file. Nobody can be asked then, so only its age counts, as for another host's. */
function parse(text: string): Holder {
  try {
    return JSON.parse(text) as Holder
  } catch {
    return { pid: 0, startedAt: '', host: 'an unknown host' }
  }
}

/** By the file system's own clock, which the hosts that share it have in common. */
function ageMs(path: string, justWritten: string): number {
  return statSync(justWritten).mtimeMs - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
}

function isLive(holder: Holder, mine: Holder, ageMs: number): boolean {
  if (holder.host !== mine.host) return ageMs < STALE_MS
  return isAlive(holder.pid) && processStart(holder.pid) === holder.startedAt
}

/** Takes a dead holder's file away, and gives it back if another process was quicker and it is a living one's by now. */
function evict(path: string, expected: string): void {
  const aside = `${path}.${randomUUID()}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (readFileSync(aside, 'utf8') !== expected) claim(aside, path)
  rmSync(aside, { force: true })
}

function held(path: string, mine: Holder): DataDirLock {
  const timer = setInterval(() => {
    try {
      if (read(path)?.text === JSON.stringify(mine)) touch(path)
    } catch {
      // The directory was taken away under us; the server's own failure will say so.
    }
  }, TOUCH_MS)
  timer.unref()
  return {
    release() {
      clearInterval(timer)
      if (read(path)?.text === JSON.stringify(mine)) rmSync(path, { force: true })
    },
  }
}

function touch(path: string): void {
  const fd = openSync(path, 'r+')
  writeSync(fd, '{', 0) // the byte that is there already: only the time changes, by the file system's clock
  closeSync(fd)
}

/** When a process started, in words that differ between two processes of one number. `` where the system does not tell. */
export function processStart(pid: number): string {
  try {
    if (process.platform === 'linux') {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // The name in parentheses may hold spaces; field 22 is the start in clock ticks since boot.
      return `${boot} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`
    }
    if (process.platform === 'win32') return ''
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
}
