/** How a task ends: with what was done, sealed; and how whoever ended it takes that back within a minute. */
import { type CompleteTask, type DispositionCode, dispositions, type SubjectKind } from '@careloop/contract'
import { closeAlert, conditionOf, reopenAlert } from '../alerting/index.ts'
import type { DataKey, Engine, TenantTx } from '../engine/index.ts'
import { workflowFailure } from './errors.ts'
import { planNext } from './escalation.ts'
import { type TaskRow, toMs, type WorkflowTables } from './schema.ts'
import {
  type Act,
  type Acting,
  assertSeen,
  change,
  lockAnyTask,
  lockTask,
  readTask,
  sealEventDetail,
  takenFrom,
  tell,
} from './task-rows.ts'
import { hideTask, showTask } from './task-sight.ts'

/** What is kept, sealed, of how a task ended. */
export interface TaskOutcome {
  readonly disposition: DispositionCode
  readonly note: string
  readonly checked: readonly number[]
}

/**
 * Ends a task with what was done, and closes its alert.
 * @throws Failure `task-not-found`, `task-completed`, `task-moved`, `disposition-unfit`, `note-needed`, `rearm-invalid`
 */
export async function completeTask(
  engine: Engine,
  acting: Acting,
  id: string,
  kindOf: (subject: string) => Promise<SubjectKind>,
  wanted: CompleteTask,
): Promise<Act> {
  const seen = await engine.db.asTenant(acting.tenant, (tx) => readTask(tx, id, acting.sight))
  assertFits(wanted, await kindOf(seen.subject_id))
  const key = await engine.keys.keyFor('subject', seen.subject_id)
  return engine.db.asTenant(acting.tenant, async (tx) => {
    const task = await lockTask(tx, id, acting.sight)
    const taken = takenFrom(task, acting)
    if (taken !== null) return taken
    assertSeen(task, wanted.version, '/body/version')
    const { condition, cameBackAt } = await conditionOf(tx, task.alert_id)
    if (cameBackAt !== null && cameBackAt > (await shownUntil(tx, id)))
      throw workflowFailure('task-moved', 'Its condition came back just now. Look again, acknowledge that, then act.', {
        pointer: '/body/version',
      })
    if (wanted.note.trim() === '' && condition === 'active')
      throw workflowFailure(
        'note-needed',
        'The condition still stands. Say in the note why it may be closed now: it is not told again before what you chose to wait for.',
        { pointer: '/body/note' },
      )
    const now = engine.clock.now()
    await change(tx, task, {
      ...{ status: 'completed', snoozed_until: null },
      ...(task.claimed_by === null ? { claimed_by: acting.staff, claimed_at: now } : {}),
      ...{ completed_by: acting.staff, completed_at: now },
      ...{ key_id: key.id, outcome: sealOutcome(key, acting.tenant, id, wanted) },
    })
    await closeAlert(engine, tx, task.alert_id, `staff:${acting.staff}`, wanted.rearm)
    await tell(tx, acting, task, { what: 'completed', at: now, status: 'completed' })
    await hideTask(tx, id, now + undoMs, `staff:${acting.staff}`)
    return { done: true }
  })
}

/** What a person who reads the task can know of its condition: a recurrence after that would be closed unseen, and told to nobody. */
async function shownUntil(tx: TenantTx, task: string): Promise<number> {
  const newest = await tx
    .tables<WorkflowTables>()
    .selectFrom('task_event')
    .select('at')
    .where('task_id', '=', task)
    .where('what', 'in', ['opened', 'recurred', 'claimed', 'acknowledged'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  return toMs(newest.at)
}

// ---------------------------------------------------------------- taking it back

/** A slip is noticed at once; after that what was recorded stands, and a new alert is a new task. */
const undoMs = 60_000

/** Until when whoever completed a task may take that back; null when they no longer can. */
export function reopenUntil(task: TaskRow, now: number): number | null {
  if (task.status !== 'completed') return null
  const until = toMs(task.completed_at!) + undoMs
  return until > now ? until : null
}

/**
 * Takes a completion back: the task is theirs again, its alert open and acknowledged. What had been recorded is kept, sealed, with
 * the event.
 * @throws Failure `task-not-found`, `task-moved`, `reopen-refused`, `alert-superseded`
 */
export async function reopenTask(engine: Engine, acting: Acting, id: string, seen?: number): Promise<Act> {
  const known = await engine.db.asTenant(acting.tenant, (tx) => readTask(tx, id, acting.sight))
  // Asked for before the transaction, which must not wait for another connection.
  const key = known.key_id === null ? null : await engine.keys.key(known.key_id)
  return engine.db.asTenant(acting.tenant, async (tx) => {
    const task = await lockAnyTask(tx, id, acting.sight)
    const now = engine.clock.now()
    await assertReopens(tx, task, acting, now)
    assertSeen(task, seen, '/query/version')
    if (key === null || key.id !== task.key_id) throw refused('It changed while you asked. Try again.')
    const outcome = openOutcome(key, acting.tenant, id, task.outcome!)
    const ended = { completed_by: null, completed_at: null, key_id: null, outcome: null }
    await change(tx, task, { status: 'claimed', ...ended })
    await reopenAlert(engine, tx, task.alert_id, `staff:${acting.staff}`)
    const detail = { key, sealed: sealEventDetail(key, acting.tenant, id, { outcome }) }
    await tell(tx, acting, task, { what: 'reopened', at: now, status: 'claimed', detail })
    const actor = `staff:${acting.staff}`
    await showTask(engine, tx, task, [task.owner_id, ...(task.backup_id === null ? [] : [task.backup_id])], { actor })
    await showTask(engine, tx, task, [acting.staff], { actor, how: 'taken' })
    // A timer that came due while it was completed did nothing and is gone: as it was planned, so it is again.
    await planNext(engine, tx, { ...task, ...ended, status: 'claimed' }, await lastToldAt(tx, task))
    return { done: true }
  })
}

async function assertReopens(tx: TenantTx, task: TaskRow, acting: Acting, now: number): Promise<void> {
  if (task.status !== 'completed') throw refused('This task is not completed: there is nothing to take back.')
  if (task.completed_by !== acting.staff)
    throw refused('A colleague completed this task. Only they can take that back.')
  if (reopenUntil(task, now) === null)
    throw refused('A completion can be taken back for one minute. What was recorded stands now.')
  const later = tx.tables<WorkflowTables>().selectFrom('task').select('id').where('alert_id', '=', task.alert_id)
  if ((await later.where('status', '<>', 'completed').executeTakeFirst()) !== undefined)
    throw refused('Another task about this alert is open. Go on with that one.')
}

const refused = (message: string) => workflowFailure('reopen-refused', message, { pointer: '/params/id' })

/**
 * When somebody was last told of the task: escalation counts from there. What was written down and told to nobody does not count: a
 * condition that flickers would put off everybody else.
 */
export async function lastToldAt(tx: TenantTx, task: TaskRow): Promise<number> {
  const { rows } = await tx.client.query<{ at: string | null }>(
    `select max(e.at) as at from tenant.task_event e
      where e.tenant_id = $1 and e.task_id = $2
        and (e.what = 'escalated'
             or (e.what in ('recurred', 'handed-off', 'released')
                 and exists (select from tenant.notification_intent i
                              where i.tenant_id = e.tenant_id and i.task_id = e.task_id and i.event_id = e.id
                                and i.cancelled is distinct from 'passed')))`,
    [tx.tenant, task.id],
  )
  const pagedAt = task.paged_at === null ? 0 : toMs(task.paged_at)
  return Math.max(toMs(rows[0]?.at ?? task.opened_at), pagedAt)
}

// ---------------------------------------------------------------- outcome

function assertFits(wanted: CompleteTask, kind: SubjectKind): void {
  const known = dispositions.find((each) => each.code === wanted.disposition)!
  if (!known.for.includes(kind))
    throw workflowFailure(
      'disposition-unfit',
      'This disposition is for another kind of subject. Choose from the list.',
      { pointer: '/body/disposition' },
    )
  if (known.needsNote && wanted.note.trim() === '')
    throw workflowFailure('note-needed', 'Say why in the note: this disposition needs a reason.', {
      pointer: '/body/note',
    })
}

const aadOf = (tenant: string, task: string) => `task-outcome:${tenant}:${task}`

function sealOutcome(key: DataKey, tenant: string, task: string, { disposition, note, checked }: TaskOutcome): Buffer {
  return key.seal(Buffer.from(JSON.stringify({ disposition, note, checked })), aadOf(tenant, task))
}

export const openOutcome = (key: DataKey, tenant: string, task: string, sealed: Uint8Array): TaskOutcome =>
  JSON.parse(key.open(sealed, aadOf(tenant, task)).toString()) as TaskOutcome
