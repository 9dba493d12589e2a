/** A task that was given back: nobody is on it, and whoever answers for it may believe that somebody is. */
import type { Engine, EngineTx, FiredTimer, TenantTx } from '../engine/index.ts'
import { beginSteps, escalate, isAtItsEnd, openTaskWithAlert, planNext } from './escalation.ts'
import { intend, toldOf } from './intents.ts'
import type { WorkflowTables } from './schema.ts'
import type { Ways } from './ways.ts'

/** Timers that tell of a release: key = the task, `{ tenant, task }`. Set for now, since a click has no staff at hand. */
export const releasedTimer = 'released'

export const tellLater = (engine: Engine, tx: TenantTx, task: string): Promise<void> =>
  engine.timers.set(tx, releasedTimer, { key: task, at: engine.clock.now(), ids: { tenant: tx.tenant, task } })

/**
 * The owner is told again, unless they gave it back themselves. Steps that are still to come stay as planned, so that giving back buys
 * nobody time; where all were taken they begin anew.
 */
export async function tellReleased(engine: Engine, ways: Ways, fired: FiredTimer, tx: EngineTx): Promise<void> {
  const { tenant, task: id } = fired.ids as { tenant: string; task: string }
  const told = await toldOf(engine, ways, tenant)
  await tx.asTenant(tenant, async (tenantTx) => {
    const found = await openTaskWithAlert(engine, tenantTx, id)
    if (found === null || found.task.claimed_by !== null) return
    const released = await lastRelease(tenantTx, id)
    if (released === null) return
    const isOver = isAtItsEnd(found.task)
    const task = isOver ? await beginSteps(tenantTx, found.task) : found.task
    const { owner_id: owner } = task
    const title = found.alert.rule.definition.title
    const notice = { task, title, event: released.id, why: 'reminder', step: 0, wantedAt: fired.dueAt } as const
    const isTold = released.actor !== `staff:${owner}`
    const isReached = !isTold || (await intend(told, tenantTx, { ...notice, recipients: [owner] }))
    if (!isReached && !task.quiet && task.escalation === 0)
      return escalate(told, tenantTx, task, found.alert, 1, 'undelivered', fired.dueAt)
    if (isOver) await planNext(engine, tenantTx, task, engine.clock.now())
  })
}

/** Null when it was handed on since: that is told by itself. */
async function lastRelease(tx: TenantTx, task: string): Promise<{ id: string; actor: string } | null> {
  const last = await tx
    .tables<WorkflowTables>()
    .selectFrom('task_event')
    .select(['id', 'actor', 'what'])
    .where('task_id', '=', task)
    .where('what', 'in', ['claimed', 'released', 'handed-off', 'reopened'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return last?.what === 'released' ? last : null
}
