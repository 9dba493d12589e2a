/**
 * What is stored of some series within a span, open and sealed, seen at one moment: a seal moves rows from one table to the
 * other, so both are read in one statement.
 */
import { bigints, type EngineTx, ints } from '../engine/index.ts'
import { decodeReadings } from './codec/chunk.ts'
import { type Columns, slice } from './codec/columns.ts'
import { type Buckets, decodeBuckets } from './codec/rollup.ts'
import { chunkName, sampleName } from './sealed-names.ts'
import { keyOwner, type Series } from './series.ts'
import type { StorePorts } from './store-ports.ts'

/** A row of either table, without its body. */
export interface StoredPart {
  readonly series: number
  readonly kind: 'open' | 'raw' | 'rollup' | 'window'
  /** measuredAt of its readings; of a window the aligned span. */
  readonly fromMs: number
  readonly toMs: number
  readonly n: number
  readonly resolutionMs: number
  /** Position of an open segment. */
  readonly position: number
  readonly part: number
  readonly body: Uint8Array | null
}

type PartRow = {
  series_id: string
  tier: number
  from_ms: string
  to_ms: string
  n: number
  resolution_ms: number
  position: string
  part: number
  body: Buffer | null
}

const KINDS = ['raw', 'rollup', 'window'] as const

// Raw chunks do not overlap, so the one before the span's first is the only one that can reach into it. Rollups lie under the
// same key as their raw chunk. Windows are few.
const PARTS = `
  with s as (select * from unnest($1::bigint[]) as s(id))
  select s.id as series_id, -1 as tier, first_ms as from_ms, last_ms as to_ms, n, 0 as resolution_ms, position, part,
         body
    from s join engine.sample o on o.series_id = s.id and o.last_ms >= $2 and o.first_ms <= $3
  union all
  select s.id, c.tier, c.from_ms, c.to_ms, c.n, c.resolution_ms, 0, c.part, null::bytea
    from s cross join lateral (
      select * from engine.chunk where series_id = s.id and tier in (0, 1) and to_ms >= $2 and from_ms <= $3
         and from_ms >= coalesce(greatest(
           (select max(from_ms) from engine.chunk where series_id = s.id and tier = 0 and from_ms <= $2),
           (select max(from_ms) from engine.chunk where series_id = s.id and tier = 1 and from_ms <= $2)), $2)
      union all
      select * from engine.chunk where series_id = s.id and tier = 2 and from_ms >= $2 and to_ms <= $3 + 1) c
  order by 1, 3, 7, 8`

/** Rows that reach into [fromMs, toMs], in order of series and time. Bodies of chunks are fetched when it is known which are needed. */
export async function listParts(
  tx: EngineTx,
  series: readonly number[],
  fromMs: number,
  toMs: number,
): Promise<StoredPart[]> {
  const { rows } = await tx.client.query<PartRow>({
    name: 'telemetry-parts',
    text: PARTS,
    values: [bigints(series), Math.floor(fromMs), Math.ceil(toMs)],
  })
  return rows.map(partOf)
}

/** The rows that hold the newest sealed and the newest open reading of each series. */
export async function newestParts(tx: EngineTx, series: readonly number[]): Promise<StoredPart[]> {
  const { rows } = await tx.client.query<PartRow>({
    name: 'telemetry-newest-parts',
    text: `
      select s.id as series_id, p.* from unnest($1::bigint[]) as s(id) cross join lateral (
        (select -1 as tier, first_ms as from_ms, last_ms as to_ms, n, 0 as resolution_ms, position, part, body
           from engine.sample where series_id = s.id order by last_ms desc, position desc, part desc limit 1)
        union all
        (select tier, from_ms, to_ms, n, resolution_ms, 0, part, null::bytea from engine.chunk
          where series_id = s.id and tier = 0 order by from_ms desc, part desc limit 1)) p`,
    values: [bigints(series)],
  })
  return rows.map(partOf)
}

const partOf = (row: PartRow): StoredPart => ({
  series: Number(row.series_id),
  kind: row.tier < 0 ? 'open' : KINDS[row.tier]!,
  fromMs: Number(row.from_ms),
  toMs: Number(row.to_ms),
  n: row.n,
  resolutionMs: row.resolution_ms,
  position: Number(row.position),
  part: row.part,
  body: row.body,
})

/** Chunk bodies are fetched and opened this many at a time, so that a long question holds neither memory nor the event loop. */
const AT_A_TIME = 128

export class PartReader {
  readonly #ports: StorePorts
  readonly #tx: EngineTx
  readonly #series: ReadonlyMap<number, Series>

  constructor(ports: StorePorts, tx: EngineTx, series: readonly Series[]) {
    this.#ports = ports
    this.#tx = tx
    this.#series = new Map(series.map((one) => [one.id, one]))
  }

  /** Raw readings of open segments and raw chunks, one after the other in the order given. */
  async *readings(parts: readonly StoredPart[]): AsyncGenerator<{ part: StoredPart; columns: Columns }> {
    for await (const { part, plain } of this.#plain(parts)) yield { part, columns: decodeReadings(plain) }
  }

  async *buckets(parts: readonly StoredPart[]): AsyncGenerator<{ part: StoredPart; buckets: Buckets }> {
    for await (const { part, plain } of this.#plain(parts)) yield { part, buckets: decodeBuckets(plain) }
  }

  async *#plain(parts: readonly StoredPart[]): AsyncGenerator<{ part: StoredPart; plain: Buffer }> {
    for (let start = 0; start < parts.length; start += AT_A_TIME) {
      const some = parts.slice(start, start + AT_A_TIME)
      const bodies = await this.#bodies(some)
      for (const [i, part] of some.entries()) {
        const key = await this.#ports.keys.keyFor(...keyOwner(this.#series.get(part.series)!))
        yield { part, plain: key.open(bodies[i]!, nameOf(part)) }
      }
    }
  }

  async #bodies(parts: readonly StoredPart[]): Promise<Uint8Array[]> {
    const bodies: (Uint8Array | null)[] = parts.map((part) => part.body)
    const missing = [...bodies.keys()].filter((i) => bodies[i] === null)
    if (missing.length === 0) return bodies as Uint8Array[]
    const { rows } = await this.#tx.client.query<{ place: string; body: Buffer | null; blob: string | null }>({
      name: 'telemetry-bodies',
      text: `select k.place, c.body, c.blob
               from unnest($1::bigint[], $2::int[], $3::bigint[], $4::int[]) with ordinality as k(s, t, f, p, place)
               join engine.chunk c on c.series_id = k.s and c.tier = k.t and c.from_ms = k.f and c.part = k.p`,
      values: [
        bigints(missing.map((i) => parts[i]!.series)),
        ints(missing.map((i) => tierOf(parts[i]!))),
        bigints(missing.map((i) => parts[i]!.fromMs)),
        ints(missing.map((i) => parts[i]!.part)),
      ],
    })
    for (const row of rows) {
      const i = missing[Number(row.place) - 1]!
      bodies[i] = row.body ?? (await this.#ports.blobs.get(row.blob!))
    }
    return bodies as Uint8Array[]
  }
}

const tierOf = (part: StoredPart): number => KINDS.indexOf(part.kind as (typeof KINDS)[number])

const nameOf = (part: StoredPart): string =>
  part.kind === 'open'
    ? sampleName(part.series, part.position, part.part)
    : chunkName(part.series, tierOf(part), part.fromMs, part.part, part.toMs, part.n)

/** The readings of [fromMs, toMs], both ends included. */
export function within(columns: Columns, fromMs: number, toMs: number): Columns {
  const { measuredAt, n } = columns
  let start = 0
  while (start < n && measuredAt[start]! < fromMs) start++
  let end = n
  while (end > start && measuredAt[end - 1]! > toMs) end--
  return slice(columns, start, end)
}
