/** `careloop audit prove`: that one entry stands in the trail, for somebody who shall see no other. */
import type { Engine } from '../../engine/index.ts'
import { auditFailure } from '../errors.ts'
import { consistencyProof, inclusionProof, isConsistent, isIncluded } from '../merkle/proofs.ts'
import { Frontier, leafHash, splitHashes } from '../merkle/tree.ts'
import { canonicalEntry, ENTRY_COLUMNS, type EntryRow } from '../seal/canonical-entry.ts'
import { linkOf, NO_LINK, openCheckpoint, readCheckpoint } from '../seal/checkpoint.ts'
import type { Proof } from './export-format.ts'
import { batchBelow, batchOf } from './export-trail.ts'

/** @throws Failure `audit-entry-unknown`: no such entry, not sealed yet, or not as it was when it was sealed */
export async function proveEntry(engine: Pick<Engine, 'db'>, id: string): Promise<Proof> {
  const { rows } = await engine.db.pool.query<EntryRow>(
    `select ${ENTRY_COLUMNS} from tenant.audit_entry where audit_entry.id = $1::bigint`,
    [id],
  )
  const [row, another] = rows
  if (row === undefined || another !== undefined) throw unknown(`There is no entry ${id}.`)
  const batch = await batchOf(engine, row)
  if (batch === undefined) throw unknown(`Entry ${id} is in no batch yet. Ask again in a minute.`)
  const before = await batchBelow(engine, batch.number)
  const tail = {
    frontier: new Frontier(Number(before?.tree_size ?? 0), before?.frontier),
    leaves: splitHashes(batch.leaves),
  }
  const entry = canonicalEntry(row)
  const leaf = leafHash(entry)
  const place = tail.leaves.findIndex((each) => each.equals(leaf))
  if (place < 0)
    throw unknown(`Entry ${id} is not as it was signed in batch ${batch.number}. Run: careloop audit verify`)
  const index = tail.frontier.size + place
  const text = (hash: Buffer) => hash.toString('base64')
  return {
    ...{ careloop: 'audit-proof', version: 1, entry, index, checkpoint: batch.checkpoint },
    inclusion: inclusionProof(tail, index).map(text),
    previous: before?.checkpoint ?? null,
    consistency: tail.leaves.length === 0 ? [] : consistencyProof(tail).map(text),
  }
}

/** @returns null when it holds, else what does not */
export function wrongWithProof(proof: Proof, keys: readonly string[]): string | null {
  const checkpoint = keys.map((key) => openCheckpoint(proof.checkpoint, key)).find(Boolean)
  if (checkpoint === undefined) return 'Its checkpoint is not signed by this key.'
  const bytes = (text: string) => Buffer.from(text, 'base64')
  const { size, root } = checkpoint
  const inclusion = { index: proof.index, size, root, leaf: leafHash(proof.entry), proof: proof.inclusion.map(bytes) }
  if (!isIncluded(inclusion)) return 'The entry does not stand in the tree that the checkpoint tells of.'
  if (proof.previous === null) return checkpoint.previous === NO_LINK ? null : 'It leaves out the checkpoint before.'
  const before = readCheckpoint(proof.previous)
  if (before === undefined || linkOf(proof.previous) !== checkpoint.previous)
    return 'The checkpoint before is not the one that was signed.'
  if (before.size === 0) return null
  const grown = { size1: before.size, size2: size, root1: before.root, root2: root }
  return isConsistent({ ...grown, proof: proof.consistency.map(bytes) })
    ? null
    : 'The tree did not only grow since the checkpoint before.'
}

const unknown = (message: string) => auditFailure('audit-entry-unknown', message)
