/** Puts the nine ports together on one database. Which database it is was decided by the caller. */
import { join } from 'node:path'
import pg from 'pg'
import { makeBlobs } from './blobs/blobs.ts'
import { makeClock } from './clock/system-clock.ts'
import { makeCompute } from './compute/compute.ts'
import { makeDb } from './db/db.ts'
import { type DiskGuard, guardDisk } from './disk/disk-guard.ts'
import { makeIds } from './ids/ids.ts'
import { makeKeys } from './keys/keys.ts'
import type { MasterKeys } from './keys/master-key.ts'
import { makeLeases } from './leases/leases.ts'
import { type ClosableLog, makeReadingLog } from './log/reading-log.ts'
import type { Clock, Engine, Watch } from './ports.ts'
import { makeTimers } from './timers/timers.ts'

export interface EngineOptions {
  /** Of the migrated database. Holds a password: never log it. */
  readonly url: string
  readonly masters: MasterKeys
  /** Folder for blobs and the disk's reserve. */
  readonly dataDir: string
  readonly watch: Watch
  readonly clock?: Clock
  /** The disk that the database lies on is this machine's: guard it. Default false. */
  readonly guard?: { readonly floorBytes?: number; readonly ballastBytes?: number }
  /** Default: one less than the cores, at least 1. */
  readonly computeThreads?: number
  /** Connections for rooms' transactions. Default 20. */
  readonly maxConnections?: number
}

export interface OpenEngine {
  readonly engine: Engine
  readonly disk: DiskGuard | null
  /** Drains the log, ends threads and connections. */
  close(): Promise<void>
}

const IDLE_TRANSACTION_MS = 10 * 60_000

export function openEngine(options: EngineOptions): OpenEngine {
  const { watch } = options
  const clock = options.clock ?? makeClock()
  const ids = makeIds(clock)
  const pools: pg.Pool[] = []
  let closing = false
  // Keys and leases have pools of their own: they are asked for inside transactions, and must not wait behind them.
  const pool = (max: number, name: string) => {
    const made = new pg.Pool({
      connectionString: options.url,
      max,
      connectionTimeoutMillis: 15_000,
      // One that stays open keeps facts unheard and the audit trail unsealed.
      idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
      application_name: `careloop-${name}`,
    })
    // Connections that a stopping database cuts after us are no news.
    made.on('error', (error) => closing || watch.log.warn({ err: error }, 'a database connection was lost'))
    // The pool listens only to idle connections. One that breaks inside a transaction, between two statements, told nobody, and an
    // 'error' that nobody hears ends the process; the next statement fails on it and says so to whom it concerns.
    made.on('connect', (client) => client.on('error', () => {}))
    pools.push(made)
    return made
  }
  const main = pool(options.maxConnections ?? 20, 'rooms')
  const keys = makeKeys({ pool: pool(2, 'keys'), masters: options.masters, ids })
  const disk = options.guard ? guardDisk({ dir: options.dataDir, clock, watch, ...options.guard }) : null
  const log: ClosableLog = makeReadingLog({
    ...{ pool: main, clock, ids, keys, watch },
    connect: { connectionString: options.url },
    storage: () => disk?.refusal() ?? null,
  })
  const db = makeDb({ pool: main, watch, log: () => log })
  const compute = makeCompute(options.computeThreads === undefined ? {} : { threads: options.computeThreads })
  const timers = makeTimers({ db, pool: pool(2, 'timers'), clock, watch, isScripted: options.clock !== undefined })
  const engine: Engine = {
    ...{ log, db, clock, ids, keys, compute, timers, watch },
    blobs: makeBlobs({ folder: join(options.dataDir, 'blobs'), pool: main, keys, ids, clock }),
    leases: makeLeases({ pool: pool(2, 'leases'), ids, watch }),
  }
  return {
    engine,
    disk,
    async close() {
      closing = true
      await timers.close()
      await log.close()
      await compute.close()
      await db.close()
      disk?.stop()
      await Promise.all(pools.map((each) => each.end()))
    },
  }
}
