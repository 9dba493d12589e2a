/** Which open task is about an alert, and who has it: for pages that show alerts. */
import type { TenantTx } from '../engine/index.ts'
import type { WorkflowTables } from './schema.ts'

export interface TaskOfAlert {
  readonly task: string
  /** Staff user; null = nobody has it. */
  readonly claimedBy: string | null
}

/** By alert; an alert without an open task is absent. */
export async function openTasksOf(tx: TenantTx, alerts: readonly string[]): Promise<ReadonlyMap<string, TaskOfAlert>> {
  if (alerts.length === 0) return new Map()
  const rows = await tx
    .tables<WorkflowTables>()
    .selectFrom('task')
    .select(['id', 'alert_id', 'claimed_by'])
    .where('alert_id', 'in', [...alerts])
    .where('status', '<>', 'completed')
    .execute()
  return new Map(rows.map((row) => [row.alert_id, { task: row.id, claimedBy: row.claimed_by }]))
}

/** By task, whatever its status. */
export async function alertsOfTasks(tx: TenantTx, tasks: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (tasks.length === 0) return new Map()
  const rows = await tx
    .tables<WorkflowTables>()
    .selectFrom('task')
    .select(['id', 'alert_id'])
    .where('id', 'in', [...new Set(tasks)])
    .execute()
  return new Map(rows.map((row) => [row.id, row.alert_id]))
}
