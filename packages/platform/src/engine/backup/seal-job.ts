/**
 * For compute threads: reads pieces of files, names them by a keyed hash of their content, compresses and seals them. The store
 * learns from a name neither the content nor whether it equals something known.
 */
import { createHmac } from 'node:crypto'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { moved } from '../compute/moved.ts'
import { pack } from './packed.ts'

export interface Extent {
  readonly path: string
  readonly offset: number
  /** At most; a file that has become shorter gives less. */
  readonly length: number
}

export interface SealJob {
  readonly extents: readonly Extent[]
  readonly sealKey: Uint8Array
  readonly nameKey: Uint8Array
  /** Fixed key of the object; null = `chunk/<keyed hash>`. */
  readonly key: string | null
  /** Behind the name of a chunk. */
  readonly suffix: string
  /** Objects that are there already: they are named and not sealed again. */
  readonly known: readonly string[]
  /** Of the seal: which store key. */
  readonly keyId: string
}

export interface SealedJob {
  readonly key: string
  /** Bytes read of each extent; -1 = the file is gone. */
  readonly lengths: readonly number[]
  /** null when the object is known. */
  readonly sealed: Uint8Array | null
}

/** Reads at most a few MiB: the whole lies in memory. */
export default function sealJob(job: SealJob): SealedJob {
  const parts = job.extents.map(readExtent)
  const lengths = parts.map((part) => part?.byteLength ?? -1)
  const plain = Buffer.concat(parts.filter((part) => part !== null))
  const key = job.key ?? `${contentKey(job.nameKey, plain)}${job.suffix}`
  if (job.known.includes(key)) return { key, lengths, sealed: null }
  const sealed = pack({ sealKey: job.sealKey, keyId: job.keyId }, key, plain)
  const whole = new Uint8Array(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  return moved({ key, lengths, sealed: whole }, [sealed.buffer as ArrayBuffer])
}

/** Two digits make folders of a size that file systems like. */
export function contentKey(nameKey: Uint8Array, plain: Uint8Array): string {
  const name = createHmac('sha256', nameKey).update(plain).digest('hex')
  return `chunk/${name.slice(0, 2)}/${name}`
}

/** The folder belongs to the less trusted user that runs the database: a link in it is not followed. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)

function readExtent({ path, offset, length }: Extent): Buffer | null {
  let fd: number
  try {
    fd = openSync(path, FLAGS)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    const bytes = Buffer.allocUnsafeSlow(length)
    let at = 0
    while (at < length) {
      const read = readSync(fd, bytes, at, length - at, offset + at)
      if (read === 0) break
      at += read
    }
    return bytes.subarray(0, at)
  } finally {
    closeSync(fd)
  }
}
