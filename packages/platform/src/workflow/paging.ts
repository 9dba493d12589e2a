/** The first page of a transition: an alert was raised, came back, or a colleague handed a task on. */
import type { NotificationBody } from '@careloop/contract'
import { type Alert, alertingProgress } from '../alerting/index.ts'
import type { Engine, EngineTx, FiredTimer, TenantTx } from '../engine/index.ts'
import { tellCaregivers } from './caregivers.ts'
import { escalate, holderOf, openTaskWithAlert, planNext } from './escalation.ts'
import { intend, type Notice, type Told, toldOf } from './intents.ts'
import { type TaskRow, toMs, type WorkflowTables } from './schema.ts'
import type { Ways } from './ways.ts'

/** Timers of pages that wait until Careloop has caught up: key = the task, `{ tenant, task, event, head, tries }`. */
export const pageTimer = 'page'
/** Time for the evaluator to catch up before it is asked whether the condition still stands, ms. */
export const settleMs = 15_000
const lookAgainMs = 5_000
/** After this many looks the page goes out: better one too many than one that waits for a backlog that never ends. */
const looks = 60

export interface Page {
  readonly task: TaskRow
  readonly alert: Alert
  readonly event: string
  readonly why: NotificationBody['why']
  readonly wantedAt: number
}

/** Tells whoever has the task, and those whom it was escalated to. The task is locked. */
export async function page(told: Told, tx: TenantTx, { task, alert, event, why, wantedAt }: Page): Promise<void> {
  const { engine } = told
  const now = engine.clock.now()
  const begun = task.paged_at === null ? await beginCounting(engine, tx, task, alert) : task
  const notice: Omit<Notice, 'step' | 'recipients'> = { task, title: alert.rule.definition.title, event, why, wantedAt }
  const isReached = await intend(told, tx, { ...notice, step: 0, recipients: [holderOf(task)] })
  await tellCaregivers(told, tx, { task, alert, event, why, wantedAt })
  if (task.escalation >= 1 && task.backup_id !== null && task.backup_id !== holderOf(task))
    await intend(told, tx, { ...notice, step: 1, recipients: [task.backup_id] })
  // What was escalated goes on as it was: a condition that comes back buys nobody time.
  if (task.escalation > 0) return
  // Only a hand-off gives a new person time beyond the limit.
  const from = why === 'handed-off' ? now : Math.min(now, toMs(begun.due_at))
  if (isReached || task.quiet) return planNext(engine, tx, begun, from)
  await escalate(told, tx, begun, alert, 1, 'undelivered', now)
}

/** Escalation counts from the first page: what Careloop slept through is not taken off the time that a person has. */
async function beginCounting(engine: Engine, tx: TenantTx, task: TaskRow, alert: Alert): Promise<TaskRow> {
  const now = engine.clock.now()
  const due = Math.max(toMs(task.due_at), now + alert.rule.definition.limitMs)
  await tx
    .tables<WorkflowTables>()
    .updateTable('task')
    .set({ paged_at: now, due_at: due })
    .where('id', '=', task.id)
    .execute()
  await tx.publish({ type: 'TaskChanged', task: task.id, subject: task.subject_id, status: task.status })
  return { ...task, paged_at: String(now), due_at: String(due) }
}

/** Careloop was behind when it learned of this: it asks again when it has caught up. `head`: of the log, as it was then. */
export const pageLater = (
  engine: Engine,
  tx: TenantTx,
  { task, event, head }: { readonly task: string; readonly event: string; readonly head: number },
): Promise<void> =>
  engine.timers.set(tx, pageTimer, {
    ...{ key: task, at: engine.clock.now() + settleMs },
    ids: { tenant: tx.tenant, task, event, head, tries: 0 },
  })

/** What fires when Careloop may have caught up: pages only for what still stands. */
export async function pageSettled(engine: Engine, ways: Ways, fired: FiredTimer, tx: EngineTx): Promise<void> {
  const { tenant, task: id, event, head, tries } = fired.ids as Settling
  const isBehind = Number((await alertingProgress(engine)).at) < head
  const told = await toldOf(engine, ways, tenant)
  await tx.asTenant(tenant, async (tenantTx) => {
    if (isBehind && tries < looks) {
      const again = { ...fired.ids, tries: tries + 1 }
      return engine.timers.set(tenantTx, pageTimer, { key: id, at: engine.clock.now() + lookAgainMs, ids: again })
    }
    const found = await openTaskWithAlert(engine, tenantTx, id)
    if (found === null) return
    const { task, alert } = found
    // It came back meanwhile, and that was told: once is enough, and what comes next is planned from there.
    if (await isToldSince(tenantTx, id, event)) return
    const why = await whatOf(tenantTx, event)
    const settled = { task, alert, event, why, wantedAt: fired.dueAt }
    if (alert.condition === 'active' && alert.handling === 'new') return page(told, tenantTx, settled)
    const cancelled = alert.condition === 'active' ? 'acknowledged' : 'passed'
    const notice = {
      ...settled,
      title: alert.rule.definition.title,
      recipients: [holderOf(task)],
      step: 0,
      cancelled,
    } as const
    await intend(told, tenantTx, notice)
    const begun = task.paged_at === null ? await beginCounting(engine, tenantTx, task, alert) : task
    const quiet = cancelled === 'passed' && task.escalation === 0
    if (quiet) await tenantTx.tables<WorkflowTables>().updateTable('task').set({ quiet }).where('id', '=', id).execute()
    const from = Math.min(engine.clock.now(), toMs(begun.due_at))
    await planNext(engine, tenantTx, quiet ? { ...begun, quiet } : begun, from)
  })
}

interface Settling {
  readonly [name: string]: string | number
  readonly tenant: string
  readonly task: string
  readonly event: string
  readonly head: number
  readonly tries: number
}

async function isToldSince(tx: TenantTx, task: string, event: string): Promise<boolean> {
  const { rows } = await tx.client.query(
    `select from tenant.notification_intent
      where tenant_id = $1 and task_id = $2 and event_id > $3 and cancelled is null and why <> 'evidence-changed' limit 1`,
    [tx.tenant, task, event],
  )
  return rows.length > 0
}

async function whatOf(tx: TenantTx, event: string): Promise<'raised' | 'recurred'> {
  const { what } = await tx
    .tables<WorkflowTables>()
    .selectFrom('task_event')
    .select('what')
    .where('id', '=', event)
    .executeTakeFirstOrThrow()
  return what === 'recurred' ? 'recurred' : 'raised'
}
