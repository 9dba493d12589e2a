/**
 * Following the log for the few entries that a stage wants, without a transaction for the many that it does not: the cursor
 * moves in the transaction that takes something, and else every few seconds.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { LogEntry } from '@careloop/contract'
import type { Engine, EngineTx } from '../ports.ts'

export interface LogFollower {
  /** Name of its cursor. */
  readonly cursor: string
  wants(entry: LogEntry): boolean
  /** Stores what follows, in the transaction that moves the cursor past it: each entry is taken once. */
  take(tx: EngineTx, found: readonly FoundEntry[]): Promise<void>
}

export interface FoundEntry {
  readonly position: number
  readonly entry: LogEntry
}

const PARTITION = 0
const BATCH_ENTRIES = 5000
/** Commits that come meanwhile are read together. Real time, as `waitFor` is: it spares the machine, it decides nothing. */
const PACE_MS = 100
const MOVE_CURSOR_MS = 5000

interface Place {
  /** Where the database's cursor stands. */
  cursor: string
  /** Looked at up to here; nothing wanted lies between. */
  seen: number
  movedAt: number
}

/** Follows until `stop` aborts; throws when the database fails or another process moved the cursor: begin again then. */
export async function followLog(engine: Engine, follower: LogFollower, stop: AbortSignal): Promise<void> {
  const place = await begin(engine, follower)
  while (!stop.aborted) {
    if (!(await step(engine, follower, place))) await engine.log.waitFor(PARTITION, place.seen, MOVE_CURSOR_MS, stop)
    await pause(PACE_MS)
  }
  await settle(engine, follower, place)
}

/** Takes in what the log holds now. @returns whether there was anything */
export async function followOnce(engine: Engine, follower: LogFollower): Promise<boolean> {
  const place = await begin(engine, follower)
  const found = await step(engine, follower, place)
  await settle(engine, follower, place)
  return found
}

async function begin(engine: Engine, follower: LogFollower): Promise<Place> {
  const cursor = await engine.db.cursor(follower.cursor)
  return { cursor, seen: Number(cursor), movedAt: engine.clock.now() }
}

async function step(engine: Engine, follower: LogFollower, place: Place): Promise<boolean> {
  const commits = await engine.log.read(PARTITION, place.seen, BATCH_ENTRIES)
  const newest = commits.at(-1)
  if (newest) {
    const found: FoundEntry[] = []
    for (const { position, entries } of commits)
      for (const entry of entries) if (follower.wants(entry)) found.push({ position, entry })
    if (found.length > 0) await move(engine, follower, place, newest.position, (tx) => follower.take(tx, found))
    place.seen = newest.position
  }
  if (engine.clock.now() - place.movedAt >= MOVE_CURSOR_MS) await settle(engine, follower, place)
  return newest !== undefined
}

async function settle(engine: Engine, follower: LogFollower, place: Place): Promise<void> {
  if (String(place.seen) === place.cursor) place.movedAt = engine.clock.now()
  else await move(engine, follower, place, place.seen, async () => {})
}

async function move(
  engine: Engine,
  follower: LogFollower,
  place: Place,
  upTo: number,
  work: (tx: EngineTx) => Promise<void>,
): Promise<void> {
  await engine.db.asEngine(async (tx) => {
    await work(tx)
    await engine.db.moveCursor(tx, follower.cursor, place.cursor, String(upTo))
  })
  place.cursor = String(upTo)
  place.movedAt = engine.clock.now()
}
