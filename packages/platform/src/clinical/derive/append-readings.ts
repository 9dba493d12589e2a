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
}

/**
 * Readings that were told of already are not appended again: what is put twice, or posted again under another id because its answer was
 * lost, is one reading. An amended value stands beside the first, at the same time: the log takes nothing back
 * (docs/adr/0018-readings-and-observations.md).
 * @param known names of what was told already, by `namesOf`: of the version before, and of others of the same person and time
 * @returns how many readings were appended
 */
export function appendReadings(
  engine: Engine,
  tx: TenantTx,
  written: ObservationWritten,
  known: ReadonlySet<string>,
): number {
  const { resource, rid, version, subject } = written
  if (subject === null) return 0
  const told = tellsOf(resource)
  if (told === null) return 0
  const names = readingNames(subject, told)
  const values = told.values.filter((_, i) => !known.has(names[i]!))
  if (values.length === 0) return 0
  const group = Number.parseInt(createHash('sha256').update(`${rid} ${version}`).digest('hex').slice(0, 8), 16)
  const frame = frameOfRecord({ observation: rid, version })
  return appendFromRecord(engine, tx, { ...told, subject, values, group, frame })
}

/** What makes a reading of an Observation the same as another: whose, by what device, when, what and how much. PHI: in memory only. */
export function namesOf(subject: string | null, resource: Resource): readonly string[] {
  const told = subject === null ? null : tellsOf(resource)
  return subject === null || told === null ? [] : readingNames(subject, told)
}

/** A write asks thrice what one Observation tells; a resource is never changed in place. */
const asked = new WeakMap<Resource, { readonly tells: TellsReadings | null }>()

function tellsOf(resource: Resource): TellsReadings | null {
  const before = asked.get(resource)
  if (before !== undefined) return before.tells
  const tells = readingsIn(resource)
  asked.set(resource, { tells })
  return tells
}

const readingNames = (subject: string, { deviceName, measuredAt, values }: TellsReadings): string[] =>
  values.map(({ signal, value, unit }) => JSON.stringify([subject, deviceName, measuredAt, signal, value, unit]))
