import assert from 'node:assert/strict'
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { engineFailure } from '../errors.ts'
import { KEY_BYTES, openBytes, sealBytes } from './sealed.ts'

export interface MasterKey {
  /** Tells keys apart without telling anything of their bytes. */
  readonly id: string
  readonly bytes: Buffer
}

/** A data key as it is kept: what wraps it, and the bytes that only this opens. */
export interface Wrapped {
  /** Which master key (of a KMS: which version of it). */
  readonly masterId: string
  readonly wrapped: Buffer
}

/**
 * The master keys of an installation, as a key management service gives them: it wraps and unwraps, and need not give out what it
 * wraps with. Engines: a file (`openMasterKey`), memory, and Transit of Vault or OpenBao (`transitMasterKeys`). One contract suite.
 * @throws Failure from all: `kms-unavailable` (try again; keys in memory go on), `kms-refused` (credentials, or no such key)
 */
export interface MasterKeys {
  /** Id of the key that wraps now. */
  current(): Promise<string>
  /** Whether what this key wrapped can still be unwrapped. */
  has(id: string): Promise<boolean>
  /** @param place what the key is and to whom it belongs: the same text unwraps it, no other */
  wrap(bytes: Uint8Array, place: string): Promise<Wrapped>
  /** @throws Failure `master-key-missing`, `seal-broken` (changed bytes, or another place) */
  unwrap(from: Wrapped, place: string): Promise<Buffer>
  /** Under the current key, each checked to open at its place before it is given back. Order is kept. */
  rewrap(keys: readonly (Wrapped & { readonly place: string })[]): Promise<Wrapped[]>
  /**
   * A new key wraps from now on; older ones unwrap on. Durable when it resolves.
   * @param bytes of the new key, where the keeper takes any; the same again changes nothing
   */
  rotate(bytes?: Uint8Array): Promise<string>
  /** What is wrong with the keeper just now, in words for operators; null = the last call went well. */
  trouble(): string | null
}

/** Keys whose bytes this process holds: the first wraps, older ones still unwrap. */
export interface KeyRing {
  /** All, the current one first. */
  all(): Promise<readonly MasterKey[]>
  current(): Promise<MasterKey>
  find(id: string): Promise<MasterKey | undefined>
  /** Keeps a new key beside the old ones and makes it current. Durable when it resolves; the same key again changes nothing. */
  makeCurrent(bytes: Uint8Array): Promise<MasterKey>
}

/** Master keys whose bytes lie at hand. */
export function masterKeysOf(ring: KeyRing): MasterKeys {
  const wrap = async (bytes: Uint8Array, place: string): Promise<Wrapped> => {
    const master = await ring.current()
    return { masterId: master.id, wrapped: sealBytes(master.bytes, bytes, place) }
  }
  const unwrap = async ({ masterId, wrapped }: Wrapped, place: string): Promise<Buffer> => {
    const master = await ring.find(masterId)
    if (!master) throw masterMissing(masterId)
    return openBytes(master.bytes, wrapped, place)
  }
  const rewrapOne = async (from: Wrapped & { readonly place: string }): Promise<Wrapped> => {
    const bytes = await unwrap(from, from.place)
    const to = await wrap(bytes, from.place)
    const check = await unwrap(to, from.place)
    if (!timingSafeEqual(check, bytes)) throw engineFailure('seal-broken', 'A key did not survive rewrapping.')
    check.fill(0)
    bytes.fill(0)
    return to
  }
  return {
    ...{ wrap, unwrap },
    current: async () => (await ring.current()).id,
    has: async (id) => (await ring.find(id)) !== undefined,
    rewrap: (keys) => Promise.all(keys.map(rewrapOne)),
    rotate: async (bytes) => (await ring.makeCurrent(bytes ?? randomBytes(KEY_BYTES))).id,
    trouble: () => null,
  }
}

export function masterMissing(id: string) {
  const message = `Keys in the database are wrapped by master key ${id}, which is not at hand. Add its line to the master key file from escrow, or name the right key management service.`
  return engineFailure('master-key-missing', message)
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
  return masterKeysOf({
    all: async () => keys,
    current: async () => keys[0]!,
    find: async (id) => keys.find((key) => key.id === id),
    async makeCurrent(bytes) {
      const next = masterKey(bytes)
      const known = keys.findIndex((key) => key.id === next.id)
      if (known >= 0) keys.splice(known, 1)
      keys.unshift(next)
      return next
    },
  })
}
