import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { consistencyProof, inclusionProof, isConsistent, isIncluded } from './proofs.ts'
import { EMPTY_ROOT, Frontier, leafHash, nodeHash, rootOf } from './tree.ts'

const read = (name: string) => JSON.parse(readFileSync(new URL(`../testdata/${name}`, import.meta.url), 'utf8'))
const hashes: Record<string, string & string[]>[] = read('hash-vectors.json').cases
type ProofCase = {
  [name in 'root' | 'root1' | 'root2' | 'leafHash' | 'desc' | 'case']: string
} & { [name in 'leafIdx' | 'treeSize' | 'size1' | 'size2']: number } & { proof: string[] | null; wantErr: boolean }
const proofs: { inclusion: ProofCase[]; consistency: ProofCase[] } = read('proof-vectors.json').cases
const bytes = (base64: string | null) => Buffer.from(base64 ?? '', 'base64')

describe('Merkle hashing', () => {
  it.each(hashes)('is that of RFC 9162: $op', (vector) => {
    const leaves = () => vector.leaves_hex!.map((hex) => leafHash(Buffer.from(hex, 'hex')))
    const ops: Record<string, () => Buffer> = {
      emptyRoot: () => EMPTY_ROOT,
      leafHash: () => leafHash(vector.input_utf8 ?? Buffer.from(vector.input_hex!, 'hex')),
      nodeHash: () => nodeHash(Buffer.from(vector.left_utf8!), Buffer.from(vector.right_utf8!)),
      root: () => rootOf(leaves()),
    }
    expect(ops[vector.op!]!().toString('hex')).toBe(vector.expected)
  })
})

describe('Merkle proofs', () => {
  it.each(proofs.inclusion)('inclusion, $case', (vector) => {
    const found = isIncluded({
      ...{ index: vector.leafIdx, size: vector.treeSize, leaf: bytes(vector.leafHash), root: bytes(vector.root) },
      proof: (vector.proof ?? []).map(bytes),
    })
    expect(found).toBe(!vector.wantErr)
  })

  it.each(proofs.consistency)('consistency, $case', (vector) => {
    const found = isConsistent({
      ...{ size1: vector.size1, size2: vector.size2, root1: bytes(vector.root1), root2: bytes(vector.root2) },
      proof: (vector.proof ?? []).map(bytes),
    })
    expect(found).toBe(!vector.wantErr)
  })

  it('are made from the last batch alone, for any leaf of any tree, and hold for no other', () => {
    const sizes = fc.record({ before: fc.nat(130), batch: fc.integer({ min: 1, max: 70 }), pick: fc.nat() })
    fc.assert(
      fc.property(sizes, ({ before, batch, pick }) => {
        const all = Array.from({ length: before + batch }, (_, at) => leafHash(`entry ${at}`))
        const frontier = new Frontier()
        for (const leaf of all.slice(0, before)) frontier.append(leaf)
        const tail = { frontier, leaves: all.slice(before) }
        const index = before + (pick % batch)
        const inclusion = { index, size: all.length, leaf: all[index]!, root: rootOf(all) }
        const proof = inclusionProof(tail, index)
        expect(isIncluded({ ...inclusion, proof })).toBe(true)
        expect(isIncluded({ ...inclusion, leaf: leafHash('another'), proof })).toBe(false)
        if (all.length > 1) expect(isIncluded({ ...inclusion, index: (index + 1) % all.length, proof })).toBe(false)
        if (before === 0) return
        const grown = { size1: before, size2: all.length, root1: frontier.root(), root2: rootOf(all) }
        expect(isConsistent({ ...grown, proof: consistencyProof(tail) })).toBe(true)
        expect(isConsistent({ ...grown, root1: leafHash('x'), proof: consistencyProof(tail) })).toBe(false)
      }),
      { numRuns: 200 },
    )
  })

  it('a frontier that was stored goes on where it stood', () => {
    const frontier = new Frontier()
    for (let at = 0; at < 11; at++) frontier.append(leafHash(String(at)))
    const again = new Frontier(11, frontier.bytes())
    frontier.append(leafHash('more'))
    again.append(leafHash('more'))
    expect(again.root().equals(frontier.root())).toBe(true)
    expect(() => new Frontier(12, frontier.bytes().subarray(32))).toThrow('a hash for each 1')
  })
})
