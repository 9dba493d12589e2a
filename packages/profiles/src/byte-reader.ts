/** Reads a frame from front to back. Refuses with `frame-truncated` and the offset at which the missing field begins. */
import { fail } from './errors.ts'

export class ByteReader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  /** Added to offsets in failures, when the frame is part of a larger one. */
  readonly #base: number
  offset = 0

  constructor(bytes: Uint8Array, base = 0) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#base = base
  }

  get remaining(): number {
    return this.bytes.length - this.offset
  }

  /** Pointer to the next byte, or to one `back` bytes before it. */
  at(back = 0): string {
    return `@${this.#base + this.offset - back}`
  }

  /** Claims `count` bytes and returns where they begin. */
  #claim(count: number, what: string): number {
    if (this.remaining < count) {
      throw fail('frame-truncated', `The frame ends before its ${what}. Send it whole.`, { pointer: this.at() })
    }
    const start = this.offset
    this.offset += count
    return start
  }

  take(count: number, what: string): Uint8Array {
    const start = this.#claim(count, what)
    return this.bytes.subarray(start, start + count)
  }

  u8 = (what: string): number => this.#view.getUint8(this.#claim(1, what))
  i8 = (what: string): number => this.#view.getInt8(this.#claim(1, what))
  u16 = (what: string): number => this.#view.getUint16(this.#claim(2, what), true)
  i16 = (what: string): number => this.#view.getInt16(this.#claim(2, what), true)
  u32 = (what: string): number => this.#view.getUint32(this.#claim(4, what), true)
  i32 = (what: string): number => this.#view.getInt32(this.#claim(4, what), true)
  u16be = (what: string): number => this.#view.getUint16(this.#claim(2, what), false)
  i16be = (what: string): number => this.#view.getInt16(this.#claim(2, what), false)
  u32be = (what: string): number => this.#view.getUint32(this.#claim(4, what), false)
  u24 = (what: string): number => this.u16(what) + this.u8(what) * 65_536
  u24be = (what: string): number => this.u8(what) * 65_536 + this.u16be(what)

  /**
   * What may stand after the last field of a characteristic: nothing, or the zeros of a fixed buffer, or what a reserved flag
   * announced. Anything else was misread. @returns a warning, undefined when nothing is left
   */
  endPadded(hasReservedFlags: boolean): string | undefined {
    if (this.remaining === 0) return undefined
    if (!hasReservedFlags && this.bytes.subarray(this.offset).some((byte) => byte !== 0)) this.end()
    return 'Bytes after the last known field were not read.'
  }

  /** Refuses bytes after the last field: a frame longer than its flags say was misread or altered. */
  end(): void {
    if (this.remaining > 0) {
      throw fail('frame-invalid', `The frame has ${this.remaining} bytes more than its fields need.`, {
        pointer: this.at(),
      })
    }
  }
}

export const toHex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
