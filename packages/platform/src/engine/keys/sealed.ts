/**
 * The one form in which bytes are sealed, here and on compute threads. docs/formats tell of it; it never changes, it gets a
 * new format byte. AES-256-GCM (NIST SP 800-38D): format 1 = 1 byte format, 12 bytes nonce, ciphertext, 16 bytes tag.
 */
import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { engineFailure } from '../errors.ts'

const FORMAT = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + NONCE_BYTES
/** Bytes that sealing adds. */
export const SEAL_OVERHEAD_BYTES = HEAD_BYTES + TAG_BYTES
export const KEY_BYTES = 32

/**
 * @param key 32 bytes
 * @param aad what the bytes are and where they belong; the same text opens them
 */
export function sealBytes(key: Uint8Array, plain: Uint8Array, aad: string): Buffer {
  assert.equal(key.byteLength, KEY_BYTES)
  // Not from Node's shared pool: a sealed row is often moved or copied to another thread with its whole memory.
  const sealed = Buffer.allocUnsafeSlow(plain.byteLength + SEAL_OVERHEAD_BYTES)
  sealed[0] = FORMAT
  const nonce = randomBytes(NONCE_BYTES)
  nonce.copy(sealed, 1)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(aad, 'utf8'))
  cipher.update(plain).copy(sealed, HEAD_BYTES)
  cipher.final()
  cipher.getAuthTag().copy(sealed, HEAD_BYTES + plain.byteLength)
  return sealed
}

/** @throws Failure `seal-broken` when the bytes were changed, cut, sealed by another key, or belong elsewhere (other `aad`) */
export function openBytes(key: Uint8Array, sealed: Uint8Array, aad: string): Buffer {
  assert.equal(key.byteLength, KEY_BYTES)
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

function sealBroken() {
  return engineFailure(
    'seal-broken',
    'Sealed bytes do not open: they were changed, cut, or belong elsewhere. Restore them from a backup.',
  )
}
