/** Open segments: rows of engine.sample, one per series and batch, sealed like chunks. */
import { bigints, byteas, type DataKey, type EngineTx, ints } from '../engine/index.ts'
import { encodeReadings, MAX_READINGS } from './codec/chunk.ts'
import { type Columns, slice } from './codec/columns.ts'
import { sampleName } from './sealed-names.ts'

export interface Segment {
  readonly series: number
  readonly position: number
  readonly part: number
  readonly n: number
  readonly firstMs: number
  readonly lastMs: number
  readonly storedMs: number
  readonly body: Uint8Array
}

/** Seals readings of one series as segments, more than one only when they are too many for one. */
export function sealSegments(
  key: DataKey,
  columns: Columns,
  place: { series: number; position: number; part: number; storedMs: number },
): Segment[] {
  const segments: Segment[] = []
  for (let start = 0; start < columns.n; start += MAX_READINGS / 4) {
    const piece = slice(columns, start, Math.min(columns.n, start + MAX_READINGS / 4))
    const part = place.part + segments.length
    segments.push({
      ...place,
      part,
      n: piece.n,
      firstMs: Math.floor(piece.measuredAt[0]!),
      lastMs: Math.ceil(piece.measuredAt[piece.n - 1]!),
      body: key.seal(encodeReadings(piece, 'open'), sampleName(place.series, place.position, part)),
    })
  }
  return segments
}

export async function insertSegments(tx: EngineTx, partition: number, segments: readonly Segment[]): Promise<void> {
  if (segments.length === 0) return
  await tx.client.query({
    name: 'telemetry-insert-segments',
    text: `insert into engine.sample (series_id, position, part, partition, n, first_ms, last_ms, stored_ms, body)
           select s, p, q, $1, n, f, l, t, b
             from unnest($2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bytea[])
               as rows(s, p, q, n, f, l, t, b)`,
    values: [
      partition,
      bigints(segments.map((segment) => segment.series)),
      bigints(segments.map((segment) => segment.position)),
      ints(segments.map((segment) => segment.part)),
      ints(segments.map((segment) => segment.n)),
      bigints(segments.map((segment) => segment.firstMs)),
      bigints(segments.map((segment) => segment.lastMs)),
      bigints(segments.map((segment) => segment.storedMs)),
      byteas(segments.map((segment) => segment.body)),
    ],
  })
}

export type SegmentKey = Pick<Segment, 'series' | 'position' | 'part'>

/** @returns how many were there: fewer than asked for means that another process sealed them */
export async function deleteSegments(tx: EngineTx, segments: readonly SegmentKey[]): Promise<number> {
  if (segments.length === 0) return 0
  const { rowCount } = await tx.client.query(
    `delete from engine.sample using unnest($1::bigint[], $2::bigint[], $3::int[]) as gone(s, p, q)
      where series_id = s and position = p and part = q`,
    [
      bigints(segments.map((segment) => segment.series)),
      bigints(segments.map((segment) => segment.position)),
      ints(segments.map((segment) => segment.part)),
    ],
  )
  return rowCount ?? 0
}

type SegmentRow = {
  series_id: string
  position: string
  part: number
  n: number
  first_ms: string
  last_ms: string
  stored_ms: string
  body: Buffer
}

/** All open segments of the series, in the order in which they were stored. */
export async function readSegments(tx: EngineTx, series: readonly number[]): Promise<Segment[]> {
  const { rows } = await tx.client.query<SegmentRow>(
    `select series_id, position, part, n, first_ms, last_ms, stored_ms, body from engine.sample
      where series_id = any($1::bigint[]) order by series_id, position, part`,
    [bigints(series)],
  )
  return rows.map((row) => ({
    series: Number(row.series_id),
    position: Number(row.position),
    part: row.part,
    n: row.n,
    firstMs: Number(row.first_ms),
    lastMs: Number(row.last_ms),
    storedMs: Number(row.stored_ms),
    body: row.body,
  }))
}
