/**
 * A note in the data directory by which `careloop device enroll` and its like find the server that runs there. It holds the
 * embedded database's address and password, so it is readable by its owner only; it goes with the server, and a stale one is
 * ignored, also when its process number belongs to another program by now. With DATABASE_URL nothing is written: the address is
 * in the environment already, and is not ours to leave in a file.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { processStart } from '../engine/index.ts'

export interface Running {
  readonly id: string
  readonly pid: number
  /** When that process started, as `processStart` says it. */
  readonly startedAt: string
  readonly url: string
}

const pathOf = (dataDir: string) => join(dataDir, 'running.json')

export function writeRunning(
  dataDir: string,
  { id, url }: Pick<Running, 'id' | 'url'>,
  pid: number = process.pid,
): { remove(): void } {
  const running: Running = { id, pid, startedAt: processStart(pid), url }
  writeFileSync(pathOf(dataDir), JSON.stringify(running), { mode: 0o600 })
  return {
    remove() {
      if (readNote(dataDir)?.id === running.id) rmSync(pathOf(dataDir), { force: true })
    },
  }
}

/** The server that runs on this data directory, or undefined. */
export function findRunning(dataDir: string): Running | undefined {
  const note = readNote(dataDir)
  return note && isAlive(note.pid) && processStart(note.pid) === note.startedAt ? note : undefined
}

function readNote(dataDir: string): Running | undefined {
  try {
    return JSON.parse(readFileSync(pathOf(dataDir), 'utf8')) as Running
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
