/**
 * Rollups: what a span of raw readings comes to per bucket of fixed width. The same envelope, columns and key as raw chunks.
 * A bucket may be partial where a chunk begins or ends inside it: readers merge buckets that start together.
 */

import { fail } from '../errors.ts'
import { ByteWriter, damaged } from './bytes.ts'
import { column, type Effort, MAX_READINGS, pack, unpack } from './chunk.ts'
import type { Columns } from './columns.ts'
import { readNumbers, writeNumbers } from './number-column.ts'

/** Columns per bucket. `n` counts numbers; readings without one are counted apart and never averaged. */
export interface Buckets {
  readonly widthMs: number
  readonly size: number
  /** Start of the bucket, epoch ms, a multiple of the width. */
  readonly start: Float64Array
  readonly n: Float64Array
  readonly min: Float64Array
  readonly max: Float64Array
  readonly sum: Float64Array
  readonly first: Float64Array
  readonly last: Float64Array
  /** Readings of the device that held no value. */
  readonly absent: Float64Array
  /** Readings known only to lie below (`LOW`) or above (`HIGH`) a limit: a plot must show them. */
  readonly below: Float64Array
  readonly above: Float64Array
}

/** Order is part of the stored format: ids from 32. */
export const bucketColumns = ['start', 'n', 'min', 'max', 'sum', 'first', 'last', 'absent', 'below', 'above'] as const
type BucketColumn = (typeof bucketColumns)[number]
const FIRST_ID = 32
const counts: readonly BucketColumn[] = ['absent', 'below', 'above']

/** @param columns sorted by time */
export function rollUp(columns: Columns, widthMs: number): Buckets {
  const starts: number[] = []
  for (let i = 0; i < columns.n; i++) {
    const start = Math.floor(columns.measuredAt[i]! / widthMs) * widthMs
    if (starts.at(-1) !== start) starts.push(start)
  }
  const buckets = emptyBuckets(starts.length, widthMs)
  const power = 10 ** decimals(columns.value)
  let at = -1
  for (let i = 0; i < columns.n; i++) {
    const start = Math.floor(columns.measuredAt[i]! / widthMs) * widthMs
    if (at < 0 || buckets.start[at] !== start) buckets.start[++at] = start
    const special = columns.special?.[i]
    if (special === undefined) addValue(buckets, at, columns.value[i]!, power)
    else buckets[special[0] === '<' ? 'below' : special[0] === '>' ? 'above' : 'absent'][at]!++
  }
  for (let i = 0; i < buckets.size; i++) buckets.sum[i] = buckets.sum[i]! / power
  return buckets
}

/** Sums are made of scaled integers where values are short decimals, so that a sum is exact and short too. */
function addValue(buckets: Buckets, at: number, value: number, power: number): void {
  if (buckets.n[at] === 0) {
    buckets.min[at] = value
    buckets.max[at] = value
    buckets.first[at] = value
  }
  buckets.min[at] = Math.min(buckets.min[at]!, value)
  buckets.max[at] = Math.max(buckets.max[at]!, value)
  buckets.last[at] = value
  buckets.sum[at]! += power === 1 ? value : Math.round(value * power)
  buckets.n[at]!++
}

/** Decimals that all values have at most, 0 when more than 6 (then sums are plain double sums). */
function decimals(values: Float64Array): number {
  let digits = 0
  for (const value of values) {
    while (digits <= 6 && Math.round(value * 10 ** digits) / 10 ** digits !== value) digits++
    if (digits > 6 || Math.abs(value) > 1e7) return 0
  }
  return digits
}

/** Buckets of `parts` (each in time order, parts in time order) as buckets of `widthMs`, a multiple of theirs. */
export function mergeBuckets(parts: readonly Buckets[], widthMs: number): Buckets {
  const starts = new Set<number>()
  for (const part of parts) for (const start of part.start) starts.add(Math.floor(start / widthMs) * widthMs)
  const sorted = [...starts].sort((a, b) => a - b)
  const placeOf = new Map(sorted.map((start, place) => [start, place]))
  const merged = emptyBuckets(sorted.length, widthMs)
  merged.start.set(sorted)
  for (const part of parts)
    for (let i = 0; i < part.size; i++)
      addBucket(merged, placeOf.get(Math.floor(part.start[i]! / widthMs) * widthMs)!, part, i)
  return merged
}

function addBucket(into: Buckets, at: number, part: Buckets, i: number): void {
  for (const name of counts) into[name][at]! += part[name][i]!
  if (part.n[i] === 0) return
  const fresh = into.n[at] === 0
  into.min[at] = fresh ? part.min[i]! : Math.min(into.min[at]!, part.min[i]!)
  into.max[at] = fresh ? part.max[i]! : Math.max(into.max[at]!, part.max[i]!)
  if (fresh) into.first[at] = part.first[i]!
  into.last[at] = part.last[i]!
  into.sum[at]! += part.sum[i]!
  into.n[at]! += part.n[i]!
}

export function emptyBuckets(size: number, widthMs: number): Buckets {
  const columns = Object.fromEntries(bucketColumns.map((name) => [name, new Float64Array(size)])) as unknown as Record<
    BucketColumn,
    Float64Array
  >
  return { widthMs, size, ...columns }
}

export function encodeBuckets(buckets: Buckets, effort: Effort): Uint8Array {
  const out = new ByteWriter(buckets.size * 12 + 64)
  out.varint(buckets.size)
  out.varint(buckets.widthMs)
  bucketColumns.forEach((name, place) => {
    if (counts.includes(name) && buckets[name].every((count) => count === 0)) return
    column(out, FIRST_ID + place, (inner) => writeNumbers(inner, relative(buckets, name)))
  })
  return pack(out.peek(), effort)
}

/** @throws Failure `chunk-damaged` | `chunk-format-unknown` */
export function decodeBuckets(bytes: Uint8Array): Buckets {
  const from = unpack(bytes)
  const size = from.varint()
  const widthMs = from.varint()
  if (size > MAX_READINGS || widthMs === 0) throw damaged('claims too many buckets')
  const buckets = emptyBuckets(size, widthMs)
  while (from.left > 0) {
    const id = from.byte()
    const name = bucketColumns[id - FIRST_ID]
    if (!name)
      throw fail(
        'chunk-format-unknown',
        `A stored rollup has a column (${id}) that this version does not know. Upgrade.`,
      )
    const inner = from.section()
    buckets[name].set(readNumbers(inner, size))
    inner.end()
  }
  for (let i = 0; i < size; i++) buckets.start[i]! *= widthMs
  return buckets
}

/** Starts are kept as bucket numbers. */
const relative = (buckets: Buckets, name: BucketColumn): Float64Array =>
  name === 'start' ? buckets.start.map((start) => start / buckets.widthMs) : buckets[name]
