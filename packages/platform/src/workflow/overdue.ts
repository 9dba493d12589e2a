/** That a task's time limit passed is told once a limit, to whoever follows tasks from outside; escalation goes its own way. */
import type { Engine, EngineTx, FiredTimer, TenantTx } from '../engine/index.ts'
import { type TaskRow, toMs, type WorkflowTables } from './schema.ts'

/** Timers of limits: key = the task, `{ tenant, task }`. */
export const overdueTimer = 'task-overdue'

/** Sets the timer of the limit when it is still to come; a limit that moved moves it. The task is locked. */
export async function planOverdue(engine: Engine, tx: TenantTx, task: TaskRow): Promise<void> {
  const at = toMs(task.due_at)
  if (task.status === 'completed' || at <= engine.clock.now()) return
  await engine.timers.set(tx, overdueTimer, { key: task.id, at, ids: { tenant: tx.tenant, task: task.id } })
}

/** What fires at the limit. It reads the task again, locked: it may be done, or have got more time. */
export async function limitPassed(engine: Engine, fired: FiredTimer, tx: EngineTx): Promise<void> {
  const { tenant, task: id } = fired.ids as { tenant: string; task: string }
  await tx.asTenant(tenant, async (tenantTx) => {
    const tasks = tenantTx.tables<WorkflowTables>().selectFrom('task').selectAll().where('id', '=', id)
    const task = await tasks.forUpdate().executeTakeFirst()
    if (task === undefined || task.status === 'completed') return
    if (toMs(task.due_at) > engine.clock.now()) return planOverdue(engine, tenantTx, task)
    await tenantTx.publish({ type: 'TaskOverdue', task: id, subject: task.subject_id })
  })
}
