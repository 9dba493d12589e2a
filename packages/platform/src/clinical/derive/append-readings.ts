/** An Observation that a client wrote becomes readings that rules evaluate, in the transaction that keeps it. */
import { createHash } from 'node:crypto'
import type { Resource } from '@careloop/fhir'
import type { Engine, TenantTx } from '../../engine/index.ts'
import { appendFromRecord } from '../../ingest/index.ts'
import { frameOfRecord } from './from-record.ts'
import { readingsIn, type TellsReadings } from './readings-in.ts'

export interface ObservationWritten {
  readonly resource: Resource
  /** Opaque id. */
  readonly rid: string
  readonly version: number
  readonly subject: string | null
  /** The version before; null when there was none, or it was gone. */
  readonly before: Resource | null
}

/**
 * Readings that the version before told of already are not appended again: what is put twice is one reading. An amended value stands
 * beside the first, at the same time: the log takes nothing back (docs/adr/0018-readings-and-observations.md).
 * @returns how many readings were appended
 */
export function appendReadings(engine: Engine, tx: TenantTx, written: ObservationWritten): number {
  const { resource, rid, version, subject, before } = written
  if (subject === null) return 0
  const told = readingsIn(resource)
  if (told === null) return 0
  const known = new Set(before === null ? [] : namesOf(readingsIn(before)))
  const names = namesOf(told)
  const values = told.values.filter((_, i) => !known.has(names[i]!))
  if (values.length === 0) return 0
  const group = Number.parseInt(createHash('sha256').update(`${rid} ${version}`).digest('hex').slice(0, 8), 16)
  const frame = frameOfRecord({ observation: rid, version })
  return appendFromRecord(engine, tx, { ...told, subject, values, group, frame })
}

const namesOf = (told: TellsReadings | null): string[] =>
  (told?.values ?? []).map(({ signal, value, unit }) => JSON.stringify([told?.measuredAt, signal, value, unit]))
