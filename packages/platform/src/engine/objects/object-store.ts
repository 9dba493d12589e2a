/**
 * Bytes under names, in a place that is not the database: a folder or an S3-compatible store. Backups and the trail's checkpoints
 * go there. What it holds is sealed or signed by whoever puts it: a store is trusted with keeping bytes, never with reading them.
 */
import assert from 'node:assert/strict'
import type { EpochMs } from '@careloop/contract'

export interface ObjectStore {
  /** For log lines and pages: without credentials. */
  readonly name: string
  /**
   * Durable when it resolves. The same bytes again under the same key change nothing.
   * @param options.retainUntil until then nobody may replace or remove it (S3 object lock, mode COMPLIANCE)
   * @throws Failure `object-retained` when other bytes are held under the key, `object-store-refused`, `object-store-unreachable`
   */
  put(key: string, bytes: Uint8Array, options?: { readonly retainUntil?: Date }): Promise<void>
  /** @returns null when there is none */
  get(key: string): Promise<Buffer | null>
  /** In the order of the keys' bytes. */
  list(prefix: string): AsyncIterable<StoredObject>
  /** For good, with all versions; nothing happens when there is none. @throws Failure `object-retained` */
  delete(key: string): Promise<void>
}

export interface StoredObject {
  readonly key: string
  readonly bytes: number
  readonly modifiedAt: EpochMs
}

const KEY = /^[A-Za-z0-9_=][A-Za-z0-9._=-]*(\/[A-Za-z0-9_=][A-Za-z0-9._=-]*)*$/

/** Keys are made by machines and mean the same in a folder and in a URL: no blanks, no `..`, no hidden names. */
export function assertObjectKey(key: string): void {
  assert(key.length <= 512 && KEY.test(key), 'an object key is made of letters, digits and ._=- between slashes')
}

/** The beginning of keys; may be empty or end amid a name. */
export function assertObjectPrefix(prefix: string): void {
  if (prefix !== '') assertObjectKey(prefix.replace(/\/$/, ''))
}
