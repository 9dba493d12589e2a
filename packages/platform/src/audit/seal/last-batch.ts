/** The batch that the next is built upon, and whether it is what was signed: nothing is sealed on top of what somebody changed. */
import type { EngineTx } from '../../engine/index.ts'
import { auditFailure } from '../errors.ts'
import { Frontier } from '../merkle/tree.ts'
import { type Checkpoint, linkOf, NO_LINK, readCheckpoint } from './checkpoint.ts'
import type { LastSigned } from './signing-key.ts'

export interface LastBatch {
  readonly number: number
  readonly tree_size: number
  readonly last_xid: string
  readonly last_id: string
  readonly frontier: Buffer
  readonly checkpoint: string
}

type Read = Pick<EngineTx, 'client'>

const SELECT = `select number::text, tree_size::text, last_xid::text, last_id::text, frontier, checkpoint from engine.audit_batch`

export async function lastBatch(tx: Read): Promise<LastBatch | undefined> {
  return batchBy(tx, 'order by audit_batch.number desc limit 1', [])
}

async function batchBy(tx: Read, where: string, values: readonly number[]): Promise<LastBatch | undefined> {
  const { rows } = await tx.client.query<
    Record<'number' | 'tree_size', string> & Omit<LastBatch, 'number' | 'tree_size'>
  >(`${SELECT} ${where}`, [...values])
  return rows[0] && { ...rows[0], number: Number(rows[0].number), tree_size: Number(rows[0].tree_size) }
}

/**
 * The columns beside a note are not signed: they are compared with it, and with what the key file remembers.
 * @returns what the last batch's note says. @throws Failure `audit-trail-cut`
 */
export async function assertUncut(
  tx: Read,
  last: LastBatch | undefined,
  known: LastSigned | undefined,
): Promise<Checkpoint | undefined> {
  const note = last && assertAsSigned(last)
  if (last === undefined || known === undefined || known.batch > last.number || known.link === NO_LINK) return note
  const same = known.batch === last.number ? last : await batchBy(tx, 'where number = $1', [known.batch])
  if (same === undefined || linkOf(same.checkpoint) !== known.link)
    throw cut(known.batch, 'it is not the batch that was signed here')
  const { tree } = known
  if (tree && (same.last_xid !== tree.xid || same.last_id !== tree.id || same.tree_size !== tree.size))
    throw cut(known.batch, `it was sealed with ${wordsOf(tree)}`)
  return note
}

function assertAsSigned(last: LastBatch): Checkpoint {
  const note = readCheckpoint(last.checkpoint)
  if (note === undefined || note.batch !== last.number) throw cut(last.number, 'its checkpoint is another')
  const { size, root, through } = note
  const isEntry = through === undefined || (through.xid === last.last_xid && through.id === last.last_id)
  if (!isEntry || size !== last.tree_size)
    throw cut(last.number, `it was sealed with ${wordsOf({ xid: last.last_xid, id: last.last_id, ...through, size })}`)
  if (!rootOf(last)?.equals(root)) throw cut(last.number, 'its frontier has another root than was signed')
  return note
}

function rootOf({ tree_size, frontier }: LastBatch): Buffer | null {
  try {
    return new Frontier(tree_size, frontier).root()
  } catch {
    return null
  }
}

const wordsOf = ({ xid, id, size }: NonNullable<LastSigned['tree']>): string =>
  `last_xid ${xid}, last_id ${id}, tree_size ${size}`

const cut = (batch: number, what: string) =>
  auditFailure(
    'audit-trail-cut',
    `Batch ${batch} of engine.audit_batch was changed: ${what}. Nothing is sealed until it stands there again. Run: careloop audit verify`,
  )
