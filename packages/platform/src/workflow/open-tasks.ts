/** From alerts to tasks: each open alert has one open task, for the person whom the enrolment names; so has what proved wrong. */
import type { Fact, FactBodies, TaskEventBody } from '@careloop/contract'
import type { Updateable } from 'kysely'
import { type Alert, alertById } from '../alerting/index.ts'
import { type Engine, isPassing, type TenantTx } from '../engine/index.ts'
import type { Subjects } from '../subjects/index.ts'
import { hearConsent } from './caregivers.ts'
import { hearFailure, tellHandOff } from './heard.ts'
import { intend, type Told, toldOf } from './intents.ts'
import { page, pageLater } from './paging.ts'
import type { TaskRow, WorkflowTables } from './schema.ts'
import { showOpenTasks } from './task-sight.ts'
import { isAmong, noteRepeats, unseenRepeats } from './unseen-repeats.ts'
import type { Ways } from './ways.ts'
import { setAside } from './workflow-metrics.ts'

export const cursorName = 'workflow'
const batch = 200
/** Facts that open or change tasks. */
export const aboutAlerts = ['AlertRaised', 'AlertRecurred', 'AlertEvidenceChanged'] as const
export const followed = [
  'AlertRaised',
  'AlertRecurred',
  'AlertEvidenceChanged',
  'TaskHandedOff',
  'DeliveryFailed',
  'ConsentChanged',
  'SubjectChanged',
  'EnrolmentChanged',
  'CareTeamChanged',
] as const

export interface TakingFacts {
  readonly subjects: Pick<Subjects, 'enrolmentsOf'>
  readonly ways: Ways
}
/** Time to review what was found late, at least, ms: nobody is paged, and a day's round finds it. */
const reviewLimitMs = 24 * 3_600_000
const actor = 'system:workflow'

/**
 * Takes in the next facts. A fact that no task can be made of is set aside, loudly: it must not keep all that come after it
 * from becoming tasks.
 * @returns false when there were none
 */
export async function takeFacts(engine: Engine, taking: TakingFacts): Promise<boolean> {
  const from = await engine.db.cursor(cursorName)
  const facts = await engine.db.readFacts(from, batch)
  if (facts.length === 0) return false
  try {
    await take(engine, taking, from, facts)
  } catch (error) {
    if (isPassing(error)) throw error
    await takeOneByOne(engine, taking, from, facts)
  }
  return true
}

async function takeOneByOne(engine: Engine, taking: TakingFacts, from: string, facts: readonly Fact[]): Promise<void> {
  let at = from
  for (const fact of facts) {
    try {
      await take(engine, taking, at, [fact])
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

/** Where workflow stands, and whether there are facts beyond: a stage that stands still while more waits is in trouble. */
export async function workflowProgress(engine: Engine): Promise<{ readonly at: string; readonly isBehind: boolean }> {
  const at = await engine.db.cursor(cursorName)
  return { at, isBehind: (await engine.db.readFacts(at, 1)).length > 0 }
}

async function take(
  engine: Engine,
  { subjects, ways }: TakingFacts,
  from: string,
  facts: readonly Fact[],
): Promise<void> {
  const repeats = await unseenRepeats(engine, facts)
  const heard = facts.filter((fact) => followed.some((type) => type === fact.type) && !isAmong(repeats, fact))
  // Asked for before the transaction: one that waits for a second connection may wait for itself.
  const owners = await Promise.all(
    heard.map((fact) => (isAboutAlert(fact) ? ownersOf(engine, subjects, fact.tenant, alertOf(fact)) : null)),
  )
  const tenants = [...new Set(heard.map(({ tenant }) => tenant))]
  const told = new Map(
    await Promise.all(tenants.map(async (each) => [each, await toldOf(engine, ways, each)] as const)),
  )
  const head = heard.some(isCatchingUp) ? await engine.log.head(0) : 0
  await engine.db.asEngine(async (tx) => {
    await engine.db.moveCursor(tx, cursorName, from, facts.at(-1)!.position)
    for (const [tenant, ofTenant] of repeats) await tx.asTenant(tenant, (inner) => noteRepeats(engine, inner, ofTenant))
    for (const [index, fact] of heard.entries()) {
      const owner = owners[index] ?? null
      await tx.asTenant(fact.tenant, (tenantTx) => follow(told.get(fact.tenant)!, tenantTx, { fact, owner, head }))
    }
  })
}

const isAboutAlert = (fact: Fact): boolean => aboutAlerts.some((type) => type === fact.type)
const isCatchingUp = (fact: Fact): boolean => (fact.body as { catchingUp?: boolean }).catchingUp === true

interface Heard {
  readonly fact: Fact
  /** Null when the subject was erased, or the fact is about no alert. */
  readonly owner: Owned | null
  /** Of the log, from which the evaluator has caught up; 0 when no fact needs it. */
  readonly head: number
}

async function follow(told: Told, tx: TenantTx, { fact, owner, head }: Heard): Promise<void> {
  if (fact.type === 'TaskHandedOff') return tellHandOff(told, tx, fact.body as FactBodies['TaskHandedOff'])
  if (fact.type === 'DeliveryFailed') return hearFailure(told, tx, fact.body as FactBodies['DeliveryFailed'])
  if (fact.type === 'ConsentChanged') return hearConsent(told, tx, fact.body as FactBodies['ConsentChanged'])
  if (fact.type === 'SubjectChanged' || fact.type === 'EnrolmentChanged')
    return showOpenTasks(told.engine, tx, fact.body as FactBodies['SubjectChanged'])
  if (fact.type === 'CareTeamChanged') return showOpenTasks(told.engine, tx, fact.body as FactBodies['CareTeamChanged'])
  if (owner === null) return
  if (fact.type === 'AlertEvidenceChanged') return tellOfEvidence(told, tx, owner)
  await openOrRenew(told, tx, owner, isCatchingUp(fact) ? head : null)
}

interface Owned {
  readonly alert: Alert
  readonly owner: string
  readonly backup: string | null
}

const alertOf = (fact: Fact): string => (fact.body as FactBodies[(typeof aboutAlerts)[number]]).alert

/** Who answers for the alert; null when its subject was erased meanwhile. */
export async function ownersOf(
  engine: Engine,
  subjects: Pick<Subjects, 'enrolmentsOf'>,
  tenant: string,
  id: string,
): Promise<Owned | null> {
  const alert = await engine.db
    .asTenant(tenant, (tx) => alertById(engine, tx, id))
    .catch((error) => {
      // Alerts are never deleted, so the only reason is that its words cannot be opened any more.
      if ((error as { code?: string }).code === 'alert-not-found') return null
      throw error
    })
  if (alert === null) return null
  const enrolments = await subjects.enrolmentsOf(tenant, alert.subject)
  const enrolment = enrolments.find((each) => each.id === alert.enrolment)
  if (enrolment === undefined) throw new Error('an alert names an enrolment that does not exist')
  return { alert, owner: enrolment.owner, backup: enrolment.backup }
}

/**
 * A condition that came back concerns the task that is open; if it was found late only, the clock starts now.
 * @param settling head of the log that the evaluator must reach before anybody is paged; null = it has caught up
 */
export async function openOrRenew(told: Told, tx: TenantTx, owned: Owned, settling: number | null): Promise<void> {
  const { engine } = told
  const { alert } = owned
  // Closed before anybody could be told: there is nothing to do.
  if (alert.handling === 'closed') return
  const open = await lockOpenTask(tx, alert.id)
  if (open === undefined) {
    const opened = await openTask(engine, tx, owned, alert.historic, settling !== null)
    return tellFirst(told, tx, alert, { ...opened, why: 'raised' }, settling)
  }
  const now = engine.clock.now()
  const isUrgentNow = open.review && !alert.historic
  const due = isUrgentNow ? { due_at: now + alert.rule.definition.limitMs, review: false, paged_at: null } : {}
  // It was told in the pages only, and went no further than to the backup: what is told aloud begins its steps anew.
  const aloud = alert.historic || !open.quiet ? {} : { quiet: false, escalation: 0 }
  // The rule may have been changed since the task was opened: its urgency is that of now.
  const renewed = await note(tx, open, 'recurred', now, { ...due, ...aloud, priority: alert.priority })
  // What is found late again concerns who reviews it, who has it in their list.
  if (!alert.historic) await tellFirst(told, tx, alert, { ...renewed, why: 'recurred' }, settling)
}

interface Transition {
  readonly task: TaskRow
  readonly event: string
  readonly why: 'raised' | 'recurred'
}

async function tellFirst(
  told: Told,
  tx: TenantTx,
  alert: Alert,
  { task, event, why }: Transition,
  head: number | null,
) {
  if (head !== null && !task.quiet) return pageLater(told.engine, tx, { task: task.id, event, head })
  await page(told, tx, { task, alert, event, why, wantedAt: told.engine.clock.now() })
}

/**
 * Readings of the alert proved to be somebody else's, or its own after all. Whoever has the task sees it there; when it was
 * completed, what was done may have been done to the wrong person: its owner gets a task to review that.
 */
async function tellOfEvidence(told: Told, tx: TenantTx, owned: Owned): Promise<void> {
  const { engine } = told
  const { alert } = owned
  const now = engine.clock.now()
  const open = await lockOpenTask(tx, alert.id)
  if (open !== undefined) {
    const { task, event } = await note(tx, open, 'evidence-changed', now)
    await intend(told, tx, {
      ...{
        task: { ...task, quiet: true },
        title: alert.rule.definition.title,
        event,
        why: 'evidence-changed',
        step: 0,
      },
      ...{ recipients: [task.claimed_by ?? task.owner_id], wantedAt: now },
    })
    return
  }
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
  const opened = await openTask(engine, tx, owned, true, false)
  await page(told, tx, { ...opened, alert, why: 'evidence-changed', wantedAt: now })
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
): Promise<{ readonly task: TaskRow; readonly event: string }> {
  const tables = tx.tables<WorkflowTables>()
  const changed = await tables
    .updateTable('task')
    .set({ ...columns, version: task.version + 1 })
    .where('id', '=', task.id)
    .returningAll()
    .executeTakeFirstOrThrow()
  const event = await eventOf(tx, task.id, what, at)
  await tx.publish({ type: 'TaskChanged', task: task.id, subject: task.subject_id, status: task.status })
  return { task: changed, event }
}

async function eventOf(tx: TenantTx, task: string, what: TaskEventBody['what'], at: number): Promise<string> {
  const values = { task_id: task, what, at, actor }
  const made = await tx
    .tables<WorkflowTables>()
    .insertInto('task_event')
    .values(values)
    .returning('id')
    .executeTakeFirstOrThrow()
  return made.id
}

/** @param waits nobody is told yet: its time limit begins with the first page */
async function openTask(
  engine: Engine,
  tx: TenantTx,
  { alert, owner, backup }: Owned,
  review: boolean,
  waits: boolean,
): Promise<{ readonly task: TaskRow; readonly event: string }> {
  const now = engine.clock.now()
  const id = engine.ids.uuid()
  const limitMs = alert.rule.definition.limitMs
  const task = await tx
    .tables<WorkflowTables>()
    .insertInto('task')
    .values({
      ...{ id, alert_id: alert.id, subject_id: alert.subject, enrolment_id: alert.enrolment },
      ...{ owner_id: owner, backup_id: backup, status: 'open', priority: alert.priority, review, quiet: review },
      ...{ opened_at: now, due_at: now + (review ? Math.max(limitMs, reviewLimitMs) : limitMs) },
      ...{ claimed_by: null, claimed_at: null, completed_by: null, completed_at: null },
      ...{ version: 1, key_id: null, outcome: null, paged_at: waits && !review ? null : now },
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  const event = await eventOf(tx, id, 'opened', now)
  await tx.publish({ type: 'TaskOpened', task: id, subject: alert.subject })
  return { task, event }
}
