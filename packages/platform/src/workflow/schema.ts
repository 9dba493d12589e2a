/** Tables of the workflow room as Kysely sees them. `bigint` columns come as text from the driver: see `toMs`. */
import type { Priority, TaskEventBody, TaskStatus } from '@careloop/contract'
import type { ColumnType, Generated, Selectable } from 'kysely'

type Ms = ColumnType<string, number, number>
type NullableMs = ColumnType<string | null, number | null, number | null>

export const toMs = (column: string): number => Number(column)

export interface WorkflowTables {
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
}

export type TaskRow = Selectable<WorkflowTables['task']>
