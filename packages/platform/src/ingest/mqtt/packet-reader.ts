/**
 * Cuts a byte stream into MQTT control packets. mqtt-packet's own parser buffers whatever length a fixed header claims, and reads
 * past the end of a packet into the next; so packets are framed here, bounded, and handed on one at a time.
 */

export type Next = 'packet' | 'more' | 'too-large' | 'malformed'

const EMPTY = Buffer.alloc(0)
const LEAST_CAPACITY = 512

export class PacketReader {
  /** The largest packet taken, fixed header included. */
  maxBytes: number
  /** Of the packet found by `next`: first byte of the fixed header, the buffer it lies in, where its body starts and ends. */
  first = 0
  bytes: Buffer = EMPTY
  packetStart = 0
  start = 0
  end = 0
  #at = 0
  #filled = 0
  /** The buffer is ours to append to, not a chunk that the socket gave. */
  #owned = false

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  /** Bytes kept because their packet is not whole, or not yet asked for. */
  get kept(): number {
    return this.#filled - this.#at
  }

  feed(chunk: Buffer): void {
    const kept = this.#filled - this.#at
    if (kept === 0) {
      this.bytes = chunk
      this.#at = 0
      this.#filled = chunk.length
      this.#owned = false
      return
    }
    // Payloads already handed out lie before #at, so appending behind #filled cannot touch them.
    if (!this.#owned || this.bytes.length - this.#filled < chunk.length) this.#grow(kept, chunk.length)
    chunk.copy(this.bytes, this.#filled)
    this.#filled += chunk.length
  }

  /** Finds the next packet. After `too-large` or `malformed` the stream cannot be read on. */
  next(): Next {
    const bytes = this.bytes
    const at = this.#at
    const filled = this.#filled
    if (at === filled) return this.#wait()
    // Type 0 is reserved (MQTT 5.0, 2.1.2).
    if (bytes[at]! < 0x10) return 'malformed'
    let position = at + 1
    let length = 0
    for (let scale = 1; ; scale *= 128) {
      if (position === filled) return this.#wait()
      const digit = bytes[position++]!
      length += (digit & 0x7f) * scale
      if (digit < 0x80) break
      if (position - at > 4) return 'malformed'
    }
    if (position - at + length > this.maxBytes) return 'too-large'
    if (position + length > filled) return this.#wait()
    this.first = bytes[at]!
    this.packetStart = at
    this.start = position
    this.end = this.#at = position + length
    return 'packet'
  }

  /** First byte of the coming packet, or -1 when none is there. */
  peek(): number {
    return this.#at < this.#filled ? this.bytes[this.#at]! : -1
  }

  /** Capacity at most doubles what has really been received: a header that claims much reserves nothing. */
  #grow(kept: number, more: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(LEAST_CAPACITY, 2 ** Math.ceil(Math.log2(kept + more))))
    this.bytes.copy(grown, 0, this.#at, this.#filled)
    this.bytes = grown
    this.#at = 0
    this.#filled = kept
    this.#owned = true
  }

  /** Lets go of a buffer that is mostly or wholly read, so that an idle connection holds no memory. */
  #wait(): 'more' {
    const kept = this.#filled - this.#at
    if (kept === 0) {
      this.bytes = EMPTY
      this.#at = this.#filled = 0
      this.#owned = false
    } else if (kept * 4 < this.bytes.length && this.#at > 0) {
      this.#grow(kept, 0)
    }
    return 'more'
  }
}
