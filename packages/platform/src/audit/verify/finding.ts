/** What is wrong with a trail, first of all, and when it can have happened. */
import type { EpochMs } from '@careloop/contract'
import { parseCanonicalEntry } from '../seal/canonical-entry.ts'

export type FindingKind =
  /** An entry says something else than when it was signed. */
  | 'altered'
  /** An entry, or a whole batch, is not there any more. */
  | 'removed'
  /** An entry is there that was not when its batch was signed. */
  | 'added'
  | 'reordered'
  /** The newest batches are gone. */
  | 'truncated'
  /** A batch was signed anew, or by another key, or its signature does not hold. */
  | 'rebuilt'
  /** Entries were sealed long after the time that they say. */
  | 'late'
  /** The file is no export of this version, or ends early. */
  | 'unreadable'

export interface Finding {
  readonly kind: FindingKind
  /** The first batch concerned; null when none could be read. */
  readonly batch: number | null
  /** Place in the batch from 0, and the entry's id where its line is there. */
  readonly entry?: { readonly index: number; readonly id: string | null }
  readonly words: string
  /** It happened after this: the newest proof that all was well. null = at any time. */
  readonly after: EpochMs | null
}

export interface Difference {
  readonly kind: 'altered' | 'removed' | 'added' | 'reordered'
  readonly index: number
}

/** The first difference between what is there and what was signed. */
export function firstDifference(there: readonly Buffer[], signed: readonly Buffer[]): Difference | undefined {
  const [now, then] = [there.map(hex), signed.map(hex)]
  const index = now.findIndex((hash, at) => hash !== then[at])
  if (index < 0) return now.length < then.length ? { kind: 'removed', index: now.length } : undefined
  const isKnown = new Set(then).has(now[index]!)
  const isMissing = then[index] !== undefined && !new Set(now).has(then[index])
  if (isKnown) return { kind: isMissing ? 'removed' : 'reordered', index }
  return { kind: isMissing ? 'altered' : 'added', index }
}

const hex = (hash: Buffer): string => hash.toString('hex')

const AT = /^\["audit-entry-1","[^"]*","[^"]*","[^"]*","(-?\d+)"/

/** When an entry says it was written, ms; undefined when the line says no time. Most of a long export is not parsed. */
export function timeOfLine(line: Uint8Array): number | undefined {
  const at = AT.exec(Buffer.from(line.buffer, line.byteOffset, Math.min(line.byteLength, 200)).toString('latin1'))?.[1]
  return at === undefined ? undefined : Number(at) / 1000
}

/** The id that a line says; null when it is not there or cannot be read. */
export function idOfLine(line: Uint8Array | undefined): string | null {
  try {
    return line === undefined ? null : (parseCanonicalEntry(Buffer.from(line).toString('utf8'))?.id ?? null)
  } catch {
    return null
  }
}
