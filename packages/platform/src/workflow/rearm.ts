/**
 * The timers of open tasks, set again as they were planned: when a process takes over, since tasks of before there were timers have
 * none, and a database that was restored may lack some. What was told already is told to nobody again: the plan counts from there, and
 * an intent is unique.
 */
import type { Engine } from '../engine/index.ts'
import { lastToldAt } from './complete-task.ts'
import { planNext } from './escalation.ts'
import type { WorkflowTables } from './schema.ts'

const atATime = 100

export async function rearm(engine: Engine): Promise<void> {
  for (const tenant of await engine.db.tenants()) {
    let after = '00000000-0000-0000-0000-000000000000'
    for (let more = true; more; ) {
      const ids = await openTasksAfter(engine, tenant, after)
      for (const id of ids) await rearmTask(engine, tenant, id)
      after = ids.at(-1) ?? after
      more = ids.length === atATime
    }
  }
}

const openTasksAfter = (engine: Engine, tenant: string, after: string): Promise<string[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    const open = tx.tables<WorkflowTables>().selectFrom('task').select('id').where('status', '<>', 'completed')
    const rows = await open.where('id', '>', after).orderBy('id').limit(atATime).execute()
    return rows.map(({ id }) => id)
  })

/** A transaction each: a nurse who acts on one of them waits for one, not for all. */
const rearmTask = (engine: Engine, tenant: string, id: string): Promise<void> =>
  engine.db.asTenant(tenant, async (tx) => {
    const tasks = tx.tables<WorkflowTables>().selectFrom('task').selectAll().where('id', '=', id)
    const task = await tasks.forUpdate().executeTakeFirst()
    // Nobody was told yet: the timer of that page is set, and goes on by itself.
    if (task === undefined || task.status === 'completed' || task.paged_at === null) return
    await planNext(engine, tx, task, await lastToldAt(tx, task))
  })
