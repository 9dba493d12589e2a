/** For tests and benches: entries as ingest logs them, and a stage run until it has caught up. */
import { randomUUID } from 'node:crypto'
import type { LoggedReading, ReadingsLogged, Value } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import { type TelemetryOptions, telemetryStage } from './telemetry-stage.ts'

/** A device and who wears it. */
export interface Worn {
  readonly tenant: string
  readonly device: string
  readonly assignment: string
  readonly subject: string
}

export const worn = (tenant: string, more: Partial<Worn> = {}): Worn => ({
  tenant,
  device: randomUUID(),
  assignment: randomUUID(),
  subject: randomUUID(),
  ...more,
})

export const aReading = (
  signal: string,
  measuredAt: number,
  value: Value,
  more: Partial<LoggedReading> = {},
): LoggedReading => ({
  ...{ signal, measuredAt, value, ordinal: 0 },
  ...more,
})

export function logged(
  by: Worn,
  readings: readonly LoggedReading[],
  more: Partial<ReadingsLogged> = {},
): ReadingsLogged {
  return {
    kind: 'readings',
    ...by,
    door: 'mqtt',
    receivedAt: readings[0]?.measuredAt ?? 0,
    origin: 'automatic',
    frame: { format: 'json', bytes: new Uint8Array() },
    readings,
    ...more,
  }
}

/** Seals at once whatever is open, and writes without delay. */
export const EAGER: TelemetryOptions = { flushAfterMs: 5, sealAfterMs: 0, leaseMs: 5_000, retryMs: 10 }
/** Leaves everything open. */
export const LAZY: TelemetryOptions = {
  flushAfterMs: 5,
  sealAfterMs: 1e9,
  sealReadings: 1e9,
  leaseMs: 5_000,
  retryMs: 10,
}

/** Runs the stage until it has taken all that is in the log and sealed what is due, then stops it. */
export async function catchUp(engine: Engine, options: TelemetryOptions): Promise<void> {
  const stop = await telemetryStage(options).start(engine)
  try {
    await until(async () => {
      if (Number(await engine.db.cursor('telemetry:0')) < (await engine.log.head(0))) return false
      if (options.sealAfterMs !== 0) return true
      const { rows } = await engine.db.pool.query<{ open: string }>('select count(*) as open from engine.sample')
      return rows[0]!.open === '0'
    })
  } finally {
    await stop()
  }
}

/** Asks again every few ms; a test that waits for ever is ended by its own time limit. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((go) => setTimeout(go, 10))
}
