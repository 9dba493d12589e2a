/**
 * Intents: whom to tell what by which way. One for each (task, transition, recipient, channel, step, why), written in the transaction
 * of what causes it, so that none is missing and none is double; how often it is delivered is another matter (at least once).
 */
import type { NotificationBody } from '@careloop/contract'
import type { Insertable } from 'kysely'
import type { Engine, TenantTx } from '../engine/index.ts'
import type { Telling } from '../subjects/index.ts'
import type { TaskRow, WorkflowTables } from './schema.ts'
import { showTask } from './task-sight.ts'
import { type Channel, isReachable, type Reachable, type Ways } from './ways.ts'
import { intentsTotal } from './workflow-metrics.ts'

/** Timers by which e-mail is delivered: `{ tenant, intent }`. Integrations works on them. */
export const emailTimer = 'email'

/** Staff read before the transaction, since a transaction that waits for a second connection may wait for itself. */
export interface Told {
  readonly engine: Engine
  readonly ways: Pick<Ways, 'email'>
  readonly staff: readonly Reachable[]
  /** Which caregivers may be told; absent = none are. */
  readonly telling?: Telling
}

export interface Notice {
  readonly task: Pick<TaskRow, 'id' | 'subject_id' | 'enrolment_id' | 'priority' | 'quiet'>
  /** Of the rule; no name, no value. */
  readonly title: string
  /** Of task_event. */
  readonly event: string
  readonly why: NotificationBody['why']
  readonly step: 0 | 1 | 2
  readonly recipients: readonly string[]
  /** When it ought to be told; earlier than now when the server was down. */
  readonly wantedAt: number
  /** Nobody is told any more; it is kept, with the reason. */
  readonly cancelled?: 'acknowledged' | 'completed' | 'passed'
}

/** @returns whether somebody can be reached, by each way that is in use */
export async function intend({ engine, ways, staff }: Told, tx: TenantTx, notice: Notice): Promise<boolean> {
  const channels: readonly Channel[] = ways.email && !notice.task.quiet ? ['in-app', 'email'] : ['in-app']
  const reached = new Map(channels.map((channel) => [channel, false]))
  const { task, title, event, why, step, wantedAt, cancelled } = notice
  // The first page goes to whom the enrolment names; whoever else is told is of its program's team by that.
  await showTask(engine, tx, task, notice.recipients, step > 0 || why === 'handed-off' ? { how: 'given' } : {})
  for (const recipient of new Set(notice.recipients)) {
    for (const channel of channels) {
      const about = { task_id: task.id, event_id: event, review_id: null, recipient, channel, step, why }
      const row = { ...about, priority: task.priority, title, wanted_at: wantedAt }
      if (await writeIntent(engine, tx, staff, row, cancelled)) reached.set(channel, true)
    }
  }
  return [...reached.values()].every(Boolean)
}

type NewIntent = Pick<
  Insertable<WorkflowTables['notification_intent']>,
  'task_id' | 'event_id' | 'review_id' | 'recipient' | 'channel' | 'step' | 'why' | 'priority' | 'title' | 'wanted_at'
>

/**
 * Writes one intent, once; in the pages it is shown at once, by mail a timer delivers it.
 * @returns whether this person can be reached by this way
 */
export async function writeIntent(
  engine: Engine,
  tx: TenantTx,
  staff: readonly Reachable[],
  intent: NewIntent,
  given: NotificationBody['cancelled'] = undefined,
): Promise<boolean> {
  const { channel, recipient } = intent
  const canReach = isReachable(
    staff.find((each) => each.id === recipient),
    channel,
  )
  const cancelled = canReach ? given : 'no-address'
  const now = engine.clock.now()
  const id = engine.ids.uuid()
  const isShown = channel === 'in-app' && cancelled === undefined
  const row: Insertable<WorkflowTables['notification_intent']> = {
    // What a task of a person is about stands in the alert's rule, and in no row beside the task.
    ...{ ...intent, title: intent.task_id === null ? intent.title : '' },
    ...{ id, created_at: now, attempts: isShown ? 1 : 0, delivered_at: isShown ? now : null },
    ...{ cancelled: cancelled ?? null, cancelled_at: cancelled === undefined ? null : now },
  }
  const made = await tx
    .tables<WorkflowTables>()
    .insertInto('notification_intent')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (made.numInsertedOrUpdatedRows !== 1n) return canReach
  const outcome = cancelled ?? (isShown ? 'delivered' : 'intended')
  tx.afterCommit(() => intentsTotal(engine.watch.metrics).inc({ channel, outcome }))
  const about = intent.task_id ? { task: intent.task_id } : { review: intent.review_id! }
  if (isShown) await tx.publish({ type: 'Notified', intent: id, ...about, recipient })
  else if (cancelled === undefined)
    await engine.timers.set(tx, emailTimer, { key: id, at: now, ids: { tenant: tx.tenant, intent: id } })
  return canReach
}

/** Staff of the tenants that these facts or timers are about. */
export async function toldOf(engine: Engine, ways: Ways, tenant: string): Promise<Told> {
  const telling = await ways.consents?.telling(tenant)
  return { engine, ways, staff: await ways.staff(tenant), ...(telling === undefined ? {} : { telling }) }
}
