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
  }
}

export type TaskRow = Selectable<WorkflowTables['task']>
