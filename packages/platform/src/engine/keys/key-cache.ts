import type { LiveKey } from './data-key.ts'

/** Unwrapped keys of this process, the least used dropped first, and which key an owner has. */
export class KeyCache {
  readonly #keys = new Map<string, { readonly key: LiveKey; readonly owner: string }>()
  readonly #owners = new Map<string, string>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  get(id: string): LiveKey | undefined {
    const entry = this.#keys.get(id)
    if (!entry) return undefined
    this.#keys.delete(id) // to the end: most recently used
    this.#keys.set(id, entry)
    return entry.key
  }

  of(owner: string): LiveKey | undefined {
    const id = this.#owners.get(owner)
    return id === undefined ? undefined : this.get(id)
  }

  /** @returns the key to use: one that was there already wins, so that all holders share one that can be shredded */
  put(key: LiveKey, owner: string): LiveKey {
    const there = this.get(key.id)
    if (there) return there
    this.#keys.set(key.id, { key, owner })
    this.#owners.set(owner, key.id)
    if (this.#keys.size > this.#max) this.#forget(this.#keys.keys().next().value!)
    return key
  }

  /** Shreds a destroyed key, also in the hands of those who hold it. */
  shred(id: string): boolean {
    const entry = this.#keys.get(id)
    if (!entry) return false
    this.#forget(id)
    entry.key.shred()
    return true
  }

  // An evicted key is not shredded: someone may be sealing with it now. The garbage collector takes it.
  #forget(id: string): void {
    const entry = this.#keys.get(id)
    this.#keys.delete(id)
    if (entry && this.#owners.get(entry.owner) === id) this.#owners.delete(entry.owner)
  }
}
