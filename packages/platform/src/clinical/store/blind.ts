/** Blind names and keys: what stands in the clear is an HMAC under the tenant's key, never what it is of. */
import type { DataKey, Engine } from '../../engine/index.ts'

export interface Blind {
  /** Opaque id of `type/id`: a uuid of 128 bits of its HMAC, so that a resource has one row whoever writes it, and when. */
  rid(type: string, id: string): string
  /** 64 bits of a search text's HMAC, as the text of a bigint. */
  key(text: string): string
}

/** The same few codes, systems and patients come again and again: their HMACs are kept. PHI, in memory only. */
const maxKept = 50_000

export type Blinds = (tenant: string) => Promise<Blind>

export function makeBlinds(engine: Pick<Engine, 'keys'>): Blinds {
  const known = new Map<string, { readonly key: DataKey; readonly blind: Blind }>()
  return async (tenant) => {
    const key = await engine.keys.keyFor('tenant', tenant)
    const found = known.get(tenant)
    if (found?.key === key) return found.blind
    const blind = blindBy(key)
    known.set(tenant, { key, blind })
    return blind
  }
}

function blindBy(key: DataKey): Blind {
  const keys = new Map<string, string>()
  return {
    rid: (type, id) => uuidOf(key.hmac('clinical-rid', `${type}/${id}`)),
    key(text) {
      const before = keys.get(text)
      if (before !== undefined) return before
      const made = key.hmac('clinical-key', text).readBigInt64BE(0).toString()
      // Begun anew when full: cheaper than an order of use, and the common ones are back at once.
      if (keys.size >= maxKept) keys.clear()
      keys.set(text, made)
      return made
    },
  }
}

function uuidOf(digest: Buffer): string {
  const hex = digest.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
