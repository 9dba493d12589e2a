/** Escalation: whoever does not act in time is reminded, then the backup is told, then everybody who holds the owner's role. */
import { type Alert, alertsOf } from '../alerting/index.ts'
import type { Engine, EngineTx, FiredTimer, TenantTx } from '../engine/index.ts'
import { placesOf } from '../subjects/index.ts'
import { halfOf, nextStep, type Step } from './escalation-plan.ts'
import { intend, type Told, toldOf } from './intents.ts'
import { planOverdue } from './overdue.ts'
import { openReview } from './reviews/open-review.ts'
import { type TaskRow, toMs, type WorkflowTables } from './schema.ts'
import { mayTake } from './staff.ts'
import type { Ways } from './ways.ts'
import { escalationsTotal } from './workflow-metrics.ts'

/** Timers by which tasks escalate: key = the task, `{ tenant, task, step }`. One waits for each task at most. */
export const escalationTimer = 'escalate'
const actor = 'system:workflow'
/** Between two tries to find anybody for a task, at least, ms. */
const againMs = 5 * 60_000

/** Sets the timer of what comes after somebody was told at `from`; takes it away when nothing comes. The task is locked. */
export async function planNext(engine: Engine, tx: TenantTx, task: TaskRow, from: number): Promise<void> {
  await planOverdue(engine, tx, task)
  const next =
    task.status === 'completed' || task.paged_at === null ? null : nextStep(planOf(task, task.paged_at), from)
  if (next === null) return engine.timers.cancel(tx, escalationTimer, task.id)
  const ids = { tenant: tx.tenant, task: task.id, step: next.step }
  await engine.timers.set(tx, escalationTimer, { key: task.id, at: next.at, ids })
}

const planOf = (task: TaskRow, pagedAt: string) => ({
  ...{ priority: task.priority, quiet: task.quiet, escalation: task.escalation },
  ...{ pagedAt: toMs(pagedAt), dueAt: toMs(task.due_at) },
})

/**
 * Somebody else answers for the task now: its steps begin anew, and its due time stays. Locked; whoever calls this plans what comes
 * next, else nothing would.
 */
export async function beginSteps(tx: TenantTx, task: TaskRow): Promise<TaskRow> {
  if (task.escalation === 0) return task
  const begun = { ...task, escalation: 0 }
  await tx.tables<WorkflowTables>().updateTable('task').set({ escalation: 0 }).where('id', '=', task.id).execute()
  await tx.publish({ type: 'TaskChanged', task: task.id, subject: task.subject_id, status: task.status })
  return begun
}

/** Whether everybody was told whom it can be told: no timer waits any more. */
export const isAtItsEnd = (task: TaskRow): boolean => task.escalation >= (task.quiet ? 1 : 2)

/** What fires when a step is due. It reads the task again, locked: what it is called for may be done. */
export async function stepDue(engine: Engine, ways: Ways, fired: FiredTimer, tx: EngineTx): Promise<void> {
  const { tenant, task: id, step } = fired.ids as { tenant: string; task: string; step: Step }
  const told = await toldOf(engine, ways, tenant)
  await tx.asTenant(tenant, async (tenantTx) => {
    const found = await openTaskWithAlert(engine, tenantTx, id)
    if (found === null) return
    const { task, alert } = found
    if (step === 0) return remind(told, tenantTx, task, alert, fired.dueAt)
    // Somebody escalated it already, because a page could not be delivered.
    if (task.escalation >= step) return
    await escalate(told, tenantTx, task, alert, step, 'overdue', fired.dueAt)
  })
}

/** The task, locked, with its alert; null when it is done or its subject was erased. */
export async function openTaskWithAlert(
  engine: Engine,
  tx: TenantTx,
  id: string,
): Promise<{ task: TaskRow; alert: Alert } | null> {
  const query = tx.tables<WorkflowTables>().selectFrom('task').selectAll().where('id', '=', id)
  const task = await query.forUpdate().executeTakeFirst()
  if (task === undefined || task.status === 'completed') return null
  const alert = (await alertsOf(engine, tx, [task.alert_id])).get(task.alert_id)
  return alert === undefined ? null : { task, alert }
}

async function remind(told: Told, tx: TenantTx, task: TaskRow, alert: Alert, wantedAt: number): Promise<void> {
  const now = told.engine.clock.now()
  // The server was down for so long that the limit passed as well: that is what there is to say now.
  if (now >= toMs(task.due_at)) return escalate(told, tx, task, alert, 1, 'overdue', toMs(task.due_at))
  if (alert.handling === 'new')
    await intend(told, tx, {
      ...{
        task,
        title: alert.rule.definition.title,
        event: await lastTransition(tx, task.id),
        why: 'reminder',
        step: 0,
      },
      ...{ recipients: [holderOf(task)], wantedAt },
    })
  await planNext(told.engine, tx, task, now)
}

/** Whoever has the task, else whoever answers for it. */
export const holderOf = (task: Pick<TaskRow, 'claimed_by' | 'owner_id'>): string => task.claimed_by ?? task.owner_id

/** The event of the task that its pages are about: it was opened, its condition came back, somebody handed it on. */
async function lastTransition(tx: TenantTx, task: string): Promise<string> {
  const { id } = await tx
    .tables<WorkflowTables>()
    .selectFrom('task_event')
    .select('id')
    .where('task_id', '=', task)
    .where('what', 'in', ['opened', 'recurred', 'handed-off', 'reopened'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  return id
}

/**
 * Goes on to the backup (1) or to everybody of the owner's role (2). Whom nobody can reach is no reason to wait: then the next
 * step is taken at once.
 */
export async function escalate(
  told: Told,
  tx: TenantTx,
  task: TaskRow,
  alert: Alert,
  step: 1 | 2,
  why: 'overdue' | 'undelivered',
  wantedAt: number,
): Promise<void> {
  const recipients = step === 1 ? backupOf(task) : await everybodyFor(told, tx, task, alert)
  if (step === 2 && recipients.length === 0) return tryAgain(told, tx, task)
  if (step === 1 && recipients.length === 0) {
    if (!task.quiet) await escalate(told, tx, task, alert, 2, why, wantedAt)
    return
  }
  const { engine } = told
  const now = engine.clock.now()
  const event = await raiseEscalation(engine, tx, task, step, recipients)
  const escalated: TaskRow = { ...task, escalation: step, version: task.version + 1 }
  const notice = { task, title: alert.rule.definition.title, event, why, step, recipients, wantedAt }
  const isReached = await intend(told, tx, notice)
  tx.afterCommit(() => escalationsTotal(engine.watch.metrics).inc({ step: String(step), why }))
  if (isReached || task.quiet) return planNext(engine, tx, escalated, now)
  if (step === 1) return escalate(told, tx, escalated, alert, 2, 'undelivered', wantedAt)
  engine.watch.log.error(
    { tenant: tx.tenant, task: task.id },
    'a task was escalated to a role of which nobody can be reached',
  )
  await planNext(engine, tx, escalated, now)
}

/** Ways the backup what they are working on already would tell nobody. */
const backupOf = (task: TaskRow): string[] =>
  task.backup_id === null || task.backup_id === holderOf(task) ? [] : [task.backup_id]

const holdersOf = ({ staff }: Told, alert: Alert): string[] =>
  staff
    .filter(({ endedAt, roles }) => endedAt === null && roles.includes(alert.rule.definition.owner))
    .map(({ id }) => id)

/**
 * Everybody of the owner's role; when nobody holds it any more, whoever may take such a task. Administrators hear of that by a review:
 * who is paged here was meant for other work.
 */
async function everybodyFor(told: Told, tx: TenantTx, task: TaskRow, alert: Alert): Promise<string[]> {
  const holders = holdersOf(told, alert)
  if (holders.length > 0) return holders
  const { now } = told.engine.clock
  const source = `${task.id} ${new Date(now()).toISOString().slice(0, 10)}`
  await openReview(told, tx, { kind: 'unanswered-task', source, reason: 'role-empty' })
  const kind = (await placesOf(tx, [task.subject_id])).get(task.subject_id)?.kind
  return kind === undefined ? [] : told.staff.filter((each) => mayTake(tx.tenant, each, kind)).map(({ id }) => id)
}

/** Nobody works here who may take it: it is asked again, until somebody does. */
async function tryAgain({ engine }: Told, tx: TenantTx, task: TaskRow): Promise<void> {
  engine.watch.log.error({ tenant: tx.tenant, task: task.id }, 'nobody works here who may take this task')
  const waitMs = Math.max(againMs, task.paged_at === null ? 0 : halfOf(planOf(task, task.paged_at)))
  await engine.timers.set(tx, escalationTimer, {
    ...{ key: task.id, at: engine.clock.now() + waitMs },
    ids: { tenant: tx.tenant, task: task.id, step: 2 },
  })
}

async function raiseEscalation(
  engine: Engine,
  tx: TenantTx,
  task: TaskRow,
  step: 1 | 2,
  recipients: readonly string[],
): Promise<string> {
  const tables = tx.tables<WorkflowTables>()
  await tables
    .updateTable('task')
    .set({ escalation: step, version: task.version + 1 })
    .where('id', '=', task.id)
    .execute()
  const { id } = await tables
    .insertInto('task_event')
    .values({ task_id: task.id, what: 'escalated', at: engine.clock.now(), actor, to_staff: [...recipients] })
    .returning('id')
    .executeTakeFirstOrThrow()
  await tx.publish({ type: 'TaskChanged', task: task.id, subject: task.subject_id, status: task.status })
  return id
}
