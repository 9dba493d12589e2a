import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { KEY_BYTES } from './sealed.ts'

export interface MasterKey {
  /** Tells keys apart without telling anything of their bytes. */
  readonly id: string
  readonly bytes: Buffer
}

/**
 * The master keys of an installation: one wraps new data keys, older ones still unwrap. Where they are kept is the maker's
 * affair: a file (`openMasterKey`) or memory.
 */
export interface MasterKeys {
  current(): Promise<MasterKey>
  find(id: string): Promise<MasterKey | undefined>
  /** Keeps a new key beside the old ones and makes it current. Durable when it resolves; the same key again changes nothing. */
  makeCurrent(bytes: Uint8Array): Promise<MasterKey>
}

/** @param bytes 32 bytes */
export function masterKey(bytes: Uint8Array): MasterKey {
  assert.equal(bytes.byteLength, KEY_BYTES, 'a master key is 32 bytes')
  const own = Buffer.allocUnsafeSlow(KEY_BYTES)
  own.set(bytes)
  return { id: createHmac('sha256', own).update('careloop master key id').digest('hex').slice(0, 16), bytes: own }
}

/** Master keys that someone else keeps (a secrets manager). The first is current. */
export function masterKeysInMemory(first: Uint8Array, ...older: Uint8Array[]): MasterKeys {
  const keys = [first, ...older].map(masterKey)
  return {
    current: async () => keys[0]!,
    find: async (id) => keys.find((key) => key.id === id),
    async makeCurrent(bytes) {
      const next = masterKey(bytes)
      const known = keys.findIndex((key) => key.id === next.id)
      if (known >= 0) keys.splice(known, 1)
      keys.unshift(next)
      return next
    },
  }
}
