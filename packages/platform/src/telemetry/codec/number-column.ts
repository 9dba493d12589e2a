/**
 * A column of numbers, each of which comes back bit for bit (any double, -0, infinities, NaN). Most measurements are short
 * decimals: they become scaled integers, then differences, then variable-length integers. What does not fit is stored beside
 * as an exception, or the whole column in another mode; the smallest wins. docs/chunk-format.md describes the bytes.
 */
import { type ByteReader, type ByteWriter, damaged } from './bytes.ts'

const CONSTANT = 0
const SCALED = 1
const DICTIONARY = 2
const RAW64 = 3
const RAW32 = 4

const POWERS = Array.from({ length: 16 }, (_, k) => Number(`1e${k}`))
/** Coded integers stay below this, so that their zigzag form stays a safe integer. */
const LIMIT = 2 ** 52 - 1
const MAX_DICTIONARY = 2048

export function writeNumbers(out: ByteWriter, values: Float64Array): void {
  const n = values.length
  if (n === 0) return
  if (isConstant(values)) {
    out.byte(CONSTANT)
    out.f64(values[0]!)
    return
  }
  const scaled = scale(values)
  const cost = scaled ? scaled.cost : Number.POSITIVE_INFINITY
  // A dictionary costs time to try: only where integers take more than two bytes.
  const dictionary = cost > n * 2 && n >= 16 ? lookUp(values) : null
  const flat = cost > n * 4 && isSingle(values) ? 4 : 8
  if (dictionary && dictionary.cost < Math.min(cost, flat * n)) writeDictionary(out, dictionary)
  else if (scaled && cost < flat * n) writeScaled(out, scaled, values)
  else writeFlat(out, values, flat)
}

export function readNumbers(from: ByteReader, n: number): Float64Array {
  const values = new Float64Array(n)
  if (n === 0) return values
  const mode = from.byte()
  if (mode === CONSTANT) return values.fill(from.f64())
  if (mode === SCALED) return readScaled(from, values)
  if (mode === DICTIONARY) return readDictionary(from, values)
  if (mode === RAW64 || mode === RAW32) return readFlat(from, values, mode === RAW64 ? 8 : 4)
  throw damaged('has an unknown column mode')
}

function isConstant(values: Float64Array): boolean {
  const first = values[0]!
  for (let i = 1; i < values.length; i++) if (!Object.is(values[i], first)) return false
  return true
}

const isSingle = (values: Float64Array): boolean => values.every((value) => Object.is(Math.fround(value), value))

// ---------------------------------------------------------------- scaled integers

interface Scaled {
  readonly digits: number
  /** The device computed in single precision: value = fround(integer / 10^digits). */
  readonly single: boolean
  readonly integers: Float64Array
  /** Indexes that do not fit; their integer repeats the one before. */
  readonly exceptions: readonly number[]
  readonly order: 0 | 1 | 2
  /** Bytes, before compression. */
  readonly cost: number
}

function scale(values: Float64Array): Scaled | null {
  return scaleWith(values, false) ?? scaleWith(values, true)
}

function scaleWith(values: Float64Array, single: boolean): Scaled | null {
  const n = values.length
  const allowed = n >> 4
  const maxDigits = single ? 9 : 15
  const misfits = new Set<number>()
  let digits = 0
  for (let i = 0; i < n; i++) {
    const value = values[i]!
    let k = digits
    while (k <= maxDigits && !fits(value, k, single)) k++
    if (k <= maxDigits) digits = k
    else if (misfits.add(i).size > allowed) return null
  }
  const power = POWERS[digits]!
  const integers = new Float64Array(n)
  const exceptions: number[] = []
  for (let i = 0; i < n; i++) {
    // What fitted with fewer digits may pass the limit with more: it is looked at again, and becomes an exception.
    if (!misfits.has(i) && fits(values[i]!, digits, single)) integers[i] = Math.round(values[i]! * power)
    else {
      integers[i] = i > 0 ? integers[i - 1]! : 0
      exceptions.push(i)
    }
  }
  if (exceptions.length > allowed) return null
  const { order, cost } = cheapestOrder(integers)
  return { digits, single, integers, exceptions, order, cost: cost + exceptions.length * 10 }
}

function fits(value: number, digits: number, single: boolean): boolean {
  const power = POWERS[digits]!
  const integer = Math.round(value * power)
  if (!(Math.abs(integer) <= LIMIT)) return false
  const back = single ? Math.fround(integer / power) : integer / power
  return back === value && (value !== 0 || Object.is(value, 0))
}

function cheapestOrder(integers: Float64Array): { order: 0 | 1 | 2; cost: number } {
  let zero = 0
  let one = 0
  let two = 0
  let before = 0
  let step = 0
  for (let i = 0; i < integers.length; i++) {
    const value = integers[i]!
    const difference = value - before
    zero += width(value)
    one += width(difference)
    two += width(i === 0 ? value : difference - step)
    step = i === 0 ? 0 : difference
    before = value
  }
  // Two wins a draw on steady clocks: equal steps become zeros, which compress to nothing.
  if (two <= one && two <= zero) return { order: 2, cost: two }
  return one <= zero ? { order: 1, cost: one } : { order: 0, cost: zero }
}

/** Bytes of a zigzag varint; below one byte, small differences count a little less, so that zeros win a draw. */
function width(value: number): number {
  const magnitude = Math.abs(value)
  if (magnitude === 0) return 0.25
  if (magnitude < 8) return 0.6
  if (magnitude < 64) return 1
  if (magnitude < 8192) return 2
  if (magnitude < 1048576) return 3
  if (magnitude < 134217728) return 4
  if (magnitude > LIMIT) return Number.POSITIVE_INFINITY
  return Math.ceil((Math.log2(magnitude) + 1.01) / 7)
}

function writeScaled(out: ByteWriter, scaled: Scaled, values: Float64Array): void {
  const { integers, order, exceptions } = scaled
  out.byte(SCALED)
  out.byte(order | (scaled.single ? 4 : 0))
  out.byte(scaled.digits)
  out.varint(exceptions.length)
  let last = 0
  for (const index of exceptions) {
    out.varint(index - last)
    out.f64(values[index]!)
    last = index
  }
  let before = 0
  let step = 0
  for (let i = 0; i < integers.length; i++) {
    const value = integers[i]!
    const difference = value - before
    if (order === 1) out.zigzag(difference)
    else if (order === 0 || i === 0) out.zigzag(value)
    else out.zigzag(difference - step)
    step = i === 0 ? 0 : difference
    before = value
  }
}

function readScaled(from: ByteReader, values: Float64Array): Float64Array {
  const how = from.byte()
  const order = how & 3
  const digits = from.byte()
  if (how > 7 || order > 2 || digits > 15) throw damaged('has an unknown scale')
  const exceptions: [number, number][] = []
  let index = 0
  for (let left = from.varint(); left > 0; left--) {
    index += from.varint()
    if (index >= values.length) throw damaged('has an exception outside its column')
    exceptions.push([index, from.f64()])
  }
  const power = POWERS[digits]!
  const single = how >= 4
  let before = 0
  let step = 0
  for (let i = 0; i < values.length; i++) {
    const coded = from.zigzag()
    if (order === 0) before = coded
    else if (order === 1) before += coded
    else {
      step = i === 0 ? 0 : step + coded
      before += i === 0 ? coded : step
    }
    values[i] = single ? Math.fround(before / power) : before / power
  }
  for (const [at, value] of exceptions) values[at] = value
  return values
}

// ---------------------------------------------------------------- dictionary

interface Dictionary {
  readonly entries: Float64Array
  readonly indexes: Uint16Array
  readonly cost: number
}

function lookUp(values: Float64Array): Dictionary | null {
  const limit = Math.min(MAX_DICTIONARY, values.length >> 1)
  const seen = new Set<number>()
  for (const value of values) {
    if (Object.is(value, -0)) return null // a Set takes -0 for 0
    if (seen.add(value).size > limit) return null
  }
  const entries = Float64Array.from(seen).sort()
  const placeOf = new Map([...entries].map((value, place) => [value, place]))
  const indexes = Uint16Array.from(values, (value) => placeOf.get(value)!)
  return { entries, indexes, cost: entries.length * 8 + cheapestOrder(Float64Array.from(indexes)).cost }
}

function writeDictionary(out: ByteWriter, dictionary: Dictionary): void {
  out.byte(DICTIONARY)
  out.varint(dictionary.entries.length)
  writeShuffled(out, dictionary.entries)
  writeNumbersOf(out, dictionary.indexes)
}

function readDictionary(from: ByteReader, values: Float64Array): Float64Array {
  const size = from.varint()
  if (size > MAX_DICTIONARY) throw damaged('has too large a dictionary')
  const entries = readShuffled(from, new Float64Array(size))
  const mode = from.byte()
  if (mode !== SCALED) throw damaged('has an unknown column mode')
  const indexes = readScaled(from, new Float64Array(values.length))
  for (let i = 0; i < values.length; i++) {
    const index = indexes[i]!
    if (!(index >= 0 && index < size)) throw damaged('points outside its dictionary')
    values[i] = entries[index]!
  }
  return values
}

/** Whole numbers are always written as scaled integers with 0 digits. */
function writeNumbersOf(out: ByteWriter, whole: Uint16Array): void {
  const integers = Float64Array.from(whole)
  const { order, cost } = cheapestOrder(integers)
  writeScaled(out, { digits: 0, single: false, integers, exceptions: [], order, cost }, integers)
}

// ---------------------------------------------------------------- IEEE bytes, byte planes together

function writeFlat(out: ByteWriter, values: Float64Array, width: 4 | 8): void {
  out.byte(width === 8 ? RAW64 : RAW32)
  writeShuffled(out, width === 8 ? values : Float32Array.from(values))
}

function readFlat(from: ByteReader, values: Float64Array, width: 4 | 8): Float64Array {
  if (width === 8) return readShuffled(from, values)
  values.set(readShuffled(from, new Float32Array(values.length)))
  return values
}

/** First bytes of all values, then second bytes ...: what varies little lies together and compresses. */
function writeShuffled(out: ByteWriter, values: Float64Array | Float32Array): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  const width = values.BYTES_PER_ELEMENT
  const planes = new Uint8Array(bytes.length)
  for (let plane = 0, at = 0; plane < width; plane++)
    for (let i = plane; i < bytes.length; i += width) planes[at++] = bytes[i]!
  out.raw(planes)
}

function readShuffled<T extends Float64Array | Float32Array>(from: ByteReader, values: T): T {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  const width = values.BYTES_PER_ELEMENT
  const planes = from.raw(bytes.length)
  for (let plane = 0, at = 0; plane < width; plane++)
    for (let i = plane; i < bytes.length; i += width) bytes[i] = planes[at++]!
  return values
}
