/** Tables of the clinical room. `bigint` columns come as text from the driver. */

/** What opens a version: the same columns in both tables. */
export interface VersionRow {
  readonly rid: string
  readonly version: number
  readonly type: string
  readonly subject_id: string | null
  /** ms */
  readonly updated_at: string
  readonly key_id: string
  readonly body: Buffer
  readonly is_derived: boolean
  readonly deleted_at: string | null
}

export interface ResourceRow extends VersionRow {
  readonly seq: string
  /** ms */
  readonly at: string
  readonly at_from: string | null
  readonly at_to: string | null
  readonly keys: readonly string[]
}
