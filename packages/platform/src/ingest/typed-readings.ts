/** A measurement that a person made and typed: durable like any other, with origin `typed` and who entered it. */
import { createHash } from 'node:crypto'
import { type LogEntry, signal, toCanonical } from '@careloop/contract'
import type { Engine, TenantTx } from '../engine/index.ts'
import { FUTURE_MS } from './clocks/settle-time.ts'
import { wallClockToEpoch } from './clocks/wall-clock.ts'
import { ingestFailure } from './errors.ts'
import { settleReadings } from './settle-readings.ts'

export interface TypedMeasurement {
  readonly subject: string
  /** ms, by the form's clock */
  readonly measuredAt: number
  readonly values: readonly { readonly signal: string; readonly value: number; readonly unit: string }[]
}

/**
 * Appends it within the transaction in which the caller checked the subject and recorded the audit entry.
 * @param enteredBy staff id
 * @throws Failure `reading-invalid` with a pointer: unknown signal, unit of another quantity, implausible, in the future
 */
export function appendTyped(engine: Engine, tx: TenantTx, typed: TypedMeasurement, enteredBy: string): number {
  const receivedAt = engine.clock.now()
  if (typed.measuredAt > receivedAt + FUTURE_MS)
    throw ingestFailure('reading-invalid', 'The time of measurement lies in the future.', {
      pointer: '/body/measuredAt',
    })
  for (const [i, value] of typed.values.entries()) checkValue(value, `/body/values/${i}`)
  const { readings, faults } = settleReadings(
    typed.values.map((value, i) => ({
      ...value,
      time: { epochMs: typed.measuredAt },
      ordinal: 0,
      group: 0,
      pointer: `/body/values/${i}/value`,
    })),
    { receivedAt, clock: { epoch: 0, offsetMs: 0 }, wall: (local) => wallClockToEpoch(local, 'UTC') },
  )
  const fault = faults[0]
  if (fault) throw ingestFailure('reading-invalid', fault.message, { pointer: fault.pointer })
  const device = typedDeviceOf(typed.subject)
  const entry: LogEntry = {
    kind: 'readings',
    tenant: tx.tenant,
    device,
    assignment: device,
    subject: typed.subject,
    door: 'manual',
    receivedAt,
    origin: 'typed',
    enteredBy,
    frame: {
      format: 'form',
      bytes: Buffer.from(JSON.stringify({ measuredAt: typed.measuredAt, values: typed.values })),
    },
    readings,
  }
  tx.beforeCommitAppend([entry])
  return readings.length
}

function checkValue(value: TypedMeasurement['values'][number], pointer: string): void {
  if (!signal(value.signal))
    throw ingestFailure('reading-invalid', 'There is no such signal. GET /api/v1/vocabulary lists them.', {
      pointer: `${pointer}/signal`,
    })
  if (!toCanonical(value.signal, value.value, value.unit))
    throw ingestFailure(
      'reading-invalid',
      `The unit is not one of this signal's quantity. Send ${signal(value.signal)!.unit}.`,
      {
        pointer: `${pointer}/unit`,
      },
    )
}

/** The virtual device of readings that people type for a subject: the same for ever, so its series is one. */
export const typedDeviceOf = (subject: string): string =>
  uuidOfHash(createHash('sha256').update(`careloop:typed:${subject}`).digest())

/** A version 8 uuid of the first half of a SHA-256. */
export function uuidOfHash(hash: Buffer): string {
  hash[6] = (hash[6]! & 0x0f) | 0x80
  hash[8] = (hash[8]! & 0x3f) | 0x80
  const hex = hash.toString('hex').slice(0, 32)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
