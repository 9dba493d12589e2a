/** From alerts to tasks: each open alert has one open task, for the person whom the enrolment names; so has what proved wrong. */
import { type Fact, type FactBodies, Failure } from '@careloop/contract'
import type { Updateable } from 'kysely'
import { type Alert, alertById } from '../alerting/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'
import type { Subjects } from '../subjects/index.ts'
import type { TaskRow, WorkflowTables } from './schema.ts'
import { setAside } from './workflow-metrics.ts'

export const cursorName = 'workflow'
const batch = 200
/** Facts that open or change tasks. */
export const followed = ['AlertRaised', 'AlertRecurred', 'AlertEvidenceChanged'] as const
/** Time to review what was found late, at least, ms: nobody is paged, and a day's round finds it. */
const reviewLimitMs = 24 * 3_600_000
const actor = 'system:workflow'

/**
 * Takes in the next facts. A fact that no task can be made of is set aside, loudly: it must not keep all that come after it
 * from becoming tasks.
 * @returns false when there were none
 */
export async function takeFacts(engine: Engine, subjects: Pick<Subjects, 'enrolmentsOf'>): Promise<boolean> {
  const from = await engine.db.cursor(cursorName)
  const facts = await engine.db.readFacts(from, batch)
  if (facts.length === 0) return false
  try {
    await take(engine, subjects, from, facts)
  } catch (error) {
    if (isPassing(error)) throw error
    await takeOneByOne(engine, subjects, from, facts)
  }
  return true
}

async function takeOneByOne(
  engine: Engine,
  subjects: Pick<Subjects, 'enrolmentsOf'>,
  from: string,
  facts: readonly Fact[],
): Promise<void> {
  let at = from
  for (const fact of facts) {
    try {
      await take(engine, subjects, at, [fact])
    } catch (err) {
      if (isPassing(err)) throw err
      await engine.db.asEngine((tx) => engine.db.moveCursor(tx, cursorName, at, fact.position))
      setAside(engine.watch.metrics).inc({ type: fact.type })
      const { tenant, type, position } = fact
      engine.watch.log.error(
        { err, tenant, type, position, alert: (fact.body as { alert?: string }).alert },
        'no task could be made of this alert: it was set aside, look at the alert itself',
      )
    }
    at = fact.position
  }
}

/** Trouble of the database, of its connection or of who may work: the same fact may pass on the next try. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof Failure) return error.kind.disposition === 'retry'
  const { code } = error as Error & { code?: unknown }
  if (code === undefined) return /connection|timeout|terminat|not queryable/i.test(error.message)
  return /^(08|25006|40|53|55|57|58|E[A-Z]+$)/.test(String(code))
}

/** Where workflow stands, and whether there are facts beyond: a stage that stands still while more waits is in trouble. */
export async function workflowProgress(engine: Engine): Promise<{ readonly at: string; readonly isBehind: boolean }> {
  const at = await engine.db.cursor(cursorName)
  return { at, isBehind: (await engine.db.readFacts(at, 1)).length > 0 }
}

async function take(
  engine: Engine,
  subjects: Pick<Subjects, 'enrolmentsOf'>,
  from: string,
  facts: readonly Fact[],
): Promise<void> {
  const raised = facts.filter((fact) => followed.some((type) => type === fact.type))
  const owners = await Promise.all(raised.map((fact) => ownersOf(engine, subjects, fact)))
  await engine.db.asEngine(async (tx) => {
    await engine.db.moveCursor(tx, cursorName, from, facts.at(-1)!.position)
    for (const [index, fact] of raised.entries()) {
      const owner = owners[index]
      if (!owner) continue
      const follow = fact.type === 'AlertEvidenceChanged' ? tellOfEvidence : openOrRenew
      await tx.asTenant(fact.tenant, (tenantTx) => follow(engine, tenantTx, owner))
    }
  })
}

interface Owned {
  readonly alert: Alert
  readonly owner: string
  readonly backup: string | null
}

/** Who answers for the alert; null when its subject was erased meanwhile. */
async function ownersOf(engine: Engine, subjects: Pick<Subjects, 'enrolmentsOf'>, fact: Fact): Promise<Owned | null> {
  const { alert: id } = fact.body as FactBodies[(typeof followed)[number]]
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
  const open = await lockOpenTask(tx, alert.id)
  if (open === undefined) return openTask(engine, tx, owned, alert.historic)
  const now = engine.clock.now()
  const due = open.review && !alert.historic ? { due_at: now + alert.rule.definition.limitMs, review: false } : {}
  await note(tx, open, 'recurred', now, due)
}

/**
 * Readings of the alert proved to be somebody else's, or its own after all. Whoever has the task sees it there; when it was
 * completed, what was done may have been done to the wrong person: its owner gets a task to review that.
 */
async function tellOfEvidence(engine: Engine, tx: TenantTx, owned: Owned): Promise<void> {
  const { alert } = owned
  const now = engine.clock.now()
  const open = await lockOpenTask(tx, alert.id)
  if (open !== undefined) return note(tx, open, 'evidence-changed', now)
  const done = await tx
    .tables<WorkflowTables>()
    .selectFrom('task')
    .selectAll()
    .where('alert_id', '=', alert.id)
    .orderBy('completed_at', 'desc')
    .limit(1)
    .forUpdate()
    .executeTakeFirst()
  if (done === undefined) return
  await note(tx, done, 'evidence-changed', now)
  await openTask(engine, tx, owned, true)
}

const lockOpenTask = (tx: TenantTx, alert: string): Promise<TaskRow | undefined> =>
  tx
    .tables<WorkflowTables>()
    .selectFrom('task')
    .selectAll()
    .where('alert_id', '=', alert)
    .where('status', '<>', 'completed')
    .forUpdate()
    .executeTakeFirst()

async function note(
  tx: TenantTx,
  task: TaskRow,
  what: 'recurred' | 'evidence-changed',
  at: number,
  columns: Updateable<WorkflowTables['task']> = {},
): Promise<void> {
  const tables = tx.tables<WorkflowTables>()
  await tables
    .updateTable('task')
    .set({ ...columns, version: task.version + 1 })
    .where('id', '=', task.id)
    .execute()
  await tables.insertInto('task_event').values({ task_id: task.id, what, at, actor }).execute()
  await tx.publish({ type: 'TaskChanged', task: task.id, subject: task.subject_id, status: task.status })
}

async function openTask(engine: Engine, tx: TenantTx, { alert, owner, backup }: Owned, review: boolean): Promise<void> {
  const tables = tx.tables<WorkflowTables>()
  const now = engine.clock.now()
  const id = engine.ids.uuid()
  const limitMs = alert.rule.definition.limitMs
  await tables
    .insertInto('task')
    .values({
      ...{ id, alert_id: alert.id, subject_id: alert.subject, enrolment_id: alert.enrolment },
      ...{ owner_id: owner, backup_id: backup, status: 'open', priority: alert.priority, review },
      ...{ opened_at: now, due_at: now + (review ? Math.max(limitMs, reviewLimitMs) : limitMs) },
      ...{ claimed_by: null, claimed_at: null, completed_by: null, completed_at: null },
      ...{ version: 1, key_id: null, outcome: null },
    })
    .execute()
  await tables.insertInto('task_event').values({ task_id: id, what: 'opened', at: now, actor }).execute()
  await tx.publish({ type: 'TaskOpened', task: id, subject: alert.subject })
}
