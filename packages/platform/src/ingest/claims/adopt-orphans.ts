/**
 * Devices of a process that died are taken over even if they never come back here: their marks are brought up to date from the
 * log, so that the log need not be kept for them, and the dead process is laid to rest.
 */
import type { Engine } from '../../engine/index.ts'
import type { Slots } from '../marks/slots.ts'

/** A process whose heartbeat is older is dead, or paused so long that its devices are better served elsewhere. */
const DEAD_AFTER_MS = 60_000
const DAY_MS = 86_400_000
const BATCH = 500

/** @returns how many devices were taken over */
export async function adoptOrphans(engine: Engine, slots: Slots, self: string): Promise<number> {
  const { pool } = engine.db
  const now = engine.clock.now()
  await pool.query(
    `delete from engine.door_process p where ended and heard_until < $1
        and not exists (select from engine.device_claim c where c.process = p.process)`,
    [now - DAY_MS],
  )
  const dead = await pool.query<{ process: string }>(
    'select process from engine.door_process where not ended and process <> $1 and heard_until < $2',
    [self, now - DEAD_AFTER_MS],
  )
  let adopted = 0
  for (const { process } of dead.rows) {
    for (;;) {
      const { rows } = await pool.query<{ device: string }>(
        'select device from engine.device_claim where process = $1 limit $2',
        [process, BATCH],
      )
      if (rows.length === 0) break
      await Promise.all(rows.map(({ device }) => slots.load(device)))
      adopted += rows.length
    }
    if (await slots.save())
      await pool.query('update engine.door_process set ended = true where process = $1 and heard_until < $2', [
        process,
        now - DEAD_AFTER_MS,
      ])
  }
  return adopted
}
