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
    adopted += await adoptFrom(engine, slots, process)
    if (await slots.save())
      await pool.query(
        // Not while a device is left that could not be loaded: of an ended process nobody reads the log.
        `update engine.door_process set ended = true where process = $1 and heard_until < $2
            and not exists (select from engine.device_claim where process = $1)`,
        [process, now - DEAD_AFTER_MS],
      )
  }
  return adopted
}

async function adoptFrom({ db }: Engine, slots: Slots, process: string): Promise<number> {
  let adopted = 0
  for (let before = new Set<string>(); ; ) {
    const devices = await claimedBy(db.pool, process, null)
    // A round that moved nothing: the next one would not either.
    if (devices.every((device) => before.has(device))) return adopted
    const held = devices.flatMap((device) => slots.get(device) ?? [])
    // Served here once and taken over by the dead process before we looked: what is known here is out of date.
    const lost = new Set(
      held.length === 0
        ? []
        : await claimedBy(
            db.pool,
            process,
            held.map((slot) => slot.device),
          ),
    )
    for (const slot of held) if (lost.has(slot.device)) slots.forget(slot)
    const loaded = await Promise.allSettled(devices.map((device) => slots.load(device)))
    adopted += loaded.filter(({ status }) => status === 'fulfilled').length
    before = new Set(devices)
  }
}

async function claimedBy(pool: Engine['db']['pool'], process: string, among: readonly string[] | null) {
  const { rows } = await pool.query<{ device: string }>(
    `select device from engine.device_claim where process = $1 and ($3::uuid[] is null or device = any($3)) order by device limit $2`,
    [process, BATCH, among],
  )
  return rows.map((row) => row.device)
}
