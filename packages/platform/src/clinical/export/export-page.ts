/**
 * One page of an export: resources in the order of their first writing, each as it stood at the time of the export. Read in small
 * windows, so that neither memory nor the other work of this process feels how many there are.
 */
import { type FhirObject, parseFhir, withElements, writeFhir } from '@careloop/fhir'
import type { TenantTx } from '../../engine/index.ts'
import type { By } from '../../subjects/index.ts'
import { type Eyes, eyesFor, grantFor, mayDo } from '../rights.ts'
import type { ClinicalRoom } from '../store/room.ts'
import { openRow, type PlacedVersion, placeColumns, placeJoin, versionColumns } from '../store/rows.ts'
import type { Stored } from '../stored.ts'
import { servedTypes } from '../types.ts'
import { type ExportAsked, isExported } from './asked.ts'
import { type Line, lineOf } from './export-file.ts'
import type { JobRow } from './schema.ts'

/** Rows in one window, and about what a page holds at most. */
export interface Bounds {
  readonly windowRows: number
  readonly pageResources: number
}
export const defaultBounds: Bounds = { windowRows: 500, pageResources: 5_000 }
const pageBytes = 8 << 20
const pageWindows = 200

export interface ExportPage {
  /** By type, in the order in which they were met. */
  readonly output: ReadonlyMap<string, readonly Line[]>
  /** What was deleted since `_since`. */
  readonly deleted: readonly Line[]
  readonly resources: number
  /** Read up to here. */
  readonly seq: string
  readonly isLast: boolean
}

export interface Reading {
  readonly room: ClinicalRoom
  readonly by: By
  readonly asked: ExportAsked
  readonly job: Pick<JobRow, 'scope' | 'at' | 'since' | 'max_seq'>
  readonly bounds: Bounds
}

export async function readPage(reading: Reading, from: string): Promise<ExportPage> {
  const { room, by, job } = reading
  const eyes = await eyesOn(room, by, reading.asked.types)
  const output = new Map<string, Line[]>()
  const deleted: Line[] = []
  let [seq, resources, bytes] = [from, 0, 0]
  const last = job.max_seq ?? '0'
  for (let windows = 0; windows < pageWindows && BigInt(seq) < BigInt(last); windows++) {
    const found = await room.ground.engine.db.asTenant(by.tenant, (tx) => readWindow(reading, tx, eyes, { seq, last }))
    seq = found.seq
    for (const stored of found.stored) {
      const line = stored.isDeleted ? deletedLine(stored) : lineOf(stored, textOf(stored, reading.asked.elements))
      if (stored.isDeleted) deleted.push(line)
      else listIn(output, stored.type).push(line)
      resources += 1
      bytes += line.text.length
    }
    if (resources >= reading.bounds.pageResources || bytes >= pageBytes) break
  }
  return { output, deleted, resources, seq, isLast: BigInt(seq) >= BigInt(last) }
}

function listIn(lists: Map<string, Line[]>, type: string): Line[] {
  const known = lists.get(type)
  if (known !== undefined) return known
  const made: Line[] = []
  lists.set(type, made)
  return made
}

/** Opened for each page: what was taken away since counts from the next page on. */
async function eyesOn(room: ClinicalRoom, by: By, types: readonly string[] | null): Promise<ReadonlyMap<string, Eyes>> {
  const gate = await room.parts.consents.gate(by)
  const consents = { gate: async () => gate }
  const eyes = new Map<string, Eyes>()
  for (const type of types ?? Object.keys(servedTypes).filter(isExported))
    if (mayDo(by, type, 'r')) eyes.set(type, await eyesFor({ consents }, grantFor(by, type, 'r')))
  return eyes
}

interface Span {
  readonly seq: string
  readonly last: string
}

async function readWindow(
  { room, asked, job, bounds }: Reading,
  tx: TenantTx,
  eyes: ReadonlyMap<string, Eyes>,
  { seq, last }: Span,
): Promise<{ readonly seq: string; readonly stored: readonly Stored[] }> {
  const bound = await tx.client.query<{ seq: string | null }>({
    name: 'careloop-export-window',
    text: `select max(seq) as seq from (select seq from tenant.clinical_resource
      where tenant_id = $1 and seq > $2 and seq <= $3 order by seq limit $4) w`,
    values: [tx.tenant, seq, last, bounds.windowRows],
  })
  const to = bound.rows[0]?.seq ?? last
  const { rows } = await tx.client.query<PlacedVersion>({
    name: 'careloop-export-rows',
    text: `select ${versionColumns}, ${placeColumns} from tenant.clinical_resource r ${placeJoin}
      where r.tenant_id = $1 and r.seq > $2 and r.seq <= $3 and r.type = any($4) order by r.seq`,
    values: [tx.tenant, seq, to, [...eyes.keys()]],
  })
  const stored: Stored[] = []
  const patients = asked.patients === null ? null : new Set(asked.patients)
  for (const row of await asOf(tx, rows, Number(job.at))) {
    if (job.since !== null && Number(row.updated_at) <= Number(job.since) - lateOf(row)) continue
    if (row.deleted_at !== null && job.since === null) continue
    if (job.scope !== 'system' && row.kind !== 'patient') continue
    if (patients !== null && !patients.has(row.subject_id ?? '')) continue
    const looking = eyes.get(row.type)!
    if (!looking.seesRow(row)) continue
    const opened = await openRow(room.ground.engine, tx.tenant, row)
    if (await looking.shows(tx, opened)) stored.push(opened)
  }
  return { seq: to, stored }
}

/** A view bears the time of what it shows, and is written a moment later: rather told twice than never, ms. */
const viewsLateMs = 60_000
const lateOf = ({ is_derived }: PlacedVersion): number => (is_derived ? viewsLateMs : 0)

/** What was written later is told as it was before; what was made later is not told. */
async function asOf(tx: TenantTx, rows: readonly PlacedVersion[], at: number): Promise<readonly PlacedVersion[]> {
  const later = rows.filter((row) => Number(row.updated_at) > at).map(({ rid }) => rid)
  if (later.length === 0) return rows
  const { rows: found } = await tx.client.query<PlacedVersion>(
    `select distinct on (r.rid) ${versionColumns}, ${placeColumns} from tenant.clinical_history r ${placeJoin}
      where r.tenant_id = $1 and r.rid = any($2::uuid[]) and r.updated_at <= $3 order by r.rid, r.version desc`,
    [tx.tenant, later, at],
  )
  const before = new Map(found.map((row) => [row.rid, row]))
  return rows.flatMap((row) => (Number(row.updated_at) <= at ? row : (before.get(row.rid) ?? [])))
}

/** `SUBSETTED`: who loads it into another record must know that it is a part. */
function textOf({ text }: Stored, elements: readonly string[] | null): string {
  return elements === null ? text : writeFhir(withElements(parseFhir(text), [...elements]))
}

/** Bulk Data: deletions as transactions, one a line. */
function deletedLine(stored: Stored): Line {
  const entry: FhirObject = { request: { method: 'DELETE', url: `${stored.type}/${stored.id}` } }
  return lineOf(stored, JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: [entry] }))
}
