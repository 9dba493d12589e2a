/** Small objects of a backup: JSON, compressed and sealed under their key. */
import type { ObjectStore } from '../objects/object-store.ts'
import { pack, unpack } from './packed.ts'
import type { StoreKey } from './store-key.ts'

export interface SealedStore {
  readonly objects: ObjectStore
  readonly key: StoreKey
  putJson(name: string, value: unknown, retainUntil?: Date): Promise<void>
  /** @returns null when there is none. @throws Failure `backup-damaged` */
  getJson<T>(name: string): Promise<T | null>
  /** @returns null when there is none. @throws Failure `backup-damaged` */
  get(name: string): Promise<Buffer | null>
  names(prefix: string): Promise<readonly string[]>
}

export function makeSealedStore(objects: ObjectStore, key: StoreKey): SealedStore {
  const get = async (name: string) => {
    const sealed = await objects.get(name)
    return sealed && unpack(key, name, sealed)
  }
  return {
    ...{ objects, key, get },
    async putJson(name, value, retainUntil) {
      await objects.put(name, pack(key, name, Buffer.from(JSON.stringify(value))), retainUntil ? { retainUntil } : {})
    },
    async getJson<T>(name: string) {
      const plain = await get(name)
      return plain && (JSON.parse(plain.toString('utf8')) as T)
    },
    async names(prefix) {
      const found: string[] = []
      for await (const { key: name } of objects.list(prefix)) found.push(name)
      return found
    },
  }
}
