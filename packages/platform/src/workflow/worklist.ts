/** The worklist and one task, as people see them: names, sentences, owners. PHI: every showing is audited. */
import {
  dispositions,
  type StaffRef,
  type TaskBody,
  type TaskEventBody,
  type Worklist,
  type WorklistRow,
} from '@careloop/contract'
import { sql } from 'kysely'
import {
  type Alert,
  alertsOf,
  programRef,
  ruleRef,
  type StaffNames,
  shownSentence,
  staffNamesOf,
  staffRef,
  subjectRef,
  thingsOfAlerts,
  worseMeans,
} from '../alerting/index.ts'
import { record } from '../audit/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'
import {
  type By,
  type Gate,
  type NamedSubject,
  purposed,
  type Shown,
  type Subjects,
  seenThrough,
} from '../subjects/index.ts'
import { openOutcome, reopenUntil } from './complete-task.ts'
import { workflowFailure } from './errors.ts'
import { type TaskRow, toMs, type WorkflowTables } from './schema.ts'
import { openEventDetail, readTask, taskNotFound } from './task-rows.ts'

export interface WorklistParts {
  readonly engine: Engine
  readonly subjects: Pick<Subjects, 'names' | 'consents'>
  readonly staff: StaffNames
}

const maxRows = 500

/** Open and claimed tasks: overdue first, then by priority, then by what is due soonest. */
export async function worklist(parts: WorklistParts, by: By): Promise<Worklist> {
  const { engine, subjects } = parts
  const now = engine.clock.now()
  const gate = await subjects.consents.gate(by)
  const { rows, total, alerts, recurrences } = await engine.db.asTenant(by.tenant, async (tx) => {
    const open = await openTasks(tx, now, by.sight)
    const rows = await consented(tx, gate, open.rows)
    // Of what consent holds back it is not counted either that it is there.
    const total = open.total - (open.rows.length - rows.length)
    const alerts = await alertsOf(
      engine,
      tx,
      rows.map((row) => row.alert_id),
    )
    const recurrences = await recurrencesOf(tx, rows)
    await recordShown(tx, by, rows)
    return { rows, total, alerts, recurrences }
  })
  const named = await subjects.names(
    by.tenant,
    rows.map((row) => row.subject_id),
  )
  const staff = await staffNamesOf(parts.staff, by.tenant)
  const shown = rows.flatMap((row) => {
    const alert = alerts.get(row.alert_id)
    const subject = named.get(row.subject_id)
    return alert === undefined || subject === undefined
      ? []
      : [rowBody(row, alert, subject, staff, recurrences.get(row.id) ?? 0, now)]
  })
  return { rows: shown, total, at: now }
}

/** @throws Failure `task-not-found` */
export const taskBody = (parts: WorklistParts, by: By, id: string): Promise<TaskBody> =>
  parts.subjects.consents.guard(by, 'task', (heldBack) => shownTask(parts, by, id, heldBack))

async function shownTask(
  parts: WorklistParts,
  by: By,
  id: string,
  heldBack: (subject: string) => void,
): Promise<TaskBody> {
  const { engine, subjects } = parts
  const gate = await subjects.consents.gate(by)
  const found = await engine.db.asTenantReading(by.tenant, async (tx) => {
    const row = await readTask(tx, id, by.sight)
    if ((await consented(tx, gate, [row])).length === 0) {
      heldBack(row.subject_id)
      throw taskNotFound()
    }
    const alert = (await alertsOf(engine, tx, [row.alert_id])).get(row.alert_id)
    const events = await eventsOf(tx, id)
    await recordShown(tx, by, [row], id)
    return { row, alert, events }
  })
  const { row, alert } = found
  const subject = (await subjects.names(by.tenant, [row.subject_id])).get(row.subject_id)
  if (alert === undefined || subject === undefined)
    throw workflowFailure('task-not-found', 'The subject of this task was erased.', { pointer: '/params/id' })
  const staff = await staffNamesOf(parts.staff, by.tenant)
  const { definition } = alert.rule
  const until = reopenUntil(row, engine.clock.now())
  const recurrences = found.events.filter((event) => event.what === 'recurred').length
  return {
    ...rowBody(row, alert, subject, staff, recurrences, engine.clock.now()),
    ...{ handling: alert.handling, rule: ruleRef(alert.rule.id, alert.rule.version, definition) },
    checklist: [...definition.checklist],
    dispositions: dispositions
      .filter((each) => each.for.includes(subject.kind))
      .map(({ code, label, needsNote }) => ({ code, label, needsNote: needsNote || alert.condition === 'active' })),
    ...(row.claimed_at === null ? {} : { claimedAt: toMs(row.claimed_at) }),
    ...(await ending(engine, by.tenant, row, staff)),
    ...(alert.condition === 'active' && row.status !== 'completed' ? { worseMeans: worseMeans(definition) } : {}),
    ...(until === null ? {} : { reopenUntil: until }),
    events: await eventBodies(engine, by.tenant, found.events, staff),
  }
}

/** Tasks about alerts that consent lets through; a task inherits the label of what raised it. */
async function consented(tx: TenantTx, gate: Gate, rows: readonly TaskRow[]): Promise<TaskRow[]> {
  const shown = new Map<string, Shown>()
  for (const subject of new Set(rows.map((row) => row.subject_id))) shown.set(subject, await gate.shown(tx, subject))
  const doubtful = rows.filter((row) => !shown.get(row.subject_id)!.everything)
  if (doubtful.length === 0) return [...rows]
  const things = await thingsOfAlerts(
    tx,
    doubtful.map((row) => row.alert_id),
  )
  return rows.filter((row) => {
    const { everything, may } = shown.get(row.subject_id)!
    return everything || may(things.get(row.alert_id) ?? {})
  })
}

type EventRow = Awaited<ReturnType<typeof eventsOf>>[number]

async function eventBodies(
  engine: Engine,
  tenant: string,
  rows: readonly EventRow[],
  staff: ReadonlyMap<string, string>,
): Promise<TaskEventBody[]> {
  const bodies: TaskEventBody[] = []
  for (const { what, at, actor, to_staff, taken_from, key_id, detail, task_id } of rows) {
    const said = key_id === null ? {} : openEventDetail(await engine.keys.key(key_id), tenant, task_id, detail!)
    bodies.push({
      ...{ what, at: toMs(at) },
      ...(actor.startsWith('staff:') ? { by: staffRef(staff, actor.slice('staff:'.length)) } : {}),
      ...(to_staff.length === 0 ? {} : { to: to_staff.map((id) => staffRef(staff, id)) }),
      ...(taken_from === null ? {} : { from: staffRef(staff, taken_from) }),
      ...(what === 'handed-off' && said.note !== undefined ? { note: said.note } : {}),
    })
  }
  return bodies
}

function rowBody(
  row: TaskRow,
  alert: Alert,
  subject: NamedSubject,
  staff: ReadonlyMap<string, string>,
  recurrences: number,
  now: number,
): WorklistRow {
  const claimedBy: StaffRef | null = row.claimed_by === null ? null : staffRef(staff, row.claimed_by)
  const { value, unit, measuredAt } = alert.summary
  const snoozedUntil = row.snoozed_until === null ? 0 : toMs(row.snoozed_until)
  return {
    ...{ task: row.id, alert: alert.id, subject: subjectRef(subject) },
    ...{ priority: alert.priority, nature: alert.nature, title: alert.rule.definition.title },
    sentence: shownSentence(alert, subject),
    ...(alert.wrongSubject ? { wrongSubject: true } : {}),
    ...{ handling: alert.handling, recurrences },
    value: { text: value, unit, measuredAt },
    ...{ raisedAt: alert.raisedAt, dueAt: toMs(row.due_at), owner: staffRef(staff, row.owner_id) },
    limitFrom: toMs(row.paged_at ?? row.opened_at),
    ...(claimedBy === null ? {} : { claimedBy }),
    ...{ status: row.status, condition: alert.condition, historic: alert.historic },
    ...(row.backup_id === null ? {} : { backup: staffRef(staff, row.backup_id) }),
    // What came back while it was put off is put off no more.
    ...(snoozedUntil > now && alert.handling === 'acknowledged' ? { snoozedUntil } : {}),
    ...{ program: programRef(alert.program), escalation: row.escalation, version: row.version },
  }
}

async function ending(engine: Engine, tenant: string, row: TaskRow, staff: ReadonlyMap<string, string>) {
  if (row.status !== 'completed') return {}
  const key = await engine.keys.key(row.key_id!)
  const { disposition, note } = openOutcome(key, tenant, row.id, row.outcome!)
  const completedBy = staffRef(staff, row.completed_by!)
  return { disposition, note, completedAt: toMs(row.completed_at!), completedBy }
}

async function openTasks(tx: TenantTx, now: number, sight: By['sight']): Promise<{ rows: TaskRow[]; total: number }> {
  const open = tx
    .tables<WorkflowTables>()
    .selectFrom('task')
    .where('status', '<>', 'completed')
    .where(seenThrough(sight, 'task.subject_id'))
  const rank = sql`case priority when 'high' then 0 when 'medium' then 1 else 2 end`
  const rows = await open
    .selectAll()
    .orderBy(sql`due_at < ${now}`, 'desc')
    .orderBy(rank)
    .orderBy('due_at')
    .orderBy('id')
    .limit(maxRows)
    .execute()
  if (rows.length < maxRows) return { rows, total: rows.length }
  const { total } = await open.select((eb) => eb.fn.countAll<string>().as('total')).executeTakeFirstOrThrow()
  return { rows, total: Number(total) }
}

async function recurrencesOf(tx: TenantTx, rows: readonly TaskRow[]): Promise<ReadonlyMap<string, number>> {
  if (rows.length === 0) return new Map()
  const ids = rows.map((row) => row.id)
  const counted = await tx
    .tables<WorkflowTables>()
    .selectFrom('task_event')
    .select((eb) => ['task_id', eb.fn.countAll<string>().as('times')])
    .where('task_id', 'in', ids)
    .where('what', '=', 'recurred')
    .groupBy('task_id')
    .execute()
  return new Map(counted.map(({ task_id, times }) => [task_id, Number(times)]))
}

const eventsOf = (tx: TenantTx, task: string) =>
  tx.tables<WorkflowTables>().selectFrom('task_event').selectAll().where('task_id', '=', task).orderBy('id').execute()

async function recordShown(tx: TenantTx, by: By, rows: readonly TaskRow[], id?: string): Promise<void> {
  if (rows.length === 0) return
  const subjects = rows.map((row) => row.subject_id)
  const { actor, requestId } = by
  await record(tx, purposed(by.sight, { actor, action: 'read', resource: 'task', id, subjects, requestId }))
}
