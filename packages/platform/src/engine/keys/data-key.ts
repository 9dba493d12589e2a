import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { engineFailure } from '../errors.ts'
import type { DataKey } from '../ports.ts'
import { type HmacKey, hmacKey, hmacSha256, shredHmacKey } from './hmac.ts'
import { KEY_BYTES, openBytes, sealBytes } from './sealed.ts'

/** Random nonces of 96 bits are safe for 2^32 seals under one key (SP 800-38D, 8.3); no owner comes near it. */
const MAX_SEALS = 2 ** 32

/** A data key in memory. After `shred` it neither seals nor opens, also for those who still hold it. */
export class LiveKey implements DataKey {
  readonly id: string
  readonly #bytes: Buffer
  #key: KeyObject | undefined
  readonly #derived = new Map<string, HmacKey>()
  #seals = 0

  constructor(id: string, bytes: Uint8Array) {
    this.id = id
    this.#bytes = Buffer.allocUnsafeSlow(KEY_BYTES)
    this.#bytes.set(bytes)
    this.#key = createSecretKey(this.#bytes)
  }

  get raw(): Uint8Array {
    this.#alive()
    return this.#bytes
  }

  seal(plain: Uint8Array, aad: string): Buffer {
    this.#seals += 1
    if (this.#seals > MAX_SEALS) throw engineFailure('key-exhausted', 'This key sealed 2^32 times. Make a new one.')
    return sealBytes(this.#alive(), plain, aad)
  }

  open(sealed: Uint8Array, aad: string): Buffer {
    return openBytes(this.#alive(), sealed, aad)
  }

  /** HMAC-SHA-256 under a key derived for `purpose` (HKDF), so that two indexes over one value cannot be joined. */
  hmac(purpose: string, text: string): Buffer {
    let key = this.#derived.get(purpose)
    if (!key) {
      key = hmacKey(new Uint8Array(hkdfSync('sha256', this.#alive(), '', `careloop hmac ${purpose}`, 32)))
      this.#derived.set(purpose, key)
    }
    return hmacSha256(key, text)
  }

  shred(): void {
    this.#key = undefined
    this.#bytes.fill(0)
    for (const key of this.#derived.values()) shredHmacKey(key)
    this.#derived.clear()
  }

  // Asked before the bytes are used: a shredded key is all zeros, and sealing with it would be no sealing.
  #alive(): KeyObject {
    if (!this.#key) throw keyDestroyed()
    return this.#key
  }
}

export function keyDestroyed() {
  return engineFailure('key-destroyed', 'What this key sealed was erased for ever. Nothing can bring it back.')
}
