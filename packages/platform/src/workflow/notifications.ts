/** What a person was told, and whom a task was told to. No name and no value stands in it; a task's list is audited like the task. */
import type { NotificationBody, NotificationList } from '@careloop/contract'
import { naturesOf, staffNamesOf, staffRef } from '../alerting/index.ts'
import { record } from '../audit/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'
import type { By } from '../subjects/index.ts'
import { type IntentRow, toMs, type WorkflowTables } from './schema.ts'
import type { WorkingStaff } from './staff.ts'
import { readTask } from './task-rows.ts'

const shownAtMost = 100
/** Less than this is no delay that somebody would ask about, ms. */
const lateMs = 60_000

/** Of one person, in the pages, newest first; what was cancelled was told to nobody and is not there. */
export const notificationsOf = (engine: Engine, tenant: string, staff: string): Promise<NotificationList> =>
  engine.db.asTenant(tenant, async (tx) => {
    const own = tx
      .tables<WorkflowTables>()
      .selectFrom('notification_intent')
      .where('recipient', '=', staff)
      .where('channel', '=', 'in-app')
      .where('cancelled', 'is', null)
    const rows = await own.selectAll().orderBy('created_at', 'desc').orderBy('id', 'desc').limit(shownAtMost).execute()
    const natures = await naturesOfTasks(tx, rows)
    const { unseen } = await own
      .where('seen_at', 'is', null)
      .select((eb) => eb.fn.countAll<string>().as('unseen'))
      .executeTakeFirstOrThrow()
    return { items: rows.map((row) => notificationBody(row, natures)), unseen: Number(unseen) }
  })

/** Those of others, and unknown ones, are left alone. */
export const markSeen = (engine: Engine, tenant: string, staff: string, ids: readonly string[]): Promise<void> =>
  engine.db.asTenant(tenant, async (tx) => {
    await tx
      .tables<WorkflowTables>()
      .updateTable('notification_intent')
      .set({ seen_at: engine.clock.now() })
      .where('recipient', '=', staff)
      .where('channel', '=', 'in-app')
      .where('seen_at', 'is', null)
      .where('id', 'in', [...ids])
      .execute()
  })

/** Whom a task was told to, by which way, and what became of it; oldest first. @throws Failure `task-not-found` */
export async function notificationsOfTask(
  engine: Engine,
  staff: WorkingStaff,
  by: By,
  task: string,
): Promise<NotificationList> {
  const { rows, natures } = await engine.db.asTenant(by.tenant, async (tx) => {
    const { subject_id: subject } = await readTask(tx, task, by.sight)
    const { actor, requestId } = by
    await record(tx, { actor, action: 'read', resource: 'task', id: task, subject, requestId })
    const intents = tx.tables<WorkflowTables>().selectFrom('notification_intent').selectAll()
    const rows = await intents.where('task_id', '=', task).orderBy('created_at').orderBy('id').execute()
    return { rows, natures: await naturesOfTasks(tx, rows) }
  })
  const names = await staffNamesOf(staff, by.tenant)
  return {
    items: rows.map((row) => ({ ...notificationBody(row, natures), to: staffRef(names, row.recipient) })),
    unseen: rows.filter((row) => row.channel === 'in-app' && row.cancelled === null && row.seen_at === null).length,
  }
}

/** By task. */
async function naturesOfTasks(
  tx: TenantTx,
  rows: readonly IntentRow[],
): Promise<ReadonlyMap<string, NotificationBody['nature']>> {
  if (rows.length === 0) return new Map()
  const asked = [...new Set(rows.map((row) => row.task_id))]
  const tasks = await tx
    .tables<WorkflowTables>()
    .selectFrom('task')
    .select(['id', 'alert_id'])
    .where('id', 'in', asked)
    .execute()
  const natures = await naturesOf(
    tx,
    tasks.map((task) => task.alert_id),
  )
  return new Map(tasks.map((task) => [task.id, natures.get(task.alert_id)!]))
}

function notificationBody(row: IntentRow, natures: ReadonlyMap<string, NotificationBody['nature']>): NotificationBody {
  const [createdAt, wantedAt] = [toMs(row.created_at), toMs(row.wanted_at)]
  return {
    ...{ id: row.id, task: row.task_id, why: row.why, channel: row.channel, step: row.step },
    ...{ priority: row.priority, nature: natures.get(row.task_id)!, title: row.title },
    ...{ at: createdAt, attempts: row.attempts },
    ...(createdAt - wantedAt > lateMs ? { wantedAt } : {}),
    ...(row.delivered_at === null ? {} : { deliveredAt: toMs(row.delivered_at) }),
    ...(row.failed_at === null ? {} : { failedAt: toMs(row.failed_at) }),
    ...(row.failure === null || row.delivered_at !== null ? {} : { failure: row.failure }),
    ...(row.repeated === null ? {} : { repeated: row.repeated }),
    ...(row.cancelled === null ? {} : { cancelled: row.cancelled }),
    ...(row.seen_at === null ? {} : { seenAt: toMs(row.seen_at) }),
  }
}
