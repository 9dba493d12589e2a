/** What a person was told, and whom a task was told to. No name and no value stands in it; a task's list is audited like the task. */
import type { NotificationBody, NotificationList } from '@careloop/contract'
import { naturesOf, staffNamesOf, staffRef, titlesOf } from '../alerting/index.ts'
import { record } from '../audit/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'
import { type By, purposed } from '../subjects/index.ts'
import type { ReviewTables } from './reviews/schema.ts'
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
    const { unseen } = await own
      .where('seen_at', 'is', null)
      .select((eb) => eb.fn.countAll<string>().as('unseen'))
      .executeTakeFirstOrThrow()
    return { items: await bodiesOf(tx, rows), unseen: Number(unseen) }
  })

/** As pages show them, in the order of the rows. */
export async function bodiesOf(tx: TenantTx, rows: readonly IntentRow[]): Promise<NotificationBody[]> {
  const tasks = await tasksAbout(tx, rows)
  const patients = await patientsOfReviews(tx, rows)
  return rows.map((row) => notificationBody(row, tasks, patients))
}

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
  const { rows, tasks } = await engine.db.asTenant(by.tenant, async (tx) => {
    const { subject_id: subject } = await readTask(tx, task, by.sight)
    const { actor, requestId } = by
    await record(tx, purposed(by.sight, { actor, action: 'read', resource: 'task', id: task, subject, requestId }))
    const intents = tx.tables<WorkflowTables>().selectFrom('notification_intent').selectAll()
    const rows = await intents.where('task_id', '=', task).orderBy('created_at').orderBy('id').execute()
    return { rows, tasks: await tasksAbout(tx, rows) }
  })
  const names = await staffNamesOf(staff, by.tenant)
  return {
    items: rows.map((row) => ({ ...notificationBody(row, tasks), to: staffRef(names, row.recipient) })),
    unseen: rows.filter((row) => row.channel === 'in-app' && row.cancelled === null && row.seen_at === null).length,
  }
}

/** By task: what its alert is about, and its nature. */
async function tasksAbout(tx: TenantTx, rows: readonly IntentRow[]): Promise<TasksAbout> {
  const asked = [...new Set(rows.flatMap((row) => row.task_id ?? []))]
  if (asked.length === 0) return new Map()
  const tasks = await tx
    .tables<WorkflowTables>()
    .selectFrom('task')
    .select(['id', 'alert_id'])
    .where('id', 'in', asked)
    .execute()
  const alerts = tasks.map((task) => task.alert_id)
  const [natures, titles] = [await naturesOf(tx, alerts), await titlesOf(tx, alerts)]
  return new Map(
    tasks.map(({ id, alert_id }) => [id, { nature: natures.get(alert_id)!, title: titles.get(alert_id)! }]),
  )
}

/** Whom emergency access was taken to, by review: for colleagues who look after them, who may see the patient. */
async function patientsOfReviews(tx: TenantTx, rows: readonly IntentRow[]): Promise<ReadonlyMap<string, string>> {
  const asked = rows.flatMap(({ why, review_id }) => (why === 'access-taken' && review_id !== null ? [review_id] : []))
  if (asked.length === 0) return new Map()
  const reviews = await tx
    .tables<ReviewTables>()
    .selectFrom('review')
    .select(['id', 'about_subject'])
    .where('id', 'in', [...new Set(asked)])
    .execute()
  return new Map(reviews.flatMap(({ id, about_subject }) => (about_subject === null ? [] : [[id, about_subject]])))
}

type About = Pick<NotificationBody, 'task' | 'review' | 'subject' | 'nature'>

function aboutOf(row: IntentRow, tasks: TasksAbout, patients: ReadonlyMap<string, string>): About {
  if (row.task_id !== null) return { task: row.task_id, nature: tasks.get(row.task_id)!.nature }
  const patient = row.review_id === null ? undefined : patients.get(row.review_id)
  // A review is no clinical matter, and what its readers may not open they are not led to.
  if (row.why !== 'access-taken') return { review: row.review_id!, nature: 'technical' }
  return { ...(patient === undefined ? {} : { subject: patient }), nature: 'technical' }
}

type TasksAbout = ReadonlyMap<string, Pick<NotificationBody, 'nature' | 'title'>>
const none: ReadonlyMap<string, string> = new Map()

function notificationBody(row: IntentRow, tasks: TasksAbout, patients = none): NotificationBody {
  const [createdAt, wantedAt] = [toMs(row.created_at), toMs(row.wanted_at)]
  return {
    ...{ id: row.id, ...aboutOf(row, tasks, patients), why: row.why, channel: row.channel, step: row.step },
    ...{ priority: row.priority, title: row.title || tasks.get(row.task_id ?? '')!.title },
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
