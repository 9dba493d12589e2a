/** Where checkpoints go, so that who has the database cannot make them unsaid. */
export interface AuditSink {
  /** Tells sinks apart, in the database, in metrics and to people; no credentials. */
  readonly name: string
  /** Not on this machine: what production wants at least one of. */
  readonly isElsewhere: boolean
  /** Resolves when the sink has it; the same record may come again. @throws Error, and it is tried again */
  deliver(record: SinkRecord): Promise<void>
  /** The notes of the highest number there is; several when somebody signed twice. Absent where nothing can be read back. */
  newest?(): Promise<readonly string[]>
}

export interface SinkRecord {
  readonly batch: number
  /** The signed note. */
  readonly checkpoint: string
  /** Leaf hashes of the batch: with them a single altered entry is named even when the database's own are gone. */
  readonly leaves: Buffer
}

/** Six years (45 CFR 164.316(b)(2)) and a day. */
export const RETAIN_DAYS = 6 * 365 + 3

/** How a record is written into files and requests, one line. */
export const printRecord = ({ checkpoint, leaves }: SinkRecord): string =>
  JSON.stringify({ checkpoint, leaves: leaves.toString('base64') })
