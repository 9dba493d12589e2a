/** Inclusion and consistency proofs of RFC 9162, section 2.1.3 and 2.1.4: made from the last batch alone, checked with no tree at all. */
import { type Frontier, HASH_BYTES, nodeHash } from './tree.ts'

/** A tree of which the leaves before the last batch are known by their frontier only. */
export interface Tail {
  /** Before the leaves. */
  readonly frontier: Frontier
  readonly leaves: readonly Buffer[]
}

/** @param index of the leaf in the whole tree; it must be one of the tail's */
export function inclusionProof(tail: Tail, index: number): Buffer[] {
  const hashOf = hasher(tail)
  const path = (start: number, end: number): Buffer[] => {
    if (end - start === 1) return []
    const middle = start + splitOf(end - start)
    return index < middle
      ? [...path(start, middle), hashOf(middle, end)]
      : [...path(middle, end), hashOf(start, middle)]
  }
  return path(0, sizeOf(tail))
}

/** That the tree grew from the frontier's size to its own by appending alone. */
export function consistencyProof(tail: Tail): Buffer[] {
  const hashOf = hasher(tail)
  const before = tail.frontier.size
  const path = (start: number, end: number, isOld: boolean): Buffer[] => {
    if (before === end) return isOld ? [] : [hashOf(start, end)]
    const middle = start + splitOf(end - start)
    return before <= middle
      ? [...path(start, middle, isOld), hashOf(middle, end)]
      : [...path(middle, end, false), hashOf(start, middle)]
  }
  return before === 0 ? [] : path(0, sizeOf(tail), true)
}

export interface Inclusion {
  readonly index: number
  readonly size: number
  readonly leaf: Uint8Array
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** RFC 9162, 2.1.3.2. */
export function isIncluded({ index, size, leaf, root, proof }: Inclusion): boolean {
  if (!(index >= 0 && index < size) || ![leaf, root, ...proof].every(isHash)) return false
  let [fn, sn, hash]: [number, number, Uint8Array] = [index, size - 1, leaf]
  for (const next of proof) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(next, hash)
      for (; fn % 2 === 0 && fn !== 0; sn = half(sn)) fn = half(fn)
    } else hash = nodeHash(hash, next)
    fn = half(fn)
    sn = half(sn)
  }
  return sn === 0 && Buffer.from(hash).equals(root)
}

export interface Consistency {
  readonly size1: number
  readonly size2: number
  readonly root1: Uint8Array
  readonly root2: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** RFC 9162, 2.1.4.2. Growth from an empty tree proves nothing and is refused. */
export function isConsistent({ size1, size2, root1, root2, proof }: Consistency): boolean {
  if (!(size1 > 0 && size1 <= size2) || ![root1, root2, ...proof].every(isHash)) return false
  if (size1 === size2) return proof.length === 0 && Buffer.from(root1).equals(root2)
  // A perfect old tree is a node of the new one, and is not said twice.
  const path = Number.isInteger(Math.log2(size1)) ? [root1, ...proof] : proof
  const [first, ...rest] = path
  if (first === undefined || proof.length === 0) return false
  let [fn, sn] = [size1 - 1, size2 - 1]
  for (; fn % 2 === 1; sn = half(sn)) fn = half(fn)
  let [fr, sr]: [Uint8Array, Uint8Array] = [first, first]
  for (const next of rest) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(next, fr)
      sr = nodeHash(next, sr)
      for (; fn % 2 === 0 && fn !== 0; sn = half(sn)) fn = half(fn)
    } else sr = nodeHash(sr, next)
    fn = half(fn)
    sn = half(sn)
  }
  return sn === 0 && Buffer.from(fr).equals(root1) && Buffer.from(sr).equals(root2)
}

/**
 * A range that lies before the batch and whose parent does not is a node of the frontier; the others are built from what they
 * are made of.
 */
function hasher({ frontier, leaves }: Tail): (start: number, end: number) => Buffer {
  const known = new Map<string, Buffer>()
  let start = 0
  for (const node of frontier.nodes) {
    const end = start + 2 ** Math.floor(Math.log2(frontier.size - start))
    known.set(`${start}-${end}`, node)
    start = end
  }
  const hashOf = (from: number, to: number): Buffer => {
    const found = known.get(`${from}-${to}`)
    if (found) return found
    if (to - from === 1) return leaves[from - frontier.size]!
    const middle = from + splitOf(to - from)
    return nodeHash(hashOf(from, middle), hashOf(middle, to))
  }
  return hashOf
}

const sizeOf = (tail: Tail): number => tail.frontier.size + tail.leaves.length
/** The largest power of two below n. */
const splitOf = (n: number): number => 2 ** (Math.ceil(Math.log2(n)) - 1)
const half = (n: number): number => Math.floor(n / 2)
const isHash = (bytes: Uint8Array): boolean => bytes.byteLength === HASH_BYTES
