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
}

export function signCheckpoint(signer: Signer, checkpoint: Omit<Checkpoint, 'origin'>): string {
  const { size, root, batch, time, previous, nextKey, lost } = checkpoint
  const lines = [
    ...[signer.name, String(size), root.toString('base64')],
    ...[`batch ${batch}`, `time ${new Date(time).toISOString()}`, `previous ${previous}`],
    ...(nextKey === undefined ? [] : [`next-key ${nextKey}`]),
    ...(lost === undefined ? [] : [`lost ${lost.first} ${lost.last}`]),
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
  }
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
