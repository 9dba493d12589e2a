/** The note in a data directory while a restore into it is not finished: it keeps every door, and every start, shut. */
import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { engineFailure } from '../errors.ts'

const NOTE = 'restoring.json'

/**
 * Before anything else lies in the directory. A cluster that was fetched by half may start all the same, without erasures made again,
 * and its server would ship over the good log in the store.
 */
export function noteRestore(dataDir: string, base: string): void {
  const fd = openSync(join(dataDir, NOTE), 'wx', 0o600)
  try {
    writeFileSync(fd, JSON.stringify({ base }))
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

export function endRestoreNote(dataDir: string): void {
  rmSync(join(dataDir, NOTE))
}

/** @throws Failure `restore-unfinished`: erased people might be readable in what lies there */
export function assertNoRestoreRuns(dataDir: string): void {
  if (!existsSync(join(dataDir, NOTE))) return
  throw engineFailure(
    'restore-unfinished',
    `A restore into ${dataDir} was not finished: what was erased is not erased again in it. Remove the directory and restore anew.`,
  )
}
