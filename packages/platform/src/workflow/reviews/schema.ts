/** Tables of reviews and emergency access as Kysely sees them. `bigint` columns come as text from the driver: see `toMs`. */
import type { BreakGlassReason, Priority, ReviewKind, ReviewOutcome, ReviewStatus, Role } from '@careloop/contract'
import type { ColumnType, Generated, Selectable } from 'kysely'

type Ms = ColumnType<string, number, number>
type NullableMs = ColumnType<string | null, number | null | undefined, number | null>
type NullableText = ColumnType<string | null, string | null | undefined, string | null>

export interface ReviewTables {
  review: {
    tenant_id: Generated<string>
    id: string
    kind: ReviewKind
    source_id: string
    about_subject: string | null
    about_device: string | null
    about_user: string | null
    reason: string | null
    for_role: Role
    priority: Priority
    opened_at: Ms
    due_at: Ms
    status: ReviewStatus
    claimed_by: NullableText
    claimed_at: NullableMs
    closed_by: NullableText
    closed_at: NullableMs
    outcome_code: ColumnType<ReviewOutcome | null, undefined, ReviewOutcome>
    key_id: NullableText
    /** The note, sealed under the key of the patient it is about; of none, or one who is erased, under the organisation's. */
    outcome: ColumnType<Buffer | null, undefined, Buffer>
    version: number
  }
  break_glass: {
    tenant_id: Generated<string>
    id: string
    subject_id: string
    user_id: string
    reason: BreakGlassReason
    opened_at: Ms
    until_at: Ms
    ended_at: NullableMs
    key_id: string
    /** The reason in their own words, sealed under the patient's key. */
    words: Buffer
  }
  break_glass_miss: { tenant_id: Generated<string>; id: string; user_id: string; at: Ms }
  break_glass_setting: { tenant_id: Generated<string>; hours: number; version: number }
}

export type ReviewRow = Selectable<ReviewTables['review']>
export type BreakGlassRow = Selectable<ReviewTables['break_glass']>
