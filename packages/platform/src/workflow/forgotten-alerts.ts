/**
 * Alerts that stand open and that nobody has as a task: the fact that tells of them was set aside. Looked for by the alerts themselves,
 * so that whatever went wrong a person is told: whom the enrolment names, else anybody of the role that owns the rule.
 */
import { type Alert, alertsOf } from '../alerting/index.ts'
import { type Engine, isPassing } from '../engine/index.ts'
import { toldOf } from './intents.ts'
import { aboutAlerts, openOrRenew, ownersOf, type TakingFacts, workflowProgress } from './open-tasks.ts'
import { lateTasks } from './workflow-metrics.ts'

/** An alert becomes a task within a second; one that is so old and has none is forgotten, ms. */
export const forgottenAfterMs = 5 * 60_000
const atATime = 100

/** @returns how many tasks were opened; none while facts wait, of which tasks become by themselves */
export async function openForgotten(engine: Engine, taking: TakingFacts): Promise<number> {
  if ((await workflowProgress(engine)).isBehind) return 0
  let opened = 0
  for (const tenant of await engine.db.tenants()) {
    let after = '00000000-0000-0000-0000-000000000000'
    for (let more = true; more; ) {
      const ids = await forgottenAfter(engine, tenant, after)
      for (const id of ids) if (await openLate(engine, taking, tenant, id)) opened += 1
      after = ids.at(-1) ?? after
      more = ids.length === atATime
    }
  }
  return opened
}

/** By the indexes of open alerts and of open tasks: there are few of either, however long the history. */
const forgottenAfter = (engine: Engine, tenant: string, after: string): Promise<string[]> =>
  engine.db.asTenant(tenant, async (tx) => {
    const { rows } = await tx.client.query<{ id: string }>(
      `select a.id from tenant.alert a
        where a.tenant_id = $1 and a.handling <> 'closed' and a.recorded_at < $2 and a.id > $3
          and not exists (select from tenant.task t
                           where t.tenant_id = a.tenant_id and t.alert_id = a.id and t.status <> 'completed')
        order by a.id limit ${atATime}`,
      [tenant, engine.clock.now() - forgottenAfterMs, after],
    )
    return rows.map(({ id }) => id)
  })

async function openLate(engine: Engine, taking: TakingFacts, tenant: string, id: string): Promise<boolean> {
  try {
    if (await isPending(engine, id)) return false
    const answering = await whoAnswers(engine, taking, tenant, id)
    if (answering === null) return false
    const told = await toldOf(engine, taking.ways, tenant)
    const isOpened = await engine.db.asTenant(tenant, async (tx) => {
      const alert = (await alertsOf(engine, tx, [id])).get(id)
      // Closed, or its subject erased, since it was looked for.
      if (alert === undefined || alert.handling === 'closed') return false
      await openOrRenew(told, tx, { ...answering, alert }, null)
      return true
    })
    if (!isOpened) return false
    lateTasks(engine.watch.metrics).inc()
    engine.watch.log.error({ tenant, alert: id }, 'an alert had no task: it has one now, late')
    return true
  } catch (err) {
    if (isPassing(err)) throw err
    engine.watch.log.error(
      { err, tenant, alert: id },
      'an alert has no task, and none can be opened: look at it yourself',
    )
    return false
  }
}

/** Whether a fact about it was written and cannot be read yet, behind a transaction that still runs. */
async function isPending(engine: Engine, alert: string): Promise<boolean> {
  const [xid, id] = (await workflowProgress(engine)).at.split(':')
  const { rows } = await engine.db.pool.query(
    `select from engine.fact f
      where (f.xid, f.id) > ($1::text::xid8, $2::bigint) and f.type = any($3) and f.body->>'alert' = $4 limit 1`,
    [xid || '0', id ?? '0', aboutAlerts, alert],
  )
  return rows.length > 0
}

interface Answering {
  readonly owner: string
  readonly backup: string | null
}

async function whoAnswers(
  engine: Engine,
  { subjects, ways }: TakingFacts,
  tenant: string,
  id: string,
): Promise<Answering | null> {
  try {
    return await ownersOf(engine, subjects, tenant, id)
  } catch (err) {
    if (isPassing(err)) throw err
    engine.watch.log.error({ err, tenant, alert: id }, 'who answers for an alert cannot be found: its role is asked')
  }
  const alert = await engine.db.asTenant(tenant, async (tx) => (await alertsOf(engine, tx, [id])).get(id))
  if (alert === undefined) return null
  return anybodyFor(alert, await ways.staff(tenant))
}

/** @throws when nobody works here */
function anybodyFor(
  { rule: { definition } }: Alert,
  staff: Awaited<ReturnType<TakingFacts['ways']['staff']>>,
): Answering {
  const working = staff.filter(({ endedAt }) => endedAt === null)
  const owner = working.find(({ roles }) => roles.includes(definition.owner)) ?? working[0]
  if (owner === undefined) throw new Error('nobody works here who could be told')
  const backup = working.find(({ id, roles }) => id !== owner.id && roles.includes(definition.owner))
  return { owner: owner.id, backup: backup?.id ?? null }
}
