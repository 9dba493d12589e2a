/**
 * Master keys in the Transit engine of Vault or OpenBao: they wrap and unwrap there and never leave it. Written after the documented
 * API (transit/encrypt, decrypt, rewrap, keys/:name, keys/:name/rotate) and held against a stand-in of it.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { engineFailure } from '../errors.ts'
import { type MasterKeys, masterMissing, type Wrapped } from './master-key.ts'
import { KEY_BYTES } from './sealed.ts'
import { type TransitPlace, transitClient } from './transit-client.ts'

/** Ciphertexts in one call; the server's own bound is a request of 32 MiB. */
const BATCH = 200

/** @param wait between tries */
export function transitMasterKeys(place: TransitPlace, wait: (ms: number) => Promise<void>): MasterKeys {
  const client = transitClient(place, wait)
  const name = encodeURIComponent(place.key)
  const prefix = `transit:${place.mount}/${place.key}:`
  const idOf = (ciphertext: string): string => `${prefix}${/^vault:(v\d+):/.exec(ciphertext)?.[1] ?? 'v0'}`
  const wrappedOf = (ciphertext: string): Wrapped => ({
    masterId: idOf(ciphertext),
    wrapped: Buffer.from(ciphertext, 'utf8'),
  })
  const versions = async (): Promise<{ latest: number; oldest: number }> => {
    const data = await client.call('GET', `keys/${name}`)
    if (typeof data?.latest_version !== 'number') throw strange()
    return { latest: data.latest_version, oldest: Number(data.min_decryption_version ?? 1) }
  }
  const open = async ({ masterId, wrapped }: Wrapped, at: string): Promise<Buffer> => {
    if (!masterId.startsWith(prefix)) throw masterMissing(masterId)
    const data = await client.call('POST', `decrypt/${name}`, { ciphertext: wrapped.toString('utf8') })
    return opened(data === null ? null : data.plaintext, at)
  }
  /** Moved to the newest version inside the service: no byte of a data key is seen on the way. */
  const rewrapBatch = async (keys: readonly (Wrapped & { readonly place: string })[]): Promise<Wrapped[]> => {
    for (const { masterId } of keys) if (!masterId.startsWith(prefix)) throw masterMissing(masterId)
    const asked = keys.map(({ wrapped }) => ({ ciphertext: wrapped.toString('utf8') }))
    const next = await batch(client.call('POST', `rewrap/${name}`, { batch_input: asked }), 'ciphertext', keys.length)
    const check = { batch_input: next.map((ciphertext) => ({ ciphertext })) }
    const plain = await batch(client.call('POST', `decrypt/${name}`, check), 'plaintext', keys.length)
    for (const [index, each] of plain.entries()) opened(each, keys[index]!.place).fill(0)
    return next.map(wrappedOf)
  }
  return {
    current: async () => `${prefix}v${(await versions()).latest}`,
    async has(id) {
      const version = id.startsWith(`${prefix}v`) ? Number(id.slice(prefix.length + 1)) : Number.NaN
      if (!Number.isInteger(version)) return false
      const { latest, oldest } = await versions()
      return version >= Math.max(1, oldest) && version <= latest
    },
    async wrap(bytes, at) {
      const data = await client.call('POST', `encrypt/${name}`, { plaintext: boundTo(bytes, at).toString('base64') })
      if (typeof data?.ciphertext !== 'string') throw strange()
      return wrappedOf(data.ciphertext)
    },
    unwrap: open,
    async rewrap(keys) {
      const all: Wrapped[] = []
      for (let at = 0; at < keys.length; at += BATCH) all.push(...(await rewrapBatch(keys.slice(at, at + BATCH))))
      return all
    },
    async rotate() {
      if ((await client.call('POST', `keys/${name}/rotate`, {})) === null) throw strange()
      return `${prefix}v${(await versions()).latest}`
    },
    trouble: client.trouble,
  }
}

/**
 * The place goes inside, as its SHA-256 behind the key: `associated_data` is not taken by `rewrap`, and a key must be moved to a new
 * version without being seen.
 */
const boundTo = (bytes: Uint8Array, place: string): Buffer => Buffer.concat([bytes, hashOf(place)])
const hashOf = (place: string): Buffer => createHash('sha256').update(place, 'utf8').digest()

/** @throws Failure `seal-broken` */
function opened(plaintext: unknown, place: string): Buffer {
  const plain = typeof plaintext === 'string' ? Buffer.from(plaintext, 'base64') : Buffer.alloc(0)
  const fits = plain.byteLength === KEY_BYTES + 32 && timingSafeEqual(plain.subarray(KEY_BYTES), hashOf(place))
  if (!fits)
    throw engineFailure('seal-broken', 'A wrapped key does not open: its bytes were changed, or belong elsewhere.')
  const bytes = Buffer.from(plain.subarray(0, KEY_BYTES))
  plain.fill(0)
  return bytes
}

/** @throws Failure `seal-broken` when the service could not take one of them */
async function batch(
  answer: Promise<Record<string, unknown> | null>,
  field: 'ciphertext' | 'plaintext',
  n: number,
): Promise<string[]> {
  const results = (await answer)?.batch_results
  const found = (Array.isArray(results) ? results : []).map((each: Record<string, unknown>) => each[field])
  if (found.length === n && found.every((each) => typeof each === 'string')) return found as string[]
  throw engineFailure('seal-broken', 'The key management service could not take every key. Nothing changed.')
}

function strange() {
  return engineFailure('kms-refused', 'The key management service answers otherwise than its documentation says.')
}
