import type { LiveKey } from './data-key.ts'

interface Entry {
  readonly key: LiveKey
  readonly owner: string
}

/**
 * Unwrapped keys of this process, those not used for long dropped first, and which key an owner has. Two generations: when the young
 * one holds half of what may be held, the old one is dropped and it takes its place; what is used of the old one is young again.
 * (To put each key that is used to the end of one map costs more than all else of a get, once there are thousands.)
 */
export class KeyCache {
  #young = new Map<string, Entry>()
  #old = new Map<string, Entry>()
  readonly #owners = new Map<string, string>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  get(id: string): LiveKey | undefined {
    const young = this.#young.get(id)
    if (young) return young.key
    const old = this.#old.get(id)
    if (!old) return undefined
    this.#old.delete(id)
    this.#add(id, old)
    return old.key
  }

  of(owner: string): LiveKey | undefined {
    const id = this.#owners.get(owner)
    return id === undefined ? undefined : this.get(id)
  }

  /** @returns the key to use: one that was there already wins, so that all holders share one that can be shredded */
  put(key: LiveKey, owner: string): LiveKey {
    const there = this.get(key.id)
    if (there) return there
    this.#owners.set(owner, key.id)
    this.#add(key.id, { key, owner })
    return key
  }

  /** Shreds a destroyed key, also in the hands of those who hold it. */
  shred(id: string): boolean {
    const entry = this.#young.get(id) ?? this.#old.get(id)
    if (!entry) return false
    this.#young.delete(id)
    this.#old.delete(id)
    this.#disown(id, entry)
    entry.key.shred()
    return true
  }

  #add(id: string, entry: Entry): void {
    if (this.#young.size >= Math.ceil(this.#max / 2)) {
      // A dropped key is not shredded: someone may be sealing with it now. The garbage collector takes it.
      for (const [dropped, its] of this.#old) this.#disown(dropped, its)
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(id, entry)
  }

  #disown(id: string, { owner }: Entry): void {
    if (this.#owners.get(owner) === id) this.#owners.delete(owner)
  }
}
