/**
 * Intents: whom to tell what by which way. One for each (task, transition, recipient, channel, step, why), written in the transaction
 * of what causes it, so that none is missing and none is double; how often it is delivered is another matter (at least once).
 */
import type { NotificationBody } from '@careloop/contract'
import type { Insertable } from 'kysely'
import type { Engine, TenantTx } from '../engine/index.ts'
import type { TaskRow, WorkflowTables } from './schema.ts'
import { type Channel, isReachable, type Reachable, type Ways } from './ways.ts'
import { intentsTotal } from './workflow-metrics.ts'

/** Timers by which e-mail is delivered: `{ tenant, intent }`. Integrations works on them. */
export const emailTimer = 'email'

/** Staff read before the transaction, since a transaction that waits for a second connection may wait for itself. */
export interface Told {
  readonly engine: Engine
  readonly ways: Pick<Ways, 'email'>
  readonly staff: readonly Reachable[]
}

export interface Notice {
  readonly task: Pick<TaskRow, 'id' | 'priority' | 'quiet'>
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
  for (const recipient of new Set(notice.recipients)) {
    const person = staff.find((each) => each.id === recipient)
    for (const channel of channels) {
      if (!isReachable(person, channel)) {
        await insert(engine, tx, notice, recipient, channel, 'no-address')
        continue
      }
      reached.set(channel, true)
      await insert(engine, tx, notice, recipient, channel, notice.cancelled)
    }
  }
  return [...reached.values()].every(Boolean)
}

async function insert(
  engine: Engine,
  tx: TenantTx,
  notice: Notice,
  recipient: string,
  channel: Channel,
  cancelled: NotificationBody['cancelled'] = undefined,
): Promise<void> {
  const now = engine.clock.now()
  const id = engine.ids.uuid()
  const isShown = channel === 'in-app' && cancelled === undefined
  const row: Insertable<WorkflowTables['notification_intent']> = {
    ...{ id, task_id: notice.task.id, event_id: notice.event, recipient, channel, step: notice.step, why: notice.why },
    ...{ priority: notice.task.priority, title: notice.title, created_at: now, wanted_at: notice.wantedAt },
    ...{ attempts: isShown ? 1 : 0, delivered_at: isShown ? now : null },
    ...{ cancelled: cancelled ?? null, cancelled_at: cancelled === undefined ? null : now },
  }
  const made = await tx
    .tables<WorkflowTables>()
    .insertInto('notification_intent')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (made.numInsertedOrUpdatedRows !== 1n) return
  const outcome = cancelled ?? (isShown ? 'delivered' : 'intended')
  tx.afterCommit(() => intentsTotal(engine.watch.metrics).inc({ channel, outcome }))
  if (isShown) await tx.publish({ type: 'Notified', intent: id, task: notice.task.id, recipient })
  else if (cancelled === undefined)
    await engine.timers.set(tx, emailTimer, { key: id, at: now, ids: { tenant: tx.tenant, intent: id } })
}

/** Staff of the tenants that these facts or timers are about. */
export async function toldOf(engine: Engine, ways: Ways, tenant: string): Promise<Told> {
  return { engine, ways, staff: await ways.staff(tenant) }
}
