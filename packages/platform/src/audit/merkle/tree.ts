/** Merkle tree hashing of RFC 9162, section 2.1: leaf = SHA-256(0x00 || data), node = SHA-256(0x01 || left || right). */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'

export const HASH_BYTES = 32
export const EMPTY_ROOT: Buffer = hash('sha256', '', 'buffer')

// One buffer for all: the tree is built by one thread, and each hash is taken before the next begins.
let work = Buffer.alloc(4_096)

export function leafHash(data: Uint8Array | string): Buffer {
  const most = 1 + (typeof data === 'string' ? data.length * 3 : data.byteLength)
  if (work.byteLength < most) work = Buffer.alloc(most)
  work[0] = 0
  if (typeof data === 'string') return hash('sha256', work.subarray(0, 1 + work.write(data, 1, 'utf8')), 'buffer')
  work.set(data, 1)
  return hash('sha256', work.subarray(0, 1 + data.byteLength), 'buffer')
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  work[0] = 1
  work.set(left, 1)
  work.set(right, 1 + left.byteLength)
  return hash('sha256', work.subarray(0, 1 + left.byteLength + right.byteLength), 'buffer')
}

/**
 * The right edge of a growing tree: the roots of its perfect subtrees, largest first, one for each 1 in its size. Enough to append
 * and to know the root, without the leaves.
 */
export class Frontier {
  size: number
  readonly nodes: Buffer[]

  /** @throws AssertionError when nodes and size do not fit */
  constructor(size = 0, bytes: Uint8Array = Buffer.alloc(0)) {
    const count = bytes.byteLength / HASH_BYTES
    assert(count === onesOf(size), 'a frontier has a hash for each 1 of its size')
    this.size = size
    const all = Buffer.from(bytes)
    this.nodes = Array.from({ length: count }, (_, at) => all.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES))
  }

  append(leaf: Buffer): void {
    let merged = leaf
    for (let rest = this.size; rest % 2 === 1; rest = (rest - 1) / 2) merged = nodeHash(this.nodes.pop()!, merged)
    this.nodes.push(merged)
    this.size += 1
  }

  root(): Buffer {
    let root = this.nodes.at(-1)
    if (root === undefined) return EMPTY_ROOT
    for (let at = this.nodes.length - 2; at >= 0; at--) root = nodeHash(this.nodes[at]!, root)
    return root
  }

  bytes(): Buffer {
    return Buffer.concat(this.nodes)
  }

  copy(): Frontier {
    return new Frontier(this.size, this.bytes())
  }
}

function onesOf(size: number): number {
  return [...size.toString(2)].filter((digit) => digit === '1').length
}

/** The root of leaves from the beginning. */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  const frontier = new Frontier()
  for (const each of leaves) frontier.append(each)
  return frontier.root()
}

/** Leaf hashes as they are stored one after another. */
export function splitHashes(bytes: Uint8Array): Buffer[] {
  const all = Buffer.from(bytes)
  assert(all.byteLength % HASH_BYTES === 0, 'hashes are 32 bytes each')
  return Array.from({ length: all.byteLength / HASH_BYTES }, (_, at) =>
    all.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  )
}
