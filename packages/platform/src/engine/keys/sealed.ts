/**
 * The one form in which bytes are sealed, here and on compute threads. docs/security/keys.md tells of it; it never changes, it gets a
 * new format byte. AES-256-GCM (NIST SP 800-38D): format 1 = 1 byte format, 12 bytes nonce, ciphertext, 16 bytes tag.
 */
import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv, KeyObject, randomFillSync } from 'node:crypto'
import { engineFailure } from '../errors.ts'

const FORMAT = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + NONCE_BYTES
/** Bytes that sealing adds. */
export const SEAL_OVERHEAD_BYTES = HEAD_BYTES + TAG_BYTES
export const KEY_BYTES = 32

/** 32 bytes; as a KeyObject sealing is several times faster (5 us instead of 30), since nothing is imported each time. */
export type SealKey = Uint8Array | KeyObject

/**
 * @param aad what the bytes are and where they belong; the same text opens them
 */
export function sealBytes(key: SealKey, plain: Uint8Array, aad: string): Buffer {
  assert.equal(key instanceof KeyObject ? key.symmetricKeySize : key.byteLength, KEY_BYTES)
  // Not from Node's shared pool: a sealed row is often moved or copied to another thread with its whole memory.
  const sealed = Buffer.allocUnsafeSlow(plain.byteLength + SEAL_OVERHEAD_BYTES)
  sealed[0] = FORMAT
  const nonce = nextNonce()
  nonce.copy(sealed, 1)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(aad, 'utf8'))
  cipher.update(plain).copy(sealed, HEAD_BYTES)
  cipher.final()
  cipher.getAuthTag().copy(sealed, HEAD_BYTES + plain.byteLength)
  return sealed
}

/** @throws Failure `seal-broken` when the bytes were changed, cut, sealed by another key, or belong elsewhere (other `aad`) */
export function openBytes(key: SealKey, sealed: Uint8Array, aad: string): Buffer {
  assert.equal(key instanceof KeyObject ? key.symmetricKeySize : key.byteLength, KEY_BYTES)
  if (sealed.byteLength < SEAL_OVERHEAD_BYTES || sealed[0] !== FORMAT) throw sealBroken()
  const end = sealed.byteLength - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, HEAD_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(aad, 'utf8'))
  decipher.setAuthTag(sealed.subarray(end))
  const plain = decipher.update(sealed.subarray(HEAD_BYTES, end))
  try {
    decipher.final()
  } catch {
    plain.fill(0)
    throw sealBroken()
  }
  return plain
}

// Randomness is asked for in bulk: one system call serves a thousand seals. A nonce is no secret and is never given twice.
const nonces = Buffer.alloc(NONCE_BYTES * 1_024)
let nonceAt = nonces.length

function nextNonce(): Buffer {
  if (nonceAt === nonces.length) {
    randomFillSync(nonces)
    nonceAt = 0
  }
  nonceAt += NONCE_BYTES
  return nonces.subarray(nonceAt - NONCE_BYTES, nonceAt)
}

function sealBroken() {
  return engineFailure(
    'seal-broken',
    'Sealed bytes do not open: they were changed, cut, or belong elsewhere. Restore them from a backup.',
  )
}
