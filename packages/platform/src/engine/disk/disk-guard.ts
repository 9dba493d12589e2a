/**
 * Refuses before the disk is full. A full disk stops PostgreSQL in ways that lose service for hours; below the floor nothing
 * new is accepted and everything accepted is still written. A ballast file is the reserve that an operator can let go of.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, statfsSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Watch } from '../ports.ts'

export interface DiskGuardOptions {
  readonly dir: string
  readonly clock: Clock
  readonly watch: Watch
  /** Free bytes below which nothing is accepted. Default: the greater of 2 GiB and 5 % of the file system. */
  readonly floorBytes?: number
  /** Size of the reserve. Default 256 MB; 0 for none. */
  readonly ballastBytes?: number
}

export interface DiskState {
  readonly freeBytes: number
  readonly floorBytes: number
  readonly ballast: boolean
}

export interface DiskGuard {
  /** `storage-low` while free space is below the floor. Cheap: asked for every message. */
  refusal(): 'storage-low' | null
  state(): DiskState
  stop(): void
}

const GIB = 1024 ** 3
const DEFAULT_BALLAST = 256 * 1000 * 1000

/** Looks every second; acceptance returns only 10 % above the floor, so that it does not flap. */
export function guardDisk(options: DiskGuardOptions): DiskGuard {
  mkdirSync(options.dir, { recursive: true })
  const ballast = join(options.dir, 'ballast')
  let low = false
  let state = look()

  function look(): DiskState {
    return { ...lookAtDisk(options.dir, options.floorBytes), ballast: exists(ballast) }
  }

  function check(): void {
    state = look()
    const next = low ? state.freeBytes < state.floorBytes * 1.1 : state.freeBytes < state.floorBytes
    if (next !== low)
      options.watch.log[next ? 'error' : 'info'](
        { freeBytes: state.freeBytes, floorBytes: state.floorBytes },
        next
          ? 'disk nearly full: new readings are refused until space is freed'
          : 'disk has space again: readings are accepted',
      )
    low = next
  }

  check()
  const wanted = options.ballastBytes ?? DEFAULT_BALLAST
  if (!low && !state.ballast && wanted > 0 && state.freeBytes - wanted > state.floorBytes * 1.1)
    writeBallast(ballast, wanted)
  const stop = options.clock.every(1000, check)
  return { refusal: () => (low ? 'storage-low' : null), state: () => state, stop }
}

/** @param floor bytes; absent = the greater of 2 GiB and 5 % of the file system */
export function lookAtDisk(dir: string, floor?: number): Pick<DiskState, 'freeBytes' | 'floorBytes'> {
  const fs = statfsSync(dir)
  return { freeBytes: fs.bavail * fs.bsize, floorBytes: floor ?? Math.max(2 * GIB, 0.05 * fs.blocks * fs.bsize) }
}

/** Lets the reserve go, so that PostgreSQL can checkpoint and clean up on a full disk. Returns the bytes freed. */
export function releaseBallast(dir: string): number {
  const path = join(dir, 'ballast')
  if (!exists(path)) return 0
  const { size } = statSync(path)
  unlinkSync(path)
  return size
}

function writeBallast(path: string, bytes: number): void {
  const file = openSync(path, 'w', 0o600)
  try {
    const block = Buffer.alloc(1024 * 1024)
    for (let written = 0; written < bytes; written += block.length)
      writeSync(file, block, 0, Math.min(block.length, bytes - written))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
