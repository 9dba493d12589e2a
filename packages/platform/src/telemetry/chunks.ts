/** Sealed chunks: rows of engine.chunk. Tier 0 raw, 1 the rollup of one raw chunk, 2 the rollup of a window of time. */
import { type Blobs, bigints, byteas, type EngineTx, ints } from '../engine/index.ts'
import type { ChunkSpan } from './seal-plan.ts'

export interface ChunkKey {
  readonly series: number
  readonly fromMs: number
  readonly part: number
}

export interface ChunkRow extends ChunkKey {
  readonly tier: 0 | 1 | 2
  readonly toMs: number
  readonly n: number
  readonly resolutionMs: number
  readonly version: number
  readonly body: Uint8Array
}

export type StoredSpan = ChunkSpan & { readonly series: number }

/**
 * Raw chunks that readings from `firstMs` on may touch: those from the one that holds `firstMs`, and the last few, which a new
 * one may join. In order of series and time.
 */
export async function readSpans(
  tx: EngineTx,
  series: readonly number[],
  firstMs: readonly number[],
): Promise<StoredSpan[]> {
  const { rows } = await tx.client.query<{
    series_id: string
    from_ms: string
    to_ms: string
    part: number
    n: number
  }>(
    `select s.id as series_id, c.from_ms, c.to_ms, c.part, c.n
       from unnest($1::bigint[], $2::bigint[]) as s(id, first_ms)
       cross join lateral (
         (select from_ms, to_ms, part, n from engine.chunk where series_id = s.id and tier = 0 and from_ms >= coalesce(
            (select max(from_ms) from engine.chunk where series_id = s.id and tier = 0 and from_ms <= s.first_ms), s.first_ms))
         union
         (select from_ms, to_ms, part, n from engine.chunk where series_id = s.id and tier = 0
           order by from_ms desc, part desc limit 24)) c
      order by s.id, c.from_ms, c.part`,
    [bigints(series), bigints(firstMs)],
  )
  return rows.map((row) => ({
    series: Number(row.series_id),
    fromMs: Number(row.from_ms),
    toMs: Number(row.to_ms),
    part: row.part,
    n: row.n,
  }))
}

type BodyRow = {
  series_id: string
  tier: 0 | 1 | 2
  from_ms: string
  part: number
  to_ms: string
  n: number
  resolution_ms: number
  version: number
  body: Buffer | null
  blob: string | null
}

export async function chunkOf(row: BodyRow, blobs: Pick<Blobs, 'get'>): Promise<ChunkRow> {
  return {
    series: Number(row.series_id),
    tier: row.tier,
    fromMs: Number(row.from_ms),
    part: row.part,
    toMs: Number(row.to_ms),
    n: row.n,
    resolutionMs: row.resolution_ms,
    version: row.version,
    body: row.body ?? (await blobs.get(row.blob!)),
  }
}

/** Raw chunks with their bodies, in the order of the keys. @throws when one is missing: another process re-sealed it */
export async function readChunks(
  tx: EngineTx,
  blobs: Pick<Blobs, 'get'>,
  keys: readonly ChunkKey[],
): Promise<(ChunkRow | undefined)[]> {
  if (keys.length === 0) return []
  const { rows } = await tx.client.query<BodyRow & { place: string }>(
    `select k.place, c.* from unnest($1::bigint[], $2::bigint[], $3::int[]) with ordinality as k(s, f, p, place)
       join engine.chunk c on c.series_id = k.s and c.tier = 0 and c.from_ms = k.f and c.part = k.p`,
    keyArrays(keys),
  )
  const chunks: (ChunkRow | undefined)[] = new Array(keys.length).fill(undefined)
  for (const row of rows) chunks[Number(row.place) - 1] = await chunkOf(row, blobs)
  return chunks
}

export async function insertChunks(tx: EngineTx, rows: readonly ChunkRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx.client.query({
    name: 'telemetry-insert-chunks',
    text: `insert into engine.chunk (series_id, tier, from_ms, part, to_ms, n, resolution_ms, version, body)
           select s, t, f, p, u, n, r, v, b
             from unnest($1::bigint[], $2::int[], $3::bigint[], $4::int[], $5::bigint[], $6::int[], $7::int[], $8::int[], $9::bytea[])
               as rows(s, t, f, p, u, n, r, v, b)`,
    values: [
      bigints(rows.map((row) => row.series)),
      ints(rows.map((row) => row.tier)),
      bigints(rows.map((row) => row.fromMs)),
      ints(rows.map((row) => row.part)),
      bigints(rows.map((row) => row.toMs)),
      ints(rows.map((row) => row.n)),
      ints(rows.map((row) => row.resolutionMs)),
      ints(rows.map((row) => row.version)),
      byteas(rows.map((row) => row.body)),
    ],
  })
}

/**
 * Removes raw chunks with their rollups, and the windows that were made of them; only if they still hold as many readings.
 * @returns how many raw chunks were there, and blobs that nothing points to any more
 */
export async function deleteChunks(
  tx: EngineTx,
  chunks: readonly (ChunkKey & { readonly toMs: number; readonly n: number })[],
): Promise<{ raw: number; blobs: string[] }> {
  if (chunks.length === 0) return { raw: 0, blobs: [] }
  await lockWindows(tx, 'shared')
  const { rows } = await tx.client.query<{ tier: number; blob: string | null }>(
    `delete from engine.chunk using unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[]) as gone(s, f, p, k)
      where series_id = s and tier in (0, 1) and from_ms = f and part = p and n = k returning tier, blob`,
    [...keyArrays(chunks), ints(chunks.map((chunk) => chunk.n))],
  )
  await tx.client.query(
    `delete from engine.chunk using unnest($1::bigint[], $2::bigint[], $3::bigint[]) as gone(s, f, u)
      where series_id = s and tier = 2 and from_ms <= u and to_ms > f`,
    [
      bigints(chunks.map((chunk) => chunk.series)),
      bigints(chunks.map((chunk) => chunk.fromMs)),
      bigints(chunks.map((chunk) => chunk.toMs)),
    ],
  )
  return {
    raw: rows.filter((row) => row.tier === 0).length,
    blobs: rows.flatMap((row) => (row.blob === null ? [] : [row.blob])),
  }
}

/** Those who change chunks hold it together; who makes a window of them holds it alone, so that it cannot miss a change. */
export async function lockWindows(tx: EngineTx, how: 'shared' | 'alone'): Promise<void> {
  await tx.client.query(
    `select pg_advisory_xact_lock${how === 'shared' ? '_shared' : ''}(hashtextextended('careloop telemetry windows', 0))`,
  )
}

/** Rollups whose raw chunk retention has deleted: their place in the key stays taken. */
export async function readRollupKeys(
  tx: EngineTx,
  series: readonly number[],
  firstMs: readonly number[],
): Promise<ChunkKey[]> {
  const { rows } = await tx.client.query<{ series_id: string; from_ms: string; part: number }>(
    `select c.series_id, c.from_ms, c.part from unnest($1::bigint[], $2::bigint[]) as s(id, first_ms)
       join engine.chunk c on c.series_id = s.id and c.tier = 1 and c.from_ms >= s.first_ms
      where not exists (select from engine.chunk r where r.series_id = c.series_id and r.tier = 0
                           and r.from_ms = c.from_ms and r.part = c.part)`,
    [bigints(series), bigints(firstMs)],
  )
  return rows.map((row) => ({ series: Number(row.series_id), fromMs: Number(row.from_ms), part: row.part }))
}

const keyArrays = (keys: readonly ChunkKey[]) => [
  bigints(keys.map((key) => key.series)),
  bigints(keys.map((key) => key.fromMs)),
  ints(keys.map((key) => key.part)),
]

/** Raw chunks of a series that reach to or beyond `sinceMs`, with their bodies, in order of time. */
export async function chunksSince(
  tx: EngineTx,
  blobs: Pick<Blobs, 'get'>,
  series: number,
  sinceMs: number,
): Promise<ChunkRow[]> {
  const { rows } = await tx.client.query<BodyRow>(
    'select * from engine.chunk where series_id = $1 and tier = 0 and to_ms >= $2 order by from_ms, part',
    [series, Math.floor(sinceMs)],
  )
  return Promise.all(rows.map((row) => chunkOf(row, blobs)))
}
