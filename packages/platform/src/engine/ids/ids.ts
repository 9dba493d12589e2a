import assert from 'node:assert/strict'
import { randomBytes, randomFillSync } from 'node:crypto'
import type { Clock, Ids } from '../ports.ts'

const COUNTER_BITS = 12
const COUNTER_LIMIT = 1 << COUNTER_BITS
const UUID_BYTES = 16

/**
 * UUIDs of version 7 (RFC 9562, method 1): 48 bits of time, a 12-bit counter, 62 random bits. Those of one process sort in the
 * order they were made, also within a millisecond and when the wall clock steps back.
 */
export function makeIds(clock: Pick<Clock, 'now'>): Ids {
  let lastMs = 0
  let counter = 0
  // Asked for in bulk: each request has an id, and one call of the generator serves 256 of them. No byte is used twice.
  const random = Buffer.alloc(UUID_BYTES * 256)
  let next = random.length
  const freshBytes = (): Buffer => {
    if (next === random.length) {
      randomFillSync(random)
      next = 0
    }
    next += UUID_BYTES
    return random.subarray(next - UUID_BYTES, next)
  }
  return {
    uuid() {
      const now = clock.now()
      const bytes = freshBytes()
      if (now > lastMs) {
        lastMs = now
        // Half of the counter's range is left free, so that thousands of ids in one millisecond do not run into the next.
        counter = bytes.readUInt16BE(6) & (COUNTER_LIMIT / 2 - 1)
      } else {
        counter += 1
        if (counter === COUNTER_LIMIT) {
          lastMs += 1
          counter = 0
        }
      }
      bytes.writeUIntBE(lastMs, 0, 6)
      bytes.writeUInt16BE(0x7000 | counter, 6)
      bytes[8] = (bytes[8]! & 0x3f) | 0x80
      return format(bytes)
    },
    token(prefix) {
      assert.match(prefix, /^[a-z]{2,8}$/, 'a token prefix is 2 to 8 letters, without the underscore')
      return `${prefix}_${randomBytes(32).toString('base64url')}`
    },
  }
}

function format(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
