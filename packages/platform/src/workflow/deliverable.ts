/** Intents as whoever delivers them sees them: locked with their task, and given only while there is something to tell. */
import type { NotificationBody, Priority } from '@careloop/contract'
import { titlesOf } from '../alerting/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'
import type { ReviewTables } from './reviews/schema.ts'
import { type IntentRow, toMs, type WorkflowTables } from './schema.ts'
import { intentsTotal } from './workflow-metrics.ts'

export interface Deliverable {
  readonly id: string
  /** What it tells of: a task of a subject, or a review. */
  readonly about: { readonly task: string; readonly subject: string } | { readonly review: string }
  readonly recipient: string
  readonly priority: Priority
  /** Of the rule; no name, no value. */
  readonly title: string
  readonly why: NotificationBody['why']
  readonly createdAt: number
  readonly wantedAt: number
  readonly dueAt: number
  /** From the first page (of a task) or the opening (of a review) to `dueAt`, ms. */
  readonly limitMs: number
  /** Times that it was begun to be delivered before. */
  readonly attempts: number
  /** It was given up for the next step already; trying goes on. */
  readonly isGivenUp: boolean
}

/**
 * Locks an intent and its task, or review, until the transaction ends. Null when there is nothing to deliver: it was delivered, or the task was
 * acknowledged, completed or told anew meanwhile; then the intent is cancelled with that reason.
 */
export async function lockDeliverable(engine: Engine, tx: TenantTx, id: string): Promise<Deliverable | null> {
  const tables = tx.tables<WorkflowTables>()
  const found = await tables
    .selectFrom('notification_intent')
    .select(['task_id', 'review_id'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (found === undefined) return null
  if (found.task_id === null) return lockOfReview(engine, tx, id, found.review_id!)
  const tasks = tables.selectFrom('task').selectAll().where('id', '=', found.task_id)
  const task = await tasks.forUpdate().executeTakeFirstOrThrow()
  const intents = tables.selectFrom('notification_intent').selectAll().where('id', '=', id)
  const intent = await intents.forUpdate().executeTakeFirstOrThrow()
  if (intent.delivered_at !== null || intent.cancelled !== null) return null
  const reason = (await handledSince(tx, task.id, intent.event_id!)) ?? (await toldAnew(tx, intent))
  const about = { task: task.id, subject: task.subject_id }
  if (reason === null) {
    // Rows from before it was read from the alert have it themselves.
    const title = intent.title || (await titlesOf(tx, [task.alert_id])).get(task.alert_id)!
    return deliverableOf(about, toMs(task.paged_at ?? task.opened_at), toMs(task.due_at), { ...intent, title })
  }
  await cancelIntent(engine, tx, intent, reason)
  return null
}

/** A review that is closed needs nobody any more. That access was taken is told in any case. */
async function lockOfReview(engine: Engine, tx: TenantTx, id: string, of: string): Promise<Deliverable | null> {
  const reviews = tx.tables<ReviewTables>().selectFrom('review').selectAll().where('id', '=', of)
  const review = await reviews.forUpdate().executeTakeFirstOrThrow()
  const intents = tx.tables<WorkflowTables>().selectFrom('notification_intent').selectAll().where('id', '=', id)
  const intent = await intents.forUpdate().executeTakeFirstOrThrow()
  if (intent.delivered_at !== null || intent.cancelled !== null) return null
  const isMoot = intent.why !== 'access-taken' && review.status === 'closed'
  if (!isMoot) return deliverableOf({ review: of }, toMs(review.opened_at), toMs(review.due_at), intent)
  await cancelIntent(engine, tx, intent, 'completed')
  return null
}

type Reason = NonNullable<IntentRow['cancelled']>

/** What people did after the event, as it stands: somebody is on it, or it is done. Held by the task's lock. */
export async function handledSince(tx: TenantTx, task: string, event: string): Promise<Reason | null> {
  const { rows } = await tx.client.query<{ what: string }>(
    `select what from tenant.task_event where task_id = $1 and id > $2
        and what in ('claimed', 'acknowledged', 'released', 'completed', 'reopened', 'handed-off') order by id desc`,
    [task, event],
  )
  const did = rows.map(({ what }) => what)
  const ending = did.find((what) => what === 'completed' || what === 'reopened')
  if (ending === 'completed') return 'completed'
  if (did.includes('handed-off')) return 'replaced'
  // Given back: nobody is on it, and whoever was to be told still is.
  return did.length === 0 || did[0] === 'released' ? null : 'acknowledged'
}

/** A newer page to the same person by the same way says all that this one would. Ids are version 7 UUIDs: they sort by creation. */
async function toldAnew(tx: TenantTx, intent: IntentRow): Promise<Reason | null> {
  const newer = await tx
    .tables<WorkflowTables>()
    .selectFrom('notification_intent')
    .select('id')
    .where('task_id', '=', intent.task_id)
    .where('recipient', '=', intent.recipient)
    .where('channel', '=', intent.channel)
    .where('cancelled', 'is', null)
    .where('delivered_at', 'is', null)
    .where('id', '>', intent.id)
    .limit(1)
    .executeTakeFirst()
  return newer === undefined ? null : 'replaced'
}

function deliverableOf(about: Deliverable['about'], from: number, dueAt: number, intent: IntentRow): Deliverable {
  return {
    ...{ id: intent.id, about, recipient: intent.recipient },
    ...{ priority: intent.priority, title: intent.title, why: intent.why },
    ...{ createdAt: toMs(intent.created_at), wantedAt: toMs(intent.wanted_at), dueAt },
    ...{ limitMs: dueAt - from, attempts: intent.attempts },
    isGivenUp: intent.failed_at !== null,
  }
}

/** Of a locked intent. */
async function cancelIntent(
  engine: Engine,
  tx: TenantTx,
  { id, channel }: Pick<IntentRow, 'id' | 'channel'>,
  cancelled: Reason,
): Promise<void> {
  await update(tx, id, { cancelled, cancelled_at: engine.clock.now() })
  tx.afterCommit(() => intentsTotal(engine.watch.metrics).inc({ channel, outcome: cancelled }))
}

/** There is nobody to give it to any more. */
export const cancelDeliverable = (
  engine: Engine,
  tx: TenantTx,
  { id }: Deliverable,
  reason: 'no-address',
): Promise<void> => cancelIntent(engine, tx, { id, channel: 'email' }, reason)

/** Before the channel is asked. @returns the attempt's number, from 1 */
export async function countAttempt(
  tx: TenantTx,
  { id, attempts }: Deliverable,
  repeated: string | null,
): Promise<number> {
  await update(tx, id, { attempts: attempts + 1, ...(repeated === null ? {} : { repeated }) })
  return attempts + 1
}

export async function markDelivered(engine: Engine, tx: TenantTx, id: string): Promise<void> {
  await update(tx, id, { delivered_at: engine.clock.now() })
  tx.afterCommit(() => intentsTotal(engine.watch.metrics).inc({ channel: 'email', outcome: 'delivered' }))
}

/** @param givesUp the next step is told now; trying goes on */
export async function markFailed(
  engine: Engine,
  tx: TenantTx,
  { id, isGivenUp }: Deliverable,
  failure: string,
  givesUp: boolean,
): Promise<void> {
  await update(tx, id, { failure, ...(givesUp && !isGivenUp ? { failed_at: engine.clock.now() } : {}) })
  if (givesUp && !isGivenUp)
    tx.afterCommit(() => intentsTotal(engine.watch.metrics).inc({ channel: 'email', outcome: 'failed' }))
}

type Columns = Partial<Pick<IntentRow, 'attempts' | 'repeated' | 'failure' | 'cancelled'>> & {
  delivered_at?: number
  failed_at?: number
  cancelled_at?: number
}

async function update(tx: TenantTx, id: string, columns: Columns): Promise<void> {
  await tx.tables<WorkflowTables>().updateTable('notification_intent').set(columns).where('id', '=', id).execute()
}
