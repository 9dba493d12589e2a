/**
 * Bytes out and bytes in: variable-length integers (LEB128, low 7 bits first), IEEE doubles little-endian, UTF-8 text.
 * Integers are JavaScript safe integers (below 2^53); no BigInt, since this runs once per reading.
 */
import { fail } from '../errors.ts'

export class ByteWriter {
  private bytes: Uint8Array
  private view: DataView
  length = 0

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity)
    this.view = new DataView(this.bytes.buffer)
  }

  private room(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
    this.view = new DataView(grown.buffer)
  }

  byte(value: number): void {
    this.room(1)
    this.bytes[this.length++] = value
  }

  /** @param value a safe integer >= 0 */
  varint(value: number): void {
    this.room(8)
    const bytes = this.bytes
    let rest = value
    while (rest >= 0x8000_0000) {
      bytes[this.length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    let low = rest | 0
    while (low >= 128) {
      bytes[this.length++] = (low & 127) | 128
      low >>>= 7
    }
    bytes[this.length++] = low
  }

  /** @param value a safe integer, |value| <= 2^52: 0, -1, 1, -2 ... become 0, 1, 2, 3 ... */
  zigzag(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1)
  }

  f64(value: number): void {
    this.room(8)
    this.view.setFloat64(this.length, value, true)
    this.length += 8
  }

  raw(bytes: Uint8Array): void {
    this.room(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Writes what `fill` writes, with its length before it. */
  section(fill: (inner: ByteWriter) => void): void {
    const inner = new ByteWriter(256)
    fill(inner)
    this.varint(inner.length)
    this.raw(inner.peek())
  }

  /** The bytes so far, without a copy: valid until the next write. */
  peek(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  reset(): void {
    this.length = 0
  }
}

export class ByteReader {
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw damaged('ends too soon')
    return this.bytes[this.at++]!
  }

  varint(): number {
    const bytes = this.bytes
    let at = this.at
    let next = bytes[at++]
    if (next === undefined) throw damaged('ends too soon')
    if (next < 128) {
      this.at = at
      return next
    }
    let value = next & 127
    let weight = 128
    for (;;) {
      next = bytes[at++]
      if (next === undefined) throw damaged('ends too soon')
      value += (next & 127) * weight
      if (next < 128) break
      weight *= 128
      if (weight > 2 ** 49) throw damaged('integer too long')
    }
    if (value > Number.MAX_SAFE_INTEGER) throw damaged('integer too large')
    this.at = at
    return value
  }

  zigzag(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  f64(): number {
    if (this.left < 8) throw damaged('ends too soon')
    const value = this.view.getFloat64(this.at, true)
    this.at += 8
    return value
  }

  raw(length: number): Uint8Array {
    if (length > this.left) throw damaged('ends too soon')
    const part = this.bytes.subarray(this.at, this.at + length)
    this.at += length
    return part
  }

  section(): ByteReader {
    return new ByteReader(this.raw(this.varint()))
  }

  /** A column must be read to its last byte: what is left over would be something that we do not know. */
  end(): void {
    if (this.left > 0) throw damaged('has bytes left over')
  }
}

export const damaged = (what: string) =>
  fail('chunk-damaged', `A stored chunk ${what}. Restore the database from a backup; the chunk was left as it is.`)
