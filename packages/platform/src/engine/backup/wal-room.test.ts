import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { expect, test } from 'vitest'
import { makeManualClock } from '../clock/manual-clock.ts'
import { prepareDatabase, startPostgres } from '../postgres/index.ts'
import { makeWatch } from '../watch/watch.ts'
import { readBackupState } from './backup-state.ts'
import { dropSlot, guardWalRoom, mustLetGo, walLimit } from './wal-room.ts'
import { SLOT } from './wal-shipper.ts'

const GIB = 1024 ** 3

test.each([
  ['a large disk: what was always held', { freeBytes: 100 * GIB, floorBytes: 5 * GIB, heldBytes: 0 }, 8 * GIB],
  ['a small one: half of what is above the floor', { freeBytes: 8 * GIB, floorBytes: 2 * GIB, heldBytes: 0 }, 3 * GIB],
  [
    'after a start, what is held already counts',
    { freeBytes: 4 * GIB, floorBytes: 2 * GIB, heldBytes: 4 * GIB },
    3 * GIB,
  ],
  ['below the floor: hardly anything', { freeBytes: GIB, floorBytes: 2 * GIB, heldBytes: 0 }, GIB / 16],
])('backups > log that waits for the store is limited by what is free > %s', (_, room, limit) => {
  expect(walLimit(room)).toBe(limit)
  expect(walLimit(room, GIB)).toBe(Math.min(limit, GIB))
})

test('backups > log is let go of before readings are refused, and only when that frees something', () => {
  const near = { freeBytes: 2.9 * GIB, floorBytes: 2 * GIB }
  expect(mustLetGo({ ...near, heldBytes: GIB })).toBe(true)
  expect(mustLetGo({ ...near, heldBytes: GIB / 64 })).toBe(false)
  expect(mustLetGo({ ...near, freeBytes: 3.1 * GIB, heldBytes: GIB })).toBe(false)
})

/** A server of its own: a slot belongs to the whole of it. */
test('backups > near the floor the log that waits for a store is let go of, told, and measured before', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'careloop-wal-room-'))
  const server = await startPostgres({ dataDir: join(dir, 'postgres'), initdbArgs: ['--no-sync'] })
  const pool = new pg.Pool({ connectionString: server.url, max: 2 })
  try {
    await prepareDatabase(server.url)
    await pool.query('select pg_create_physical_replication_slot($1, true)', [SLOT])
    // A segment of 16 MiB each, of which hardly anything is written.
    for (let n = 0; n < 17; n++)
      await pool
        .query(`select pg_logical_emit_message(true, 'test', 'x')`)
        .then(() => pool.query('select pg_switch_wal()'))
    const clock = makeManualClock(1_000_000)
    const watch = makeWatch({ level: 'silent' })
    const room = { freeBytes: 10 * GIB, floorBytes: 2 * GIB }
    const looks = async () => {
      const stop = guardWalRoom({ db: { pool }, clock, watch }, { dataDir: dir }, () => room)
      await clock.advance(5_000)
      await stop()
    }
    const slots = async () => (await pool.query('select slot_name from pg_replication_slots')).rows.length

    await looks()
    expect(await slots()).toBe(1)
    expect(await watch.metrics.getSingleMetricAsString('careloop_backup_wal_held_bytes')).toMatch(/ 2\d{8}$/)
    expect((await pool.query('show max_slot_wal_keep_size')).rows).toEqual([
      { max_slot_wal_keep_size: expect.stringMatching(/^4\d{3}MB$/) },
    ])

    room.freeBytes = 2.5 * GIB
    watch.metrics.clear()
    await looks()
    expect(await slots()).toBe(0)
    expect((await readBackupState(pool)).walLostAt).toBe(clock.now())
    expect(await dropSlot(pool)).toBe(false)
  } finally {
    await pool.end()
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}, 30_000)
