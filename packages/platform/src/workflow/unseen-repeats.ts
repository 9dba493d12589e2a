/**
 * A condition that flickers while its page still waits to be seen is no news: it is written down and pages nobody again. Once
 * somebody has looked, or nobody was told for as long as the task may take, a recurrence is told like the first time.
 */
import type { Fact } from '@careloop/contract'
import type { Engine, TenantTx } from '../engine/index.ts'
import { workflowFailure } from './errors.ts'

/** How often each alert came back, by alert. */
export type Repeats = ReadonlyMap<string, number>

const isUnseenRepeat = (fact: Fact): fact is Fact<'AlertRecurred'> =>
  fact.type === 'AlertRecurred' && !(fact as Fact<'AlertRecurred'>).body.wasSeen

// A page counts that was told or will be: one that was called off told nobody. One of another urgency told something else.
const stillWaits = `
  from unnest($1::uuid[], $2::int[]) as r(alert, times)
  join tenant.task t on t.alert_id = r.alert and t.status <> 'completed'
  join tenant.alert a on a.tenant_id = t.tenant_id and a.id = t.alert_id and a.priority = t.priority
 where not t.review and not t.quiet and t.snoozed_until is null and t.paged_at is not null
   and exists (select from tenant.notification_intent i
                where i.tenant_id = t.tenant_id and i.task_id = t.id and i.cancelled is null
                  and i.created_at > $3::bigint - (t.due_at - t.paged_at))`

/** Those of the facts that only repeat what waits to be seen, by tenant. Nothing is locked: `noteRepeats` asks again. */
export async function unseenRepeats(engine: Engine, facts: readonly Fact[]): Promise<ReadonlyMap<string, Repeats>> {
  const found = new Map<string, Repeats>()
  for (const [tenant, ofTenant] of Map.groupBy(facts.filter(isUnseenRepeat), (fact) => fact.tenant)) {
    const times = new Map<string, number>()
    for (const { body } of ofTenant) times.set(body.alert, (times.get(body.alert) ?? 0) + 1)
    const { rows } = await engine.db.asTenant(tenant, (tx) =>
      tx.client.query<{ alert: string }>(`select r.alert ${stillWaits}`, parameters(times, engine.clock.now())),
    )
    found.set(tenant, new Map(rows.map(({ alert }) => [alert, times.get(alert)!])))
  }
  return found
}

/** Whether a fact is one of those. */
export const isAmong = (found: ReadonlyMap<string, Repeats>, fact: Fact): boolean =>
  isUnseenRepeat(fact) && (found.get(fact.tenant)?.has(fact.body.alert) ?? false)

/** @throws Failure `tasks-moved` when a task was handled meanwhile: the facts are then taken anew */
export async function noteRepeats(engine: Engine, tx: TenantTx, repeats: Repeats): Promise<void> {
  if (repeats.size === 0) return
  const now = engine.clock.now()
  const { rows } = await tx.client.query<{ id: string; subject_id: string; status: string }>(
    `with waiting as (select t.tenant_id, t.id, r.times ${stillWaits} for update of t),
          noted as (update tenant.task t set version = t.version + w.times from waiting w
                     where t.tenant_id = w.tenant_id and t.id = w.id
                    returning t.id, t.subject_id, t.status, w.times),
          events as (insert into tenant.task_event (task_id, what, at, actor)
                     select n.id, 'recurred', $3, 'system:workflow' from noted n, generate_series(1, n.times))
     select id, subject_id, status from noted`,
    parameters(repeats, now),
  )
  if (rows.length !== repeats.size)
    throw workflowFailure('tasks-moved', 'Tasks were handled while their alerts came back. Taken anew.')
  for (const { id, subject_id: subject, status } of rows)
    await tx.publish({ type: 'TaskChanged', task: id, subject, status })
}

const parameters = (times: Repeats, now: number): unknown[] => [[...times.keys()], [...times.values()], now]
