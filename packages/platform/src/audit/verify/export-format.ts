/**
 * An export of the trail: lines of JSON. First an `ExportHead`; then for each batch its entries in the order of the tree (an array:
 * the canonical entry; a text: the leaf hash of an entry that is not shown, another organisation's) and its `ExportBatch`; last an
 * `ExportEnd`. docs/security/audit.md describes it for others.
 */
export interface ExportHead {
  readonly careloop: 'audit-export'
  readonly version: 1
  /** Of one organisation; null = of all. */
  readonly tenant: string | null
  /** What came before the first batch of the export: tree size, frontier, checkpoint (null before the first of all). */
  readonly size: number
  readonly frontier: string
  readonly before: string | null
  /** The export reaches to the newest batch there was. */
  readonly isNewest: boolean
}

export interface ExportBatch {
  readonly checkpoint: string
  /** Leaf hashes as they were when it was signed, base64: they name a single entry that differs. */
  readonly leaves: string
}

export interface ExportEnd {
  /** Entries that no checkpoint holds yet. */
  readonly unsealed: number
}

/** What `prove` prints and `verify` checks: one entry is in the tree that one checkpoint tells of. */
export interface Proof {
  readonly careloop: 'audit-proof'
  readonly version: 1
  /** The canonical entry. */
  readonly entry: string
  readonly index: number
  readonly checkpoint: string
  readonly inclusion: readonly string[]
  /** The checkpoint before, and that the tree only grew since. */
  readonly previous: string | null
  readonly consistency: readonly string[]
}

export type ExportLine = ExportHead | ExportBatch | ExportEnd | Proof
