/** What people do with tasks. Every act writes its event, its audit entry and its fact in one transaction. */
import { type CompleteTask, type DispositionCode, dispositions, type SubjectKind } from '@careloop/contract'
import type { Updateable } from 'kysely'
import { acknowledgeAlert, closeAlert, conditionOf } from '../alerting/index.ts'
import { record } from '../audit/index.ts'
import type { DataKey, Engine, TenantTx } from '../engine/index.ts'
import { isOfKind } from '../subjects/index.ts'
import { workflowFailure } from './errors.ts'
import { type TaskRow, toMs, type WorkflowTables } from './schema.ts'

/** A member of staff at a page. */
export interface Acting {
  readonly tenant: string
  /** User id. */
  readonly staff: string
  readonly requestId?: string
  /** Kinds of subject on whose tasks they may act; absent = all. */
  readonly kinds?: readonly SubjectKind[]
}

/** What an act came to; `taken`: a colleague has the task. */
export type Act =
  | { readonly done: true }
  | { readonly done: false; readonly claimedBy: string; readonly claimedAt: number }

/** What is kept, sealed, of how a task ended. */
export interface TaskOutcome {
  readonly disposition: DispositionCode
  readonly note: string
  readonly checked: readonly number[]
}

/**
 * Takes a task. Of two at once one wins and the other is told who. Whoever has it takes it again after a recurrence.
 * @param seen version of the task as the page showed it; undefined = not checked
 * @throws Failure `task-not-found`, `task-completed`, `task-moved`
 */
export const claimTask = (engine: Engine, acting: Acting, id: string, seen?: number): Promise<Act> =>
  engine.db.asTenant(acting.tenant, async (tx) => {
    const task = await lockTask(tx, id, acting.kinds)
    const taken = takenFrom(task, acting)
    if (taken !== null) return taken
    const isMine = task.claimed_by === acting.staff
    const isNew = await acknowledgeAlert(engine, tx, task.alert_id, `staff:${acting.staff}`)
    if (isMine && !isNew) return { done: true }
    assertSeen(task, seen, '/query/version')
    const now = engine.clock.now()
    await change(tx, task, isMine ? {} : { status: 'claimed', claimed_by: acting.staff, claimed_at: now })
    await tell(tx, acting, task, 'claimed', now)
    return { done: true }
  })

/**
 * Ends a task with what was done, and closes its alert.
 * @throws Failure `task-not-found`, `task-completed`, `task-moved`, `disposition-unfit`, `note-needed`
 */
export async function completeTask(
  engine: Engine,
  acting: Acting,
  id: string,
  kindOf: (subject: string) => Promise<SubjectKind>,
  wanted: CompleteTask,
): Promise<Act> {
  const seen = await engine.db.asTenant(acting.tenant, (tx) => readTask(tx, id, acting.kinds))
  assertFits(wanted, await kindOf(seen.subject_id))
  const key = await engine.keys.keyFor('subject', seen.subject_id)
  return engine.db.asTenant(acting.tenant, async (tx) => {
    const task = await lockTask(tx, id, acting.kinds)
    const taken = takenFrom(task, acting)
    if (taken !== null) return taken
    assertSeen(task, wanted.version, '/body/version')
    if (wanted.note.trim() === '' && (await conditionOf(tx, task.alert_id)) === 'active')
      throw workflowFailure(
        'note-needed',
        'The condition still stands. Say in the note why it may be closed now: nothing raises it again until it has cleared once.',
        { pointer: '/body/note' },
      )
    const now = engine.clock.now()
    await change(tx, task, {
      status: 'completed',
      ...(task.claimed_by === null ? { claimed_by: acting.staff, claimed_at: now } : {}),
      ...{ completed_by: acting.staff, completed_at: now },
      ...{ key_id: key.id, outcome: sealOutcome(key, acting.tenant, id, wanted) },
    })
    await closeAlert(engine, tx, task.alert_id, `staff:${acting.staff}`)
    await tell(tx, acting, task, 'completed', now)
    return { done: true }
  })
}

// ---------------------------------------------------------------- rows

/** A task of a kind of subject that somebody may not know of is not there for them. */
export async function readTask(tx: TenantTx, id: string, kinds?: Acting['kinds']): Promise<TaskRow> {
  const row = await tx.tables<WorkflowTables>().selectFrom('task').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined || !(await isOfKind(tx, row.subject_id, kinds))) throw notFound()
  return row
}

async function lockTask(tx: TenantTx, id: string, kinds: Acting['kinds']): Promise<TaskRow> {
  const query = tx.tables<WorkflowTables>().selectFrom('task').selectAll().where('id', '=', id)
  const row = await query.forUpdate().executeTakeFirst()
  if (row === undefined || !(await isOfKind(tx, row.subject_id, kinds))) throw notFound()
  if (row.status !== 'completed') return row
  throw workflowFailure('task-completed', 'This task is completed. Read it to see what was done.', {
    pointer: '/params/id',
  })
}

const notFound = () => workflowFailure('task-not-found', 'No task has this id.', { pointer: '/params/id' })

function takenFrom(task: TaskRow, acting: Acting): Act | null {
  if (task.claimed_by === null || task.claimed_by === acting.staff) return null
  return { done: false, claimedBy: task.claimed_by, claimedAt: toMs(task.claimed_at!) }
}

/** What came since the page was read may change what a person would do: a recurrence above all. */
function assertSeen(task: TaskRow, seen: number | undefined, pointer: string): void {
  if (seen === undefined || seen === task.version) return
  throw workflowFailure('task-moved', 'Something happened to this task since you read it. Read it again, then act.', {
    pointer,
  })
}

async function change(tx: TenantTx, task: TaskRow, columns: Updateable<WorkflowTables['task']>): Promise<void> {
  await tx
    .tables<WorkflowTables>()
    .updateTable('task')
    .set({ ...columns, version: task.version + 1 })
    .where('id', '=', task.id)
    .execute()
}

async function tell(tx: TenantTx, acting: Acting, task: TaskRow, what: 'claimed' | 'completed', at: number) {
  const actor = `staff:${acting.staff}`
  await tx.tables<WorkflowTables>().insertInto('task_event').values({ task_id: task.id, what, at, actor }).execute()
  await tx.publish({ type: 'TaskChanged', task: task.id, subject: task.subject_id, status: what })
  const { requestId } = acting
  await record(tx, { actor, action: 'update', resource: 'task', id: task.id, subject: task.subject_id, requestId })
}

// ---------------------------------------------------------------- outcome

function assertFits(wanted: CompleteTask, kind: SubjectKind): void {
  const known = dispositions.find((each) => each.code === wanted.disposition)!
  if (!known.for.includes(kind))
    throw workflowFailure(
      'disposition-unfit',
      'This disposition is for another kind of subject. Choose from the list.',
      {
        pointer: '/body/disposition',
      },
    )
  if (known.needsNote && wanted.note.trim() === '')
    throw workflowFailure('note-needed', 'Say why in the note: this disposition needs a reason.', {
      pointer: '/body/note',
    })
}

const aadOf = (tenant: string, task: string) => `task-outcome:${tenant}:${task}`

const sealOutcome = (key: DataKey, tenant: string, task: string, outcome: TaskOutcome): Buffer =>
  key.seal(Buffer.from(JSON.stringify(outcome)), aadOf(tenant, task))

export const openOutcome = (key: DataKey, tenant: string, task: string, sealed: Uint8Array): TaskOutcome =>
  JSON.parse(key.open(sealed, aadOf(tenant, task)).toString()) as TaskOutcome
