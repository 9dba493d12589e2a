/**
 * `careloop audit verify`: checks an export with nothing but the public key and what a sink kept. It recomputes the tree from the
 * entries, batch by batch, and stops at the first that does not fit.
 */
import type { EpochMs } from '@careloop/contract'
import { Frontier, leafHash, splitHashes } from '../merkle/tree.ts'
import { type Checkpoint, linkOf, NO_LINK, openCheckpoint, readCheckpoint } from '../seal/checkpoint.ts'
import { WAITING_LATE_MS } from '../seal/waiting.ts'
import type { ExportBatch, ExportEnd, ExportHead, ExportLine } from './export-format.ts'
import { type Finding, type FindingKind, firstDifference, idOfLine } from './finding.ts'
import { LateEntries } from './late-entries.ts'
import { linesOf } from './lines.ts'
import type { KeptRecord, SinkRecords } from './sink-records.ts'

export interface VerifyOptions {
  /** Verifier keys that are trusted from the beginning; those that they announce are trusted from there. */
  readonly keys: readonly string[]
  /** What a sink kept. Without it a trail that was cut or signed anew by a stolen key cannot be told from a true one. */
  readonly sink?: SinkRecords
  /** Batches that a restore from a backup took away, as the operator knows: their loss is told and is no finding. */
  readonly restored?: readonly { readonly first: number; readonly last: number }[]
}

export interface VerifyReport {
  readonly finding: Finding | null
  readonly batches: number
  readonly entries: number
  /** Of the first and the last checkpoint that fit. */
  readonly from: EpochMs | null
  readonly to: EpochMs | null
  /** Entries that no checkpoint holds yet: they can be changed unseen. */
  readonly unsealed: number
  /** The longest time between two checkpoints, ms. */
  readonly longestGapMs: number
  readonly notes: readonly string[]
}

/** @param chunks the export, in pieces of any size */
export async function verifyExport(
  chunks: AsyncIterable<Uint8Array | string>,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const verifier = new Verifier(options)
  for await (const lines of linesOf(chunks)) {
    verifier.take(lines)
    if (verifier.isDone()) break
  }
  return verifier.report()
}

const [ARRAY, TEXT] = [0x5b, 0x22]

interface Trusted {
  readonly note: string
  readonly checkpoint: Checkpoint
}

class Verifier {
  readonly #options: VerifyOptions
  readonly #notes: string[] = []
  #keys: readonly string[]
  #frontier = new Frontier()
  #head: ExportHead | null = null
  #end: ExportEnd | null = null
  #last: Trusted | null = null
  #first: EpochMs | null = null
  #firstBatch: number | null = null
  #finding: Finding | null = null
  /** A batch that is missing where it should be: removed, unless it comes later. */
  #missing: number | null = null
  #leaves: Buffer[] = []
  #lines: Buffer[] = []
  #batches = 0
  #entries = 0
  #longestGapMs = 0
  /** Entries of which only the hash is there. */
  #hashed = 0
  #longestWaitMs = 0
  readonly #late = new LateEntries()

  constructor(options: VerifyOptions) {
    this.#options = options
    this.#keys = options.keys
  }

  isDone(): boolean {
    return this.#finding !== null && this.#missing === null
  }

  take(lines: readonly Buffer[]): void {
    for (const line of lines) {
      if (this.isDone()) return
      if (line[0] === ARRAY && this.#missing === null) {
        this.#leaves.push(leafHash(line))
        this.#lines.push(line)
      } else if (line[0] === TEXT && this.#missing === null) {
        this.#leaves.push(Buffer.from(line.subarray(1, -1).toString('latin1'), 'base64'))
        this.#lines.push(line)
        this.#hashed += 1
      } else if (line[0] !== ARRAY && line[0] !== TEXT) this.#takeWord(line)
    }
  }

  report(): VerifyReport {
    if (this.#finding === null && this.#end === null)
      this.#found('unreadable', null, 'The export ends early: it has no last line. Export again.')
    if (this.#finding === null) this.#compareTail()
    this.#finding ??= this.#late.finding()
    this.#tellExtent()
    return {
      ...{ finding: this.#finding, batches: this.#batches, entries: this.#entries, notes: this.#notes },
      ...{ from: this.#first, to: this.#last?.checkpoint.time ?? null, unsealed: this.#end?.unsealed ?? 0 },
      longestGapMs: this.#longestGapMs,
    }
  }

  #takeWord(line: Buffer): void {
    const said = parse(line)
    if (said === undefined) this.#found('unreadable', null, 'A line of the export is no JSON. Export again.')
    else if (this.#head === null) this.#takeHead(said)
    else if ('checkpoint' in said && 'leaves' in said) {
      if (this.#missing === null) this.#takeBatch(said)
      else this.#lookForMissing(said)
    } else if ('unsealed' in said) this.#end = said
  }

  #takeHead(said: ExportLine): void {
    if (!('careloop' in said) || said.careloop !== 'audit-export' || said.version !== 1) {
      this.#found('unreadable', null, 'This is no export of the audit trail of version 1.')
      return
    }
    this.#head = said
    if (said.before === null) return
    const before = this.#open(said.before)
    this.#frontier = new Frontier(said.size, Buffer.from(said.frontier, 'base64'))
    if (before === undefined || before.size !== said.size || !this.#frontier.root().equals(before.root))
      this.#found(
        'rebuilt',
        readCheckpoint(said.before)?.batch ?? null,
        'The batch before the export is not the one that was signed.',
      )
    else if (!this.#compareSink(before, { checkpoint: said.before }))
      this.#last = { note: said.before, checkpoint: before }
  }

  #takeBatch(batch: ExportBatch): void {
    const expected = this.#expected()
    const said = readCheckpoint(batch.checkpoint)
    const checkpoint = this.#open(batch.checkpoint) ?? this.#openAnew(batch.checkpoint)
    if (said !== undefined && said.batch !== expected && !this.#isForgiven(said, expected)) {
      this.#outOfPlace(said, expected)
      return
    }
    if (checkpoint === undefined || said === undefined) {
      this.#found(
        'rebuilt',
        expected,
        'Its checkpoint is not signed by a key that is trusted: it was signed anew by another, or changed.',
      )
      return
    }
    const wrong =
      this.#compareShown(checkpoint) ??
      this.#compareSink(checkpoint, batch) ??
      this.#compareLink(checkpoint) ??
      this.#compareTree(checkpoint, batch)
    if (wrong) return
    this.#late.take(this.#last?.checkpoint ?? null, checkpoint.batch, this.#lines)
    this.#keep({ note: batch.checkpoint, checkpoint })
  }

  #expected(): number {
    return this.#last === null ? 0 : this.#last.checkpoint.batch + 1
  }

  /** Only a key that is trusted; one that was announced is trusted from then on, and the one before no more once it has taken over. */
  #open(note: string): Checkpoint | undefined {
    for (const key of this.#keys) {
      const opened = openCheckpoint(note, key)
      if (opened === undefined) continue
      if (this.#last !== null && opened.origin !== this.#last.checkpoint.origin) return undefined
      return opened
    }
    return undefined
  }

  /**
   * By a new key that says the one before was lost: anybody could write that. It is taken only where the sink holds this very note
   * and no other of this batch, which who has only the database cannot bring about; and it is told.
   */
  #openAnew(note: string): Checkpoint | undefined {
    const said = readCheckpoint(note)
    if (said?.keyLost === undefined || said.batch !== this.#expected()) return undefined
    const { key, reason } = said.keyLost
    const kept = this.#options.sink?.get(said.batch) ?? []
    const isOfLog = this.#last === null || said.origin === this.#last.checkpoint.origin
    const opened = openCheckpoint(note, key)
    if (!isOfLog || opened === undefined || kept.length === 0 || kept.some((each) => each.checkpoint !== note))
      return undefined
    this.#keys = [...this.#keys, key]
    const time = new Date(said.time).toISOString()
    this.#notes.push(
      `From batch ${said.batch} on, ${time}, a new key signs, since the one before was lost, as is said: "${reason}". Ask who did that. The new key: ${key}`,
    )
    return opened
  }

  #keep(trusted: Trusted): void {
    const { nextKey, time } = trusted.checkpoint
    if (nextKey !== undefined) this.#keys = [...this.#keys.filter((key) => openCheckpoint(trusted.note, key)), nextKey]
    else if (this.#last?.checkpoint.nextKey !== undefined)
      this.#keys = this.#keys.filter((key) => openCheckpoint(trusted.note, key))
    if (this.#last !== null) this.#longestGapMs = Math.max(this.#longestGapMs, time - this.#last.checkpoint.time)
    const { waiting } = trusted.checkpoint
    if (waiting !== undefined) this.#longestWaitMs = Math.max(this.#longestWaitMs, time - waiting)
    this.#first ??= time
    this.#firstBatch ??= trusted.checkpoint.batch
    this.#batches += 1
    this.#entries += this.#leaves.length
    this.#last = trusted
    this.#leaves = []
    this.#lines = []
  }

  /** The sealer itself said that batches were gone, and the operator that a restore took them. */
  #isForgiven(said: Checkpoint, expected: number): boolean {
    const { lost } = said
    if (lost === undefined || lost.first !== expected || lost.last !== said.batch - 1) return false
    if (!this.#options.restored?.some(({ first, last }) => first === lost.first && last === lost.last)) return false
    this.#notes.push(`Batches ${lost.first} to ${lost.last} were taken away by a restore, as was said.`)
    return true
  }

  #outOfPlace(said: Checkpoint, expected: number): void {
    if (said.lost?.first === expected) {
      const words = `Batches ${expected} to ${said.lost.last} had been signed and were gone when batch ${said.batch} was sealed, ${new Date(said.time).toISOString()}: the trail was cut back, or restored from a backup.`
      this.#found('truncated', expected, words)
    } else if (said.batch < expected) {
      this.#found('reordered', said.batch, `Batch ${said.batch} stands where batch ${expected} should.`)
    } else {
      this.#found('removed', expected, `Batch ${expected} is not there; batch ${said.batch} follows.`)
      this.#missing = expected
    }
  }

  #lookForMissing({ checkpoint }: ExportBatch): void {
    if (readCheckpoint(checkpoint)?.batch !== this.#missing) return
    this.#finding = { ...this.#finding!, kind: 'reordered', words: `Batch ${this.#missing} stands behind later ones.` }
    this.#missing = null
  }

  /** What is shown as a hash only is not compared with anything: of a whole trail every entry is there in words. */
  #compareShown({ batch }: Checkpoint): true | undefined {
    if (this.#hashed === 0 || this.#head?.tenant !== null) return undefined
    return this.#found(
      'altered',
      batch,
      'The export is of all organisations, and holds the hash of an entry in place of the entry: what it said is kept back.',
    )
  }

  /** Beyond what was compared nothing is proved: said each time, so that nobody takes a part for the whole. */
  #tellExtent(): void {
    const { sink } = this.#options
    const [first, last] = [this.#firstBatch, this.#last?.checkpoint.batch]
    if (this.#hashed > 0 && this.#head?.tenant !== null)
      this.#notes.push(
        `${this.#hashed} entries are other organisations': their hashes fit, what they say is not shown.`,
      )
    if (this.#longestWaitMs > WAITING_LATE_MS)
      this.#notes.push(
        `Entries waited up to ${Math.round(this.#longestWaitMs / 60_000)} min for their seal: a transaction was kept open. So long they could be changed unseen.`,
      )
    if (first !== null && first > 0)
      this.#notes.push(`The export begins with batch ${first}: what is before it was not checked.`)
    if (sink === undefined || last === undefined) return
    const isHeld = (batch: number) => sink.get(batch)?.some((each) => this.#open(each.checkpoint))
    const newest = [...sink.keys()].sort((a, b) => b - a).find(isHeld) ?? 'none'
    this.#notes.push(`The export ends with batch ${last}; the newest that the sink has is ${newest}.`)
  }

  #compareSink(checkpoint: Checkpoint, batch: Pick<ExportBatch, 'checkpoint'>): true | undefined {
    const kept = (this.#options.sink?.get(checkpoint.batch) ?? []).filter((each) => this.#open(each.checkpoint))
    const others = kept.filter((each) => each.checkpoint !== batch.checkpoint)
    if (others.length === 0) return undefined
    const first = Math.min(...others.map((each) => readCheckpoint(each.checkpoint)!.time))
    const words =
      'The sink holds another checkpoint of this batch, signed by the same key: entries were changed, and the tree built and signed anew.'
    return this.#found('rebuilt', checkpoint.batch, words, first)
  }

  #compareLink({ batch, previous, time }: Checkpoint): true | undefined {
    const link = this.#last === null ? NO_LINK : linkOf(this.#last.note)
    if (previous === link && time >= (this.#last?.checkpoint.time ?? 0)) return undefined
    if (previous === link)
      return this.#found('rebuilt', batch, 'It says that it was signed before the batch that precedes it.')
    return this.#found(
      'rebuilt',
      this.#last?.checkpoint.batch ?? batch,
      `It is not the one that batch ${batch} was signed after.`,
    )
  }

  #compareTree(checkpoint: Checkpoint, batch: ExportBatch): true | undefined {
    const before = this.#frontier.copy()
    for (const leaf of this.#leaves) this.#frontier.append(leaf)
    if (this.#frontier.size === checkpoint.size && this.#frontier.root().equals(checkpoint.root)) return undefined
    const kept: readonly Partial<KeptRecord>[] = this.#options.sink?.get(checkpoint.batch) ?? []
    const candidates = [Buffer.from(batch.leaves, 'base64'), ...kept.flatMap(({ leaves }) => leaves ?? [])]
    const signed = candidates.map(hashesOf).find((leaves) => hasRoot(before, leaves, checkpoint))
    const different = signed && firstDifference(this.#leaves, signed)
    if (different === undefined) {
      const words = `Its entries are not those that were signed (${this.#leaves.length} there, ${checkpoint.size - before.size} signed), and no leaf hashes are left that tell which.`
      return this.#found('altered', checkpoint.batch, words, checkpoint.time)
    }
    const id = different.kind === 'removed' ? null : idOfLine(this.#lines[different.index])
    const near = different.kind === 'removed' ? nearby(this.#lines, different.index) : ''
    const words = `Entry ${different.index} of the batch${id === null ? '' : `, id ${id},`} ${WORDS[different.kind]}${near}.`
    this.#found(different.kind, checkpoint.batch, words, checkpoint.time)
    this.#finding = { ...this.#finding!, entry: { index: different.index, id } }
    return true
  }

  /** The newest batches may be gone: only what was delivered elsewhere tells of them. */
  #compareTail(): void {
    const { sink } = this.#options
    if (sink === undefined) {
      this.#notes.push(
        'Nothing was compared with a sink: a trail that was cut at its end, or signed anew by a stolen key, would look like this one.',
      )
      return
    }
    if (this.#head?.isNewest !== true) return
    const expected = this.#expected()
    const later = [...sink]
      .filter(([batch, kept]) => batch >= expected && kept.some((each) => this.#open(each.checkpoint)))
      .map(([batch]) => batch)
    if (later.length === 0) return
    const newest = Math.max(...later)
    const time = Math.max(...(sink.get(newest) ?? []).map((each) => readCheckpoint(each.checkpoint)?.time ?? 0))
    const words = `The sink holds signed batches up to ${newest}, and the trail ends before ${expected}: its end was cut off.`
    this.#found('truncated', expected, words, time)
  }

  #found(kind: FindingKind, batch: number | null, words: string, after?: EpochMs): true {
    this.#finding = { kind, batch, words, after: after ?? this.#last?.checkpoint.time ?? null }
    return true
  }
}

const WORDS = {
  altered: 'says something else than when it was signed',
  added: 'was not there when the batch was signed',
  removed: 'is not there any more',
  reordered: 'stands at another place than when it was signed',
} as const

const nearby = (lines: readonly Buffer[], index: number): string => {
  const [before, after] = [idOfLine(lines[index - 1]), idOfLine(lines[index])]
  return before === null && after === null ? '' : ` (between entries ${before ?? '-'} and ${after ?? '-'})`
}

function hashesOf(bytes: Buffer): Buffer[] {
  return bytes.byteLength % 32 === 0 ? splitHashes(bytes) : []
}

function hasRoot(before: Frontier, leaves: readonly Buffer[], { size, root }: Checkpoint): boolean {
  if (before.size + leaves.length !== size) return false
  const frontier = before.copy()
  for (const leaf of leaves) frontier.append(leaf)
  return frontier.root().equals(root)
}

function parse(line: Buffer): ExportLine | undefined {
  try {
    const said: unknown = JSON.parse(line.toString('utf8'))
    return typeof said === 'object' && said !== null ? (said as ExportLine) : undefined
  } catch {
    return undefined
  }
}
