/**
 * This process as a door: registered, its heartbeat says until when it heard, its end is told. A start after a crash tells of
 * the time in which nobody listened, so that absence is not held against devices. Of a process that was killed another tells that
 * it is down, and with it the connections of its devices.
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

/** @param revived called when this process had been taken for dead (it was paused) and has said that it is up again */
export async function openDoorProcess(engine: Engine, revived: () => Promise<void>): Promise<DoorProcess> {
  const id = engine.ids.uuid()
  await register(engine, id)
  let beating: Promise<void> | undefined
  const beat = () => {
    beating ??= heartbeat(engine, id, revived)
      .catch((err: Error) => engine.watch.log.warn({ err }, 'the door could not note that it hears'))
      .finally(() => {
        beating = undefined
      })
  }
  const stop = engine.clock.every(HEARTBEAT_MS, beat)
  return {
    id,
    async end(saved) {
      stop()
      await beating
      await say(engine, [{ kind: 'door-down', process: id }])
      await engine.db.pool.query(
        'update engine.door_process set told_down = true, ended = $3, heard_until = $2 where process = $1',
        [id, engine.clock.now(), saved],
      )
    },
  }
}

/**
 * Past the refusals that devices get: on a disk that is nearly full a server must still start, to show what it has and to say why it
 * refuses, and must still end in order.
 */
async function say(engine: Engine, entries: readonly DoorChanged[]): Promise<void> {
  await engine.db.asEngine((tx) => engine.log.appendWithin(tx, entries))
}

async function register(engine: Engine, id: string): Promise<void> {
  const now = engine.clock.now()
  const head = await engine.log.head(0)
  const { rows } = await engine.db.pool.query<{ heard: number | null; someone: boolean }>(
    `select max(heard_until)::float8 as heard,
            coalesce(bool_or(heard_until > $1 and not ended and not told_down), false) as someone
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
  await say(engine, [entry])
  // After our own: before it the end of the last door would seem to be now, and not when it was last heard of.
  await tellSilent(engine, id)
}

async function heartbeat(engine: Engine, id: string, revived: () => Promise<void>): Promise<void> {
  const { rows } = await engine.db.pool.query<{ told_down: boolean }>(
    'update engine.door_process set heard_until = $2 where process = $1 returning told_down',
    [id, engine.clock.now()],
  )
  if (rows[0]?.told_down) {
    await say(engine, [{ kind: 'door-up', process: id }])
    await engine.db.pool.query('update engine.door_process set told_down = false, ended = false where process = $1', [
      id,
    ])
    engine.watch.log.warn('this process stood still so long that it was taken for dead; it goes on')
    await revived()
  }
  await tellSilent(engine, id)
}

/**
 * Resolves when no door process is in doubt: each has beaten lately or is told down. Whoever fires timers by the log's time waits
 * for it after a start, since a process that was killed has not said that nobody heard devices from then on.
 */
export async function settleDoors(engine: Engine, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    await tellSilent(engine, nobody)
    const { rows } = await engine.db.pool.query(
      'select from engine.door_process where not told_down and not ended and heard_until < $1 limit 1',
      [engine.clock.now() - 2 * HEARTBEAT_MS],
    )
    if (rows.length === 0) return
    await engine.clock.sleep(HEARTBEAT_MS, stop)
  }
}

const nobody = '00000000-0000-0000-0000-000000000000'

/** First the log, then the note that it was said: a crash between them says it twice, never not at all. */
async function tellSilent(engine: Engine, self: string): Promise<void> {
  const { rows } = await engine.db.pool.query<{ process: string }>(
    'select process from engine.door_process where process <> $1 and not told_down and heard_until < $2',
    [self, engine.clock.now() - DEAF_AFTER_MS],
  )
  if (rows.length === 0) return
  await say(
    engine,
    rows.map(({ process }) => ({ kind: 'door-down', process })),
  )
  await engine.db.pool.query('update engine.door_process set told_down = true where process = any($1::uuid[])', [
    rows.map(({ process }) => process),
  ])
}
