/**
 * What an object of a backup is made of: one byte (0 as it is, 1 zstd), then the bytes; the whole sealed (keys/sealed.ts) for its very
 * key in the store, so that an object which was moved, cut or exchanged does not open.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { engineFailure } from '../errors.ts'
import { openBytes, sealBytes } from '../keys/sealed.ts'

export interface PackKey {
  readonly sealKey: Uint8Array
  readonly keyId: string
}

/** No object is larger when opened, bytes: what says so was not made by us. */
const LARGEST = 1024 ** 3

export function pack(key: PackKey, name: string, plain: Uint8Array): Buffer {
  const small = zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
  const [mark, body] = small.byteLength < plain.byteLength ? [1, small] : [0, plain]
  return sealBytes(key.sealKey, Buffer.concat([Buffer.of(mark), body]), place(key, name))
}

/** @throws Failure `backup-damaged` that names the object */
export function unpack(key: PackKey, name: string, sealed: Uint8Array): Buffer {
  let opened: Buffer
  try {
    opened = openBytes(key.sealKey, sealed, place(key, name))
  } catch (cause) {
    throw damaged(name, { cause })
  }
  const body = opened.subarray(1)
  return opened[0] === 1 ? zstdDecompressSync(body, { maxOutputLength: LARGEST }) : body
}

const place = (key: PackKey, name: string): string => `careloop backup\n${key.keyId}\n${name}`

export function damaged(name: string, more: { cause?: unknown } = {}) {
  return engineFailure(
    'backup-damaged',
    `Object ${name} of the backup is damaged: it was changed, cut or exchanged. Choose another backup (careloop backup list), or another copy of the store.`,
    more,
  )
}
