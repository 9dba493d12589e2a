import { hash } from 'node:crypto'

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32

/** A key made ready for HMAC-SHA-256 (RFC 2104): its two padded blocks. */
export interface HmacKey {
  readonly inner: Buffer
  readonly outer: Buffer
}

/** @param key at most 64 bytes */
export function hmacKey(key: Uint8Array): HmacKey {
  if (key.byteLength > BLOCK_BYTES) throw new RangeError('an HMAC key of more than a block')
  // Not from Node's shared pool, whose memory goes to other threads with whatever else lies in it.
  const [inner, outer] = [Buffer.alloc(BLOCK_BYTES, 0x36), Buffer.alloc(BLOCK_BYTES, 0x5c)]
  for (const [at, byte] of key.entries()) {
    inner[at]! ^= byte
    outer[at]! ^= byte
  }
  return { inner, outer }
}

const scratch = Buffer.alloc(1024)

/** Two hashes in one call each: a `createHmac` of a short text takes four times as long, most of it making the object. */
export function hmacSha256({ inner, outer }: HmacKey, text: string): Buffer {
  const most = BLOCK_BYTES + text.length * 3
  const message = most <= scratch.length ? scratch : Buffer.alloc(most + DIGEST_BYTES)
  inner.copy(message)
  const end = BLOCK_BYTES + message.write(text, BLOCK_BYTES, 'utf8')
  const within = hash('sha256', message.subarray(0, end), 'buffer')
  outer.copy(message)
  within.copy(message, BLOCK_BYTES)
  const digest = hash('sha256', message.subarray(0, BLOCK_BYTES + DIGEST_BYTES), 'buffer')
  message.fill(0, 0, Math.max(end, BLOCK_BYTES + DIGEST_BYTES))
  return digest
}

export function shredHmacKey({ inner, outer }: HmacKey): void {
  inner.fill(0)
  outer.fill(0)
}
