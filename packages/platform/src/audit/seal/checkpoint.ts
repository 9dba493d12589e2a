/**
 * A checkpoint: how large the tree was and what its root was, at a time, signed. It is a C2SP `tlog-checkpoint` with extension lines:
 *
 *     careloop.audit/<log id>
 *     <tree size>
 *     <root, base64>
 *     batch <number>
 *     time <ISO 8601, UTC>
 *     previous <base64 of the SHA-256 of the checkpoint before, or ->
 *     next-key <verifier key>          the key that signs from the next checkpoint on
 *     lost <first> <last>              batches that had been signed and are not in the database any more
 *     through <transaction> <id>       the last entry that the tree holds; what comes behind it is not in it yet
 *     signed-in <transaction>          the transaction that signed: whoever began later has a larger number
 *     waiting <ISO 8601, UTC>          entries of transactions that began since then are not in the tree: one still runs, or more is there
 *                                      than a batch takes
 *     key-lost <verifier key> <words>  this key signs from here on, because the one before was lost
 */
import { hash } from 'node:crypto'
import type { EpochMs } from '@careloop/contract'
import { HASH_BYTES } from '../merkle/tree.ts'
import { openNote, type Signer } from './note.ts'

export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Buffer
  readonly batch: number
  readonly time: EpochMs
  readonly previous: string
  readonly nextKey?: string
  readonly lost?: { readonly first: number; readonly last: number }
  /** Transaction and number of the last entry in the tree. */
  readonly through?: { readonly xid: string; readonly id: string }
  readonly signedIn?: string
  /** What was written before this time is in the tree; absent = before the checkpoint's own time. */
  readonly waiting?: EpochMs
  readonly keyLost?: { readonly key: string; readonly reason: string }
}

export function signCheckpoint(signer: Signer, checkpoint: Omit<Checkpoint, 'origin'>): string {
  const { size, root, batch, time, previous, nextKey, lost, through, signedIn, waiting, keyLost } = checkpoint
  const lines = [
    ...[signer.name, String(size), root.toString('base64')],
    ...[`batch ${batch}`, `time ${new Date(time).toISOString()}`, `previous ${previous}`],
    ...(nextKey === undefined ? [] : [`next-key ${nextKey}`]),
    ...(lost === undefined ? [] : [`lost ${lost.first} ${lost.last}`]),
    ...(through === undefined ? [] : [`through ${through.xid} ${through.id}`]),
    ...(signedIn === undefined ? [] : [`signed-in ${signedIn}`]),
    ...(waiting === undefined ? [] : [`waiting ${new Date(waiting).toISOString()}`]),
    ...(keyLost === undefined ? [] : [`key-lost ${keyLost.key} ${keyLost.reason}`]),
  ]
  return signer.sign(`${lines.join('\n')}\n`)
}

/** What the next checkpoint says of this one. */
export const linkOf = (note: string): string => hash('sha256', note, 'buffer').toString('base64')

/** Before the first. */
export const NO_LINK = '-'

/** @returns undefined when the key did not sign it or it is malformed */
export function openCheckpoint(note: string, verifierKey: string): Checkpoint | undefined {
  const text = openNote(note, verifierKey)
  return text === undefined ? undefined : parse(text)
}

/** What it says, whoever signed it: to tell of one that cannot be trusted. */
export function readCheckpoint(note: string): Checkpoint | undefined {
  const end = note.lastIndexOf('\n\n')
  return end < 0 ? undefined : parse(note.slice(0, end + 1))
}

function parse(text: string): Checkpoint | undefined {
  const [origin = '', size, encoded = '', ...extensions] = text.trimEnd().split('\n')
  const said = new Map(extensions.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]))
  const root = Buffer.from(encoded, 'base64')
  const [batch, time] = [wholeNumber(said.get('batch')), Date.parse(said.get('time') ?? '')]
  const leaves = wholeNumber(size)
  if (leaves === undefined || batch === undefined || !Number.isFinite(time) || root.byteLength !== HASH_BYTES)
    return undefined
  const nextKey = said.get('next-key')
  const lost = /^(\d+) (\d+)$/.exec(said.get('lost') ?? '')
  return {
    ...{ origin, size: leaves, root, batch, time, previous: said.get('previous') ?? '' },
    ...(nextKey === undefined ? {} : { nextKey }),
    ...(lost ? { lost: { first: Number(lost[1]), last: Number(lost[2]) } } : {}),
    ...furtherWords(said),
  }
}

function furtherWords(said: ReadonlyMap<string, string>): Partial<Checkpoint> {
  const through = /^(\d+) (-?\d+)$/.exec(said.get('through') ?? '')
  const signedIn = /^\d+$/.exec(said.get('signed-in') ?? '')?.[0]
  const waiting = Date.parse(said.get('waiting') ?? '')
  const keyLost = /^(\S+) (.+)$/.exec(said.get('key-lost') ?? '')
  return {
    ...(through ? { through: { xid: through[1]!, id: through[2]! } } : {}),
    ...(signedIn === undefined ? {} : { signedIn }),
    ...(Number.isFinite(waiting) ? { waiting } : {}),
    ...(keyLost ? { keyLost: { key: keyLost[1]!, reason: keyLost[2]! } } : {}),
  }
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
