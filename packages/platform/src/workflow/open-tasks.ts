/** From alerts to tasks: each open alert has one open task, for the person whom the enrolment names. */
import type { Fact, FactBodies } from '@careloop/contract'
import { type Alert, alertById } from '../alerting/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'
import type { Subjects } from '../subjects/index.ts'
import type { WorkflowTables } from './schema.ts'

export const cursorName = 'workflow'
const batch = 200
/** Time to review what was found late, at least, ms: nobody is paged, and a day's round finds it. */
const reviewLimitMs = 24 * 3_600_000
const actor = 'system:workflow'

/** Takes in the next facts. @returns false when there were none */
export async function takeFacts(engine: Engine, subjects: Pick<Subjects, 'enrolmentsOf'>): Promise<boolean> {
  const from = await engine.db.cursor(cursorName)
  const facts = await engine.db.readFacts(from, batch)
  const newest = facts.at(-1)
  if (newest === undefined) return false
  const raised = facts.filter((fact) => fact.type === 'AlertRaised' || fact.type === 'AlertRecurred')
  const owners = await Promise.all(raised.map((fact) => ownersOf(engine, subjects, fact)))
  await engine.db.asEngine(async (tx) => {
    await engine.db.moveCursor(tx, cursorName, from, newest.position)
    for (const [index, fact] of raised.entries()) {
      const owner = owners[index]
      if (owner) await tx.asTenant(fact.tenant, (tenantTx) => openOrRenew(engine, tenantTx, owner))
    }
  })
  return true
}

interface Owned {
  readonly alert: Alert
  readonly owner: string
  readonly backup: string | null
}

/** Who answers for the alert; null when its subject was erased meanwhile. */
async function ownersOf(engine: Engine, subjects: Pick<Subjects, 'enrolmentsOf'>, fact: Fact): Promise<Owned | null> {
  const { alert: id } = fact.body as FactBodies['AlertRaised' | 'AlertRecurred']
  const alert = await engine.db
    .asTenant(fact.tenant, (tx) => alertById(engine, tx, id))
    .catch((error) => {
      // Alerts are never deleted, so the only reason is that its words cannot be opened any more.
      if ((error as { code?: string }).code === 'alert-not-found') return null
      throw error
    })
  if (alert === null) return null
  const enrolments = await subjects.enrolmentsOf(fact.tenant, alert.subject)
  const enrolment = enrolments.find((each) => each.id === alert.enrolment)
  if (enrolment === undefined) throw new Error('an alert names an enrolment that does not exist')
  return { alert, owner: enrolment.owner, backup: enrolment.backup }
}

/** A condition that came back concerns the task that is open; if it was found late only, the clock starts now. */
async function openOrRenew(engine: Engine, tx: TenantTx, owned: Owned): Promise<void> {
  const { alert } = owned
  // Closed before anybody could be told: there is nothing to do.
  if (alert.handling === 'closed') return
  const tables = tx.tables<WorkflowTables>()
  const open = await tables
    .selectFrom('task')
    .selectAll()
    .where('alert_id', '=', alert.id)
    .where('status', '<>', 'completed')
    .forUpdate()
    .executeTakeFirst()
  if (open === undefined) return openTask(engine, tx, owned)
  const now = engine.clock.now()
  const due = open.review && !alert.historic ? { due_at: now + alert.rule.definition.limitMs, review: false } : {}
  await tables
    .updateTable('task')
    .set({ ...due, version: open.version + 1 })
    .where('id', '=', open.id)
    .execute()
  await tables.insertInto('task_event').values({ task_id: open.id, what: 'recurred', at: now, actor }).execute()
  await tx.publish({ type: 'TaskChanged', task: open.id, subject: alert.subject, status: open.status })
}

async function openTask(engine: Engine, tx: TenantTx, { alert, owner, backup }: Owned): Promise<void> {
  const tables = tx.tables<WorkflowTables>()
  const now = engine.clock.now()
  const id = engine.ids.uuid()
  const limitMs = alert.rule.definition.limitMs
  await tables
    .insertInto('task')
    .values({
      ...{ id, alert_id: alert.id, subject_id: alert.subject, enrolment_id: alert.enrolment },
      ...{ owner_id: owner, backup_id: backup, status: 'open', priority: alert.priority, review: alert.historic },
      ...{ opened_at: now, due_at: now + (alert.historic ? Math.max(limitMs, reviewLimitMs) : limitMs) },
      ...{ claimed_by: null, claimed_at: null, completed_by: null, completed_at: null },
      ...{ version: 1, key_id: null, outcome: null },
    })
    .execute()
  await tables.insertInto('task_event').values({ task_id: id, what: 'opened', at: now, actor }).execute()
  await tx.publish({ type: 'TaskOpened', task: id, subject: alert.subject })
}
