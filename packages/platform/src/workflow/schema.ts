/** Tables of the workflow room as Kysely sees them. `bigint` columns come as text from the driver: see `toMs`. */
import type { ActivityBody, NotificationBody, Priority, TaskEventBody, TaskStatus } from '@careloop/contract'
import type { ColumnType, Generated, Selectable } from 'kysely'

type Ms = ColumnType<string, number, number>
type NullableMs = ColumnType<string | null, number | null, number | null>

export const toMs = (column: string): number => Number(column)

export interface ActivityTable {
  tenant_id: Generated<string>
  id: string
  subject_id: string
  task_id: string | null
  staff_id: string
  recorded_by: string
  from_at: Ms
  to_at: Ms
  source: ActivityBody['source']
  ended: boolean
  heard_at: Ms
  local_date: string
  time_zone: string
  key_id: string
  /** `ActivityWords`, sealed. */
  body: Buffer
  corrects: string | null
  corrected_by: ColumnType<string | null, string | null | undefined, string>
}

export interface WorkflowTables {
  activity: ActivityTable
  task: {
    tenant_id: Generated<string>
    id: string
    alert_id: string
    subject_id: string
    enrolment_id: string
    owner_id: string
    backup_id: string | null
    status: TaskStatus
    priority: Priority
    review: boolean
    opened_at: Ms
    due_at: Ms
    /** How far it was escalated: 0 = owner only, 1 = backup, 2 = everybody of the owner's role. */
    escalation: Generated<number>
    /** Told in the pages only: a review, or a condition that had passed before anybody could be told. */
    quiet: Generated<boolean>
    /** When somebody was first told, from which escalation counts; null = nobody yet. */
    paged_at: ColumnType<string | null, number | null | undefined, number | null>
    snoozed_until: ColumnType<string | null, number | null | undefined, number | null>
    claimed_by: string | null
    claimed_at: NullableMs
    completed_by: string | null
    completed_at: NullableMs
    version: number
    key_id: string | null
    outcome: Buffer | null
  }
  task_event: {
    tenant_id: Generated<string>
    task_id: string
    id: Generated<string>
    what: TaskEventBody['what']
    at: Ms
    actor: string
    /** Of `handed-off` and `escalated`: who has it now, or was told. */
    to_staff: Generated<string[]>
    /** Of `claimed` past the time limit: who had it until then. */
    taken_from: ColumnType<string | null, string | null | undefined, never>
    key_id: ColumnType<string | null, string | null | undefined, never>
    /** Sealed: the note of a hand-off, the outcome that was taken back. */
    detail: ColumnType<Buffer | null, Buffer | null | undefined, never>
  }
  notification_intent: {
    tenant_id: Generated<string>
    id: string
    /** Null = it tells of a review. */
    task_id: string | null
    /** Of task_event: the transition that causes it; null with a review. */
    event_id: string | null
    review_id: ColumnType<string | null, string | null | undefined, never>
    recipient: string
    channel: NotificationBody['channel']
    step: number
    why: NotificationBody['why']
    priority: Priority
    title: string
    created_at: Ms
    wanted_at: Ms
    attempts: Generated<number>
    delivered_at: NullableMs
    failed_at: ColumnType<string | null, undefined, number | null>
    failure: ColumnType<string | null, undefined, string | null>
    repeated: ColumnType<string | null, undefined, string | null>
    cancelled: NonNullable<NotificationBody['cancelled']> | null
    cancelled_at: NullableMs
    seen_at: ColumnType<string | null, undefined, number | null>
  }
}

export type IntentRow = Selectable<WorkflowTables['notification_intent']>

export type TaskRow = Selectable<WorkflowTables['task']>
