/** What workflow hears besides alerts: a colleague handed a task on; a page could not be delivered. */
import type { FactBodies } from '@careloop/contract'
import type { TenantTx } from '../engine/index.ts'
import { handledSince } from './deliverable.ts'
import { beginSteps, escalate, openTaskWithAlert, planNext } from './escalation.ts'
import type { Told } from './intents.ts'
import { page } from './paging.ts'
import type { WorkflowTables } from './schema.ts'

/** The colleague is told, and has not seen it yet: all steps begin anew for them, the due time stays. */
export async function tellHandOff(told: Told, tx: TenantTx, body: FactBodies['TaskHandedOff']): Promise<void> {
  const found = await openTaskWithAlert(told.engine, tx, body.task)
  // Handed on further before this was heard: then the next fact tells.
  if (found === null || found.task.owner_id !== body.to) return
  const task = await beginSteps(tx, found.task)
  // Taken already: nobody is to be told, and it must not end with that.
  if (task.claimed_by !== null) return planNext(told.engine, tx, task, told.engine.clock.now())
  const { id: event } = await tx
    .tables<WorkflowTables>()
    .selectFrom('task_event')
    .select('id')
    .where('task_id', '=', body.task)
    .where('what', '=', 'handed-off')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  await page(told, tx, { ...found, task, event, why: 'handed-off', wantedAt: told.engine.clock.now() })
}

/** Waiting for the time limit of somebody who was never reached would be waiting for nobody. */
export async function hearFailure(told: Told, tx: TenantTx, body: FactBodies['DeliveryFailed']): Promise<void> {
  const found = await openTaskWithAlert(told.engine, tx, body.task)
  const intent = await tx
    .tables<WorkflowTables>()
    .selectFrom('notification_intent')
    .selectAll()
    .where('id', '=', body.intent)
    .executeTakeFirst()
  if (found === null || intent === undefined || intent.delivered_at !== null) return
  const { task, alert } = found
  if (task.quiet || intent.step < task.escalation || intent.step >= 2) return
  if ((await handledSince(tx, task.id, intent.event_id!)) !== null) return
  await escalate(told, tx, task, alert, intent.step === 0 ? 1 : 2, 'undelivered', told.engine.clock.now())
}
