/**
 * Caregivers are told of an alert in their pages, where consent lets them see what it tells of: asked when it is written, when it is
 * read, and again at every change of a consent. They answer for nothing: no step waits for them, no escalation counts them.
 */
import type { FactBodies, NotificationList } from '@careloop/contract'
import { type Alert, thingOf, thingsOfAlerts } from '../alerting/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'
import type { By, Subjects, Thing } from '../subjects/index.ts'
import type { Told } from './intents.ts'
import { bodiesOf } from './notifications.ts'
import type { Page } from './paging.ts'
import type { IntentRow, WorkflowTables } from './schema.ts'
import { intentsTotal } from './workflow-metrics.ts'

/** In the transaction that pages the staff; of what was found late, or is told quietly, they are not told. */
export async function tellCaregivers(
  told: Told,
  tx: TenantTx,
  { task, alert, event, why, wantedAt }: Page,
): Promise<void> {
  if (told.telling === undefined || task.quiet || (why !== 'raised' && why !== 'recurred')) return
  const { engine } = told
  const now = engine.clock.now()
  for (const recipient of await told.telling.caregivers(tx, alert.subject, thingOfAlert(alert))) {
    const id = engine.ids.uuid()
    const made = await tx
      .tables<WorkflowTables>()
      .insertInto('notification_intent')
      .values({
        ...{ id, task_id: task.id, event_id: event, recipient, channel: 'in-app', step: 0, why },
        ...{ priority: alert.priority, title: '', created_at: now, wanted_at: wantedAt },
        // It has reached nobody before their page has read it.
        ...{ attempts: 0, delivered_at: null },
      })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst()
    if (made.numInsertedOrUpdatedRows !== 1n) continue
    tx.afterCommit(() => intentsTotal(engine.watch.metrics).inc({ channel: 'in-app', outcome: 'intended' }))
    await tx.publish({ type: 'Notified', intent: id, task: task.id, recipient })
  }
}

const thingOfAlert = ({ program, rule }: Alert): Thing => thingOf(program.code, rule.definition)

/** Somebody consented or withdrew: what has not reached this caregiver, and may not any more, is cancelled. */
export async function hearConsent(told: Told, tx: TenantTx, body: FactBodies['ConsentChanged']): Promise<void> {
  const { telling, engine } = told
  if (telling === undefined || body.grantee === null) return
  const { rows } = await tx.client.query<{ id: string; alert_id: string }>(
    `select intent.id, task.alert_id from tenant.notification_intent intent
       join tenant.task on task.tenant_id = intent.tenant_id and task.id = intent.task_id
      where intent.tenant_id = $1 and intent.recipient = $2 and task.subject_id = $3
        and intent.delivered_at is null and intent.cancelled is null for update of intent`,
    [tx.tenant, body.grantee, body.subject],
  )
  if (rows.length === 0) return
  const things = await thingsOfAlerts(
    tx,
    rows.map((row) => row.alert_id),
  )
  for (const { id, alert_id } of rows) {
    const may = await telling.caregivers(tx, body.subject, things.get(alert_id) ?? {})
    if (may.includes(body.grantee)) continue
    const columns = { cancelled: 'no-consent', cancelled_at: engine.clock.now() } as const
    await tx.tables<WorkflowTables>().updateTable('notification_intent').set(columns).where('id', '=', id).execute()
    tx.afterCommit(() => intentsTotal(engine.watch.metrics).inc({ channel: 'in-app', outcome: 'no-consent' }))
  }
}

const shownAtMost = 100

/** What a caregiver was told and may still see, newest first. Reading it is what delivers it. */
export async function notificationsOfCaregiver(
  engine: Engine,
  consents: Subjects['consents'],
  by: By,
  user: string,
): Promise<NotificationList> {
  const gate = await consents.gate(by)
  return engine.db.asTenant(by.tenant, async (tx) => {
    const rows = await tx
      .tables<WorkflowTables>()
      .selectFrom('notification_intent')
      .innerJoin('task', (join) =>
        join
          .onRef('task.id', '=', 'notification_intent.task_id')
          .onRef('task.tenant_id', '=', 'notification_intent.tenant_id'),
      )
      .selectAll('notification_intent')
      .select(['task.alert_id', 'task.subject_id'])
      .where('recipient', '=', user)
      .where('channel', '=', 'in-app')
      .where('cancelled', 'is', null)
      .orderBy('created_at', 'desc')
      .orderBy('notification_intent.id', 'desc')
      .limit(shownAtMost)
      .execute()
    const things = await thingsOfAlerts(
      tx,
      rows.map((row) => row.alert_id),
    )
    const shown: IntentRow[] = []
    for (const row of rows)
      if ((await gate.shown(tx, row.subject_id)).may(things.get(row.alert_id) ?? {})) shown.push(row)
    await markRead(engine, tx, shown)
    const unseen = shown.filter(({ seen_at }) => seen_at === null).length
    return { items: await bodiesOf(tx, shown), unseen }
  })
}

async function markRead(engine: Engine, tx: TenantTx, rows: readonly IntentRow[]): Promise<void> {
  const fresh = rows.filter(({ delivered_at }) => delivered_at === null).map(({ id }) => id)
  if (fresh.length === 0) return
  const columns = { delivered_at: engine.clock.now(), attempts: 1 }
  await tx.tables<WorkflowTables>().updateTable('notification_intent').set(columns).where('id', 'in', fresh).execute()
  tx.afterCommit(() =>
    intentsTotal(engine.watch.metrics).inc({ channel: 'in-app', outcome: 'delivered' }, fresh.length),
  )
}
