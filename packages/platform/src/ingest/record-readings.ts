/** Readings that another record system sent as a resource: durable like any other, with origin `ehr`. */
import { createHash } from 'node:crypto'
import type { RawFrame, ReadingsLogged, Value } from '@careloop/contract'
import type { Engine, TenantTx } from '../engine/index.ts'
import { FUTURE_MS } from './clocks/settle-time.ts'
import { wallClockToEpoch } from './clocks/wall-clock.ts'
import { settleReadings } from './settle-readings.ts'
import { uuidOfHash } from './typed-readings.ts'

export interface RecordMeasurement {
  readonly subject: string
  /** What the other system names as the device, whatever it is: readings of two are never one series. Empty: it names none. */
  readonly deviceName: string
  /** ms */
  readonly measuredAt: number
  readonly values: readonly { readonly signal: string; readonly value: Value; readonly unit: string }[]
  /** Tells measurements of one instant apart: values of one mean something together. */
  readonly group: number
  readonly frame: RawFrame
}

/**
 * Appends within the transaction that keeps the resource. What cannot be a reading (implausible, of another quantity, in the future)
 * is left out: the resource says it all the same.
 * @returns how many readings there are
 */
export function appendFromRecord(engine: Engine, tx: TenantTx, measured: RecordMeasurement): number {
  const receivedAt = engine.clock.now()
  const { subject, measuredAt, values, group, frame } = measured
  if (measuredAt > receivedAt + FUTURE_MS) return 0
  const seen = new Map<string, number>()
  const ordinalOf = (signal: string): number => {
    const ordinal = seen.get(signal) ?? 0
    seen.set(signal, ordinal + 1)
    return ordinal
  }
  const { readings } = settleReadings(
    values.map((value) => ({
      ...value,
      time: { epochMs: measuredAt },
      ordinal: ordinalOf(value.signal),
      ...{ group, pointer: '' },
    })),
    { receivedAt, clock: { epoch: 0, offsetMs: 0 }, wall: (local) => wallClockToEpoch(local, 'UTC') },
  )
  if (readings.length === 0) return 0
  const device = recordDeviceOf(subject, measured.deviceName)
  const entry: ReadingsLogged = {
    kind: 'readings',
    ...{ tenant: tx.tenant, device, assignment: device, subject, door: 'manual', receivedAt, origin: 'ehr', frame },
    readings,
  }
  tx.beforeCommitAppend([entry])
  return readings.length
}

/** The virtual device of what other systems tell of a subject, one for each device that they name. */
export const recordDeviceOf = (subject: string, name: string): string =>
  uuidOfHash(createHash('sha256').update(`careloop:ehr:${subject}:${name}`).digest())
