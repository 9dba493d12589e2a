/**
 * The bytes of one chunk or open segment before sealing. docs/chunk-format.md describes them for whoever writes another
 * reader; a change of meaning takes a new version, and every version is read for ever.
 *
 * version, compression, varint length of the plain part, plain part;
 * plain part = varint n, then columns: id, varint length, bytes. An unknown column is refused, never skipped: it would be lost
 * when the chunk is sealed again.
 */
import { constants, deflateRawSync, inflateRawSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { fail } from '../errors.ts'
import { ByteReader, ByteWriter, damaged } from './bytes.ts'
import { type Columns, codeColumns, empty, numberColumns, originCodes, specialValue, textColumns } from './columns.ts'
import { readNumbers, writeNumbers } from './number-column.ts'
import { readTexts, writeTexts } from './text-column.ts'

export const FORMAT_VERSION = 1
/** No chunk holds more; a reader may refuse what claims to. */
export const MAX_READINGS = 1 << 17
const MAX_PLAIN_BYTES = 1 << 25
const STORED = 0
const DEFLATED = 1
const ZSTD = 2
/** `open`: written once a second for every series, read for minutes. `sealed`: written once, kept for years. */
export type Effort = 'open' | 'sealed'
/**
 * Measured on real signals, Node 24: zstd 9 takes the bytes of deflate 6 (within 2 %) in a quarter of the time, but its frame
 * costs 9 bytes, so that short parts are deflated, and open segments too short to gain are stored as they are.
 */
const SHORT = 600
const ZSTD_LEVEL = { open: 1, sealed: 9 } as const

const MEASURED_AT = 1
const VALUE = 2
/** Column ids of the optional columns. Never reuse one. */
const ids = {
  special: 3,
  ordinal: 4,
  flags: 5,
  deviceTime: 6,
  groupId: 7,
  originalValue: 8,
  originalUnit: 9,
  storedAt: 10,
  origin: 11,
  enteredBy: 12,
} as const

export function encodeReadings(columns: Columns, effort: Effort): Uint8Array {
  const out = new ByteWriter(columns.n * 4 + 64)
  out.varint(columns.n)
  column(out, MEASURED_AT, (inner) => writeNumbers(inner, columns.measuredAt))
  if (columns.special) column(out, ids.special, (inner) => writeTexts(inner, columns.special!))
  column(out, VALUE, (inner) => writeNumbers(inner, columns.special ? plainValues(columns) : columns.value))
  for (const name of codeColumns) {
    const codes = columns[name]
    if (codes?.some((value) => value !== 0)) column(out, ids[name], (inner) => writeNumbers(inner, codes))
  }
  for (const name of numberColumns) {
    const numbers = columns[name]
    if (numbers?.some((value) => !Number.isNaN(value)))
      column(out, ids[name], (inner) => writeSparse(inner, numbers, baseOf(name, columns)))
  }
  for (const name of textColumns) {
    const texts = columns[name]
    if (name !== 'special' && texts?.some((text) => text !== undefined))
      column(out, ids[name], (inner) => writeTexts(inner, texts))
  }
  return pack(out.peek(), effort)
}

/** @throws Failure `chunk-damaged` | `chunk-format-unknown` */
export function decodeReadings(bytes: Uint8Array): Columns {
  const from = unpack(bytes)
  const n = from.varint()
  if (n > MAX_READINGS) throw damaged('claims too many readings')
  const draft = empty(n)
  let values: ByteReader | null = null
  let times = false
  while (from.left > 0) {
    const id = from.byte()
    const inner = from.section()
    if (id === VALUE) values = inner
    else {
      if (id === MEASURED_AT) {
        draft.measuredAt = readNumbers(inner, n)
        times = true
      } else readOptional(draft, id, inner)
      inner.end()
    }
  }
  if (!values || !times) throw damaged('lacks its times or values')
  draft.value = readValues(values, draft)
  values.end()
  return draft
}

function readOptional(draft: ReturnType<typeof empty>, id: number, inner: ByteReader): void {
  for (const name of codeColumns)
    if (id === ids[name]) {
      draft[name] = readNumbers(inner, draft.n)
      if (name === 'origin' && draft.origin!.some((code) => !originCodes[code])) throw damaged('has an unknown origin')
      return
    }
  for (const name of numberColumns)
    if (id === ids[name]) {
      draft[name] = readSparse(inner, draft.n, baseOf(name, draft))
      return
    }
  for (const name of textColumns)
    if (id === ids[name]) {
      draft[name] = readTexts(inner, draft.n)
      return
    }
  throw fail('chunk-format-unknown', `A stored chunk has a column (${id}) that this version does not know. Upgrade.`)
}

/** Values where there are numbers, closed up: specials take no place in the value column. */
function plainValues(columns: Columns): Float64Array {
  return columns.value.filter((_, i) => columns.special![i] === undefined)
}

function readValues(from: ByteReader, draft: Columns): Float64Array {
  const { special, n } = draft
  if (!special) return readNumbers(from, n)
  for (const text of special) if (text !== undefined) checkSpecial(text)
  const plain = readNumbers(from, special.filter((text) => text === undefined).length)
  const values = new Float64Array(n)
  for (let i = 0, at = 0; i < n; i++) if (special[i] === undefined) values[i] = plain[at++]!
  return values
}

const SPECIAL = /^(absent:[a-z-]+|[<>].+)$/

function checkSpecial(text: string): void {
  const value = SPECIAL.test(text) ? specialValue(text) : null
  if (!value || ('limit' in value && Number.isNaN(value.limit))) throw damaged('has a special value of no known kind')
}

// ---------------------------------------------------------------- columns with holes

/** Device and storage times are kept as what they differ from measuredAt by, where that is exact. */
const baseOf = (name: (typeof numberColumns)[number], columns: Columns): Float64Array | null =>
  name === 'deviceTime' ? columns.measuredAt : null

function writeSparse(out: ByteWriter, values: Float64Array, base: Float64Array | null): void {
  writePresence(out, values)
  const present = presentIndexes(values)
  const differences = base && Float64Array.from(present, (i) => values[i]! - base[i]!)
  const exact = differences?.every((difference, at) => base![present[at]!]! + difference === values[present[at]!]!)
  out.byte(exact ? 1 : 0)
  writeNumbers(out, exact ? differences! : Float64Array.from(present, (i) => values[i]!))
}

function readSparse(from: ByteReader, n: number, base: Float64Array | null): Float64Array {
  const present = readPresence(from, n)
  const relative = from.byte()
  if (relative > 1 || (relative === 1 && !base)) throw damaged('has an unknown base')
  const plain = readNumbers(from, present.length)
  const values = new Float64Array(n).fill(Number.NaN)
  for (let at = 0; at < present.length; at++) {
    const i = present[at]!
    values[i] = relative ? base![i]! + plain[at]! : plain[at]!
  }
  return values
}

/** Lengths of runs, absent and present in turn, beginning with absent (which may be 0 long), until n. */
function writePresence(out: ByteWriter, values: Float64Array): void {
  let present = false
  let run = 0
  for (const value of values) {
    if (Number.isNaN(value) === present) {
      out.varint(run)
      present = !present
      run = 0
    }
    run++
  }
  out.varint(run)
}

function readPresence(from: ByteReader, n: number): number[] {
  const indexes: number[] = []
  let at = 0
  for (let present = false; at < n; present = !present) {
    const run = from.varint()
    if (run > n - at || (run === 0 && at > 0)) throw damaged('has a run out of bounds')
    if (present) for (let i = 0; i < run; i++) indexes.push(at + i)
    at += run
  }
  return indexes
}

function presentIndexes(values: Float64Array): number[] {
  const indexes: number[] = []
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i])) indexes.push(i)
  return indexes
}

// ---------------------------------------------------------------- envelope

export function column(out: ByteWriter, id: number, fill: (inner: ByteWriter) => void): void {
  out.byte(id)
  out.section(fill)
}

export function pack(plain: Uint8Array, effort: Effort): Uint8Array {
  const [compression, packed] = squeeze(plain, effort)
  const smaller = packed.length < plain.length
  const out = new ByteWriter(plain.length + 8)
  out.byte(FORMAT_VERSION)
  out.byte(smaller ? compression : STORED)
  out.varint(plain.length)
  out.raw(smaller ? packed : plain)
  return out.peek()
}

function squeeze(plain: Uint8Array, effort: Effort): [number, Uint8Array] {
  if (plain.length > SHORT)
    return [ZSTD, zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL[effort] } })]
  return effort === 'open' ? [STORED, plain] : [DEFLATED, deflateRawSync(plain, { level: 9 })]
}

export function unpack(bytes: Uint8Array): ByteReader {
  const head = new ByteReader(bytes)
  const version = head.byte()
  if (version !== FORMAT_VERSION)
    throw fail(
      'chunk-format-unknown',
      `A stored chunk has format ${version}, which this version does not know. Upgrade.`,
    )
  const compression = head.byte()
  const length = head.varint()
  if (compression > ZSTD)
    throw fail(
      'chunk-format-unknown',
      `A stored chunk is compressed in a way (${compression}) that this version does not know. Upgrade.`,
    )
  if (length > MAX_PLAIN_BYTES) throw damaged('claims to be too long')
  const body = head.raw(head.left)
  const plain = compression === STORED ? body : inflate(body, length, compression)
  if (plain.length !== length) throw damaged('is not as long as it says')
  return new ByteReader(plain)
}

function inflate(body: Uint8Array, length: number, compression: number): Uint8Array {
  try {
    const unpacked = compression === ZSTD ? zstdDecompressSync : inflateRawSync
    return unpacked(body, { maxOutputLength: Math.max(length, 1) })
  } catch {
    throw damaged('cannot be inflated')
  }
}
