/**
 * How much log may wait on this disk for the store. Readings come first: what is held for a store that is away must never bring the
 * disk to the floor below which readings are refused, so the limit is taken from what is free, and near the floor all is let go of.
 */
import type { Pool } from 'pg'
import { Gauge } from 'prom-client'
import { lookAtDisk } from '../disk/disk-guard.ts'
import type { Engine } from '../ports.ts'
import { writeBackupState } from './backup-state.ts'
import { SLOT } from './wal-shipper.ts'

const MIB = 1024 ** 2
const MOST = 8 * 1024 * MIB
/** Of four segments: shipping itself needs some. */
const LEAST = 64 * MIB
/** Less than this is what stands between two shipments; letting go of it would free nothing. */
const NOTICEABLE = 256 * MIB
const LOOK_MS = 5_000

export interface WalRoom {
  readonly freeBytes: number
  /** Below it readings are refused. */
  readonly floorBytes: number
  /** By the slot, already. */
  readonly heldBytes: number
}

/** @param most what the operator allows, bytes @returns bytes, in steps of a MiB */
export function walLimit({ freeBytes, floorBytes, heldBytes }: WalRoom, most: number = MOST): number {
  const half = (freeBytes + heldBytes - floorBytes) / 2
  return Math.floor(Math.max(LEAST, Math.min(MOST, most, half)) / MIB) * MIB
}

/** Whether the log that waits for the store has to go, so that readings go on. */
export const mustLetGo = ({ freeBytes, floorBytes, heldBytes }: WalRoom): boolean =>
  freeBytes < 1.5 * floorBytes && heldBytes > NOTICEABLE

type Parts = Pick<Engine, 'clock' | 'watch'> & { readonly db: Pick<Engine['db'], 'pool'> }

/** Of the disk that log and readings share. */
export interface WalDisk {
  readonly dataDir: string
  /** Default: that of the disk guard. */
  readonly floorBytes?: number
}

/**
 * Sets the limit, looks every 5 s, and drops the slot near the floor: the shipper then begins a new chain with a new base copy.
 * It asks nothing of the store, which may be what is away.
 * @param look only in tests another disk
 */
export function guardWalRoom(
  engine: Parts,
  disk: WalDisk,
  look: () => Pick<WalRoom, 'freeBytes' | 'floorBytes'> = () => lookAtDisk(disk.dataDir, disk.floorBytes),
): () => Promise<void> {
  const { clock, watch, db } = engine
  const gauge = new Gauge({
    name: 'careloop_backup_wal_held_bytes',
    help: 'Log on this disk that waits for the backup store',
    registers: [watch.metrics],
  })
  const told = (err: unknown) => watch.log.warn({ err }, 'the log that waits for the backup store cannot be looked at')
  let running = limitWal(db.pool, look).catch(told)
  let isBusy = false
  const stop = clock.every(LOOK_MS, () => {
    if (isBusy) return
    isBusy = true
    running = running
      .then(() => keepRoom(engine, look, gauge))
      .catch(told)
      .finally(() => {
        isBusy = false
      })
  })
  return async () => {
    stop()
    await running
  }
}

async function keepRoom({ db, clock, watch }: Parts, look: () => Omit<WalRoom, 'heldBytes'>, gauge: Gauge) {
  const heldBytes = await heldBySlot(db.pool)
  gauge.set(heldBytes)
  const room = { ...look(), heldBytes }
  if (!mustLetGo(room) || !(await dropSlot(db.pool))) return
  await writeBackupState(db.pool, { walLostAt: clock.now() })
  watch.log.error(room, 'the disk is nearly full: log that waited for the backup store was let go of, readings go on')
  gauge.set(0)
  // Only a checkpoint frees what nothing holds any more.
  await db.pool.query('checkpoint')
}

/** What of the operator's own file is kept in mind: ours is written beside it and would hide it. */
async function limitWal(pool: Pool, look: () => Omit<WalRoom, 'heldBytes'>): Promise<void> {
  const { rows } = await pool.query<{ now: string; own: string | null }>(
    `select current_setting('max_slot_wal_keep_size') as now,
            (select pg_size_bytes(case when setting ~ '^\\d+$' then setting || 'MB' else setting end)::text
               from pg_file_settings
              where name = 'max_slot_wal_keep_size' and sourcefile not like '%postgresql.auto.conf' and setting !~ '^-'
              order by seqno desc limit 1) as own`,
  )
  const own = rows[0]?.own
  const limit = walLimit({ ...look(), heldBytes: await heldBySlot(pool) }, own ? Number(own) : undefined)
  await pool.query(`alter system set max_slot_wal_keep_size = '${limit / MIB}MB'`)
  await pool.query('select pg_reload_conf()')
}

async function heldBySlot(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ held: number | null }>(
    `select pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 as held from pg_replication_slots where slot_name = $1`,
    [SLOT],
  )
  return rows[0]?.held ?? 0
}

/** Also for a server that no longer has a store: nobody would ever take what is held. @returns whether there was one */
export async function dropSlot(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query(
    'select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1 and not active',
    [SLOT],
  )
  return rowCount === 1
}
