/**
 * The part of sealing that costs time, on a `compute` thread: opens open segments and the chunks to be joined, merges, rolls
 * up, compresses, seals. Bodies come and go in one block of bytes, which is handed over, not copied.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { moved, openBytes, sealBytes } from '../engine/index.ts'
import { decodeReadings, encodeReadings, FORMAT_VERSION } from './codec/chunk.ts'
import { type Columns, joined, slice, taken } from './codec/columns.ts'
import { encodeBuckets, rollUp } from './codec/rollup.ts'
import { rollupWidth } from './resolution.ts'
import { groupOf, LONGEST, type SealGroup } from './seal-plan.ts'
import { chunkName } from './sealed-names.ts'

/** Where a sealed body lies in the block, and the name it was sealed under. */
export interface Packed {
  readonly start: number
  readonly end: number
  readonly name: string
}

export interface SealJob {
  readonly bytes: Uint8Array
  readonly series: readonly {
    readonly id: number
    readonly key: Uint8Array
    /** (fromMs, part) of chunks that stay. */
    readonly taken: readonly (readonly [fromMs: number, part: number])[]
    readonly open: readonly Packed[]
    readonly groups: readonly (SealGroup & { readonly bodies: readonly Packed[] })[]
  }[]
}

/** A row of engine.chunk. */
export interface SealedRow {
  readonly series: number
  readonly tier: 0 | 1
  readonly fromMs: number
  readonly part: number
  readonly toMs: number
  readonly n: number
  readonly resolutionMs: number
  readonly version: number
  readonly start: number
  readonly end: number
}

export interface SealResult {
  readonly bytes: Uint8Array
  readonly rows: readonly SealedRow[]
}

type Row = Omit<SealedRow, 'start' | 'end'> & { readonly body: Buffer }

export default function seal(job: SealJob): SealResult {
  const rows: Row[] = []
  for (const series of job.series) {
    // Imported once a series: sealing with raw bytes imports them each time, which costs several times the sealing.
    const key = createSecretKey(series.key)
    const open = (packed: Packed) =>
      decodeReadings(openBytes(key, job.bytes.subarray(packed.start, packed.end), packed.name))
    const fresh = divide(joined(series.open.map(open)), series.groups)
    const parts = new Map<number, number>()
    for (const [fromMs, part] of series.taken) parts.set(fromMs, Math.max(parts.get(fromMs) ?? 0, part + 1))
    series.groups.forEach((group, index) => {
      const whole = joined([...group.bodies.map(open), fresh[index]!])
      for (const piece of pieces(whole)) rows.push(...sealPiece(series.id, key, piece, parts))
    })
  }
  return pack(rows)
}

/** The open readings of each group. */
function divide(columns: Columns, groups: readonly SealGroup[]): Columns[] {
  if (groups.length === 1) return [columns]
  const indexes: number[][] = groups.map(() => [])
  for (let i = 0; i < columns.n; i++) indexes[groupOf(groups, columns.measuredAt[i]!)]!.push(i)
  return indexes.map((some) => taken(columns, some))
}

function pieces(whole: Columns): Columns[] {
  const count = Math.ceil(whole.n / LONGEST)
  return Array.from({ length: count }, (_, i) =>
    slice(whole, Math.floor((i * whole.n) / count), Math.floor(((i + 1) * whole.n) / count)),
  )
}

function sealPiece(series: number, key: KeyObject, piece: Columns, parts: Map<number, number>): Row[] {
  const fromMs = Math.floor(piece.measuredAt[0]!)
  const toMs = Math.ceil(piece.measuredAt[piece.n - 1]!)
  const part = parts.get(fromMs) ?? 0
  parts.set(fromMs, part + 1)
  const row = (tier: 0 | 1, resolutionMs: number, plain: Uint8Array): Row => ({
    series,
    tier,
    fromMs,
    part,
    toMs,
    n: piece.n,
    resolutionMs,
    version: FORMAT_VERSION,
    body: sealBytes(key, plain, chunkName(series, tier, fromMs, part, toMs, piece.n)),
  })
  const raw = row(0, 0, encodeReadings(piece, 'sealed'))
  const width = rollupWidth(piece.n, toMs - fromMs)
  if (width === null) return [raw]
  const rollup = row(1, width, encodeBuckets(rollUp(piece, width), 'sealed'))
  return rollup.body.length < raw.body.length ? [raw, rollup] : [raw]
}

function pack(rows: readonly Row[]): SealResult {
  const bytes = new Uint8Array(rows.reduce((sum, row) => sum + row.body.length, 0))
  let at = 0
  const placed = rows.map(({ body, ...row }) => {
    const start = at
    bytes.set(body, start)
    at += body.length
    return { ...row, start, end: at }
  })
  return moved({ bytes, rows: placed }, [bytes.buffer])
}
