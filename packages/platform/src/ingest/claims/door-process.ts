/**
 * This process as a door: registered, its heartbeat says until when it heard, its end is told. A start after a crash tells of
 * the time in which nobody listened, so that absence is not held against devices.
 */
import type { DoorChanged } from '@careloop/contract'
import type { Engine } from '../../engine/index.ts'

const HEARTBEAT_MS = 1000
/** A process whose heartbeat is older is not listening any more. */
const DEAF_AFTER_MS = 5000

export interface DoorProcess {
  readonly id: string
  /** @param saved everything known of its devices is stored: nobody need read the log for it */
  end(saved: boolean): Promise<void>
}

export async function openDoorProcess(engine: Engine): Promise<DoorProcess> {
  const id = engine.ids.uuid()
  const now = engine.clock.now()
  const head = await engine.log.head(0)
  const { rows } = await engine.db.pool.query<{ heard: number | null; someone: boolean }>(
    `select max(heard_until)::float8 as heard, coalesce(bool_or(heard_until > $1 and not ended), false) as someone
       from engine.door_process`,
    [now - DEAF_AFTER_MS],
  )
  await engine.db.pool.query(
    'insert into engine.door_process (process, started_at, heard_until, checkpoint) values ($1, $2, $2, $3)',
    [id, now, head],
  )
  const { heard, someone } = rows[0]!
  const entry: DoorChanged = {
    kind: 'door-up',
    process: id,
    ...(heard !== null && !someone ? { heardUntil: heard } : {}),
  }
  await engine.log.append([entry])
  const beat = () =>
    engine.db.pool
      .query('update engine.door_process set heard_until = $2 where process = $1', [id, engine.clock.now()])
      .catch((error: Error) => engine.watch.log.warn({ err: error }, 'the door could not note that it hears'))
  const stop = engine.clock.every(HEARTBEAT_MS, () => void beat())
  return {
    id,
    async end(saved) {
      stop()
      await engine.log.append([{ kind: 'door-down', process: id }])
      await engine.db.pool.query('update engine.door_process set ended = $3, heard_until = $2 where process = $1', [
        id,
        engine.clock.now(),
        saved,
      ])
    },
  }
}
