/** Tasks as rows, and what every act does to them: lock, compare with what was seen, change, tell. */
import type { TaskEventBody, TaskStatus } from '@careloop/contract'
import type { Updateable } from 'kysely'
import { record } from '../audit/index.ts'
import type { DataKey, TenantTx } from '../engine/index.ts'
import { isSeen, purposed, type Sight } from '../subjects/index.ts'
import { workflowFailure } from './errors.ts'
import { type TaskRow, toMs, type WorkflowTables } from './schema.ts'

/** A member of staff at a page. */
export interface Acting {
  readonly tenant: string
  /** User id. */
  readonly staff: string
  readonly requestId?: string
  /** Subjects on whose tasks they may act; absent = all. */
  readonly sight?: Sight
}

/** What an act came to; not `done`: a colleague has the task. */
export type Act =
  | { readonly done: true }
  | { readonly done: false; readonly claimedBy: string; readonly claimedAt: number }

/** A task of a kind of subject that somebody may not know of is not there for them. @throws Failure `task-not-found` */
export async function readTask(tx: TenantTx, id: string, sight?: Acting['sight']): Promise<TaskRow> {
  const row = await tx.tables<WorkflowTables>().selectFrom('task').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined || !(await isSeen(tx, row.subject_id, sight))) throw taskNotFound()
  return row
}

/** The task, locked, whatever its status. @throws Failure `task-not-found` */
export async function lockAnyTask(tx: TenantTx, id: string, sight: Acting['sight']): Promise<TaskRow> {
  const query = tx.tables<WorkflowTables>().selectFrom('task').selectAll().where('id', '=', id)
  const row = await query.forUpdate().executeTakeFirst()
  if (row === undefined || !(await isSeen(tx, row.subject_id, sight))) throw taskNotFound()
  return row
}

/** @throws Failure `task-not-found`, `task-completed` */
export async function lockTask(tx: TenantTx, id: string, sight: Acting['sight']): Promise<TaskRow> {
  const row = await lockAnyTask(tx, id, sight)
  if (row.status !== 'completed') return row
  throw workflowFailure('task-completed', 'This task is completed. Read it to see what was done.', {
    pointer: '/params/id',
  })
}

export const taskNotFound = () => workflowFailure('task-not-found', 'No task has this id.', { pointer: '/params/id' })

/** The colleague who has it, or null when it is free or one's own. */
export function takenFrom(task: TaskRow, acting: Acting): Extract<Act, { done: false }> | null {
  if (task.claimed_by === null || task.claimed_by === acting.staff) return null
  return { done: false, claimedBy: task.claimed_by, claimedAt: toMs(task.claimed_at!) }
}

/**
 * What came since the page was read may change what a person would do: a recurrence above all.
 * @throws Failure `task-moved`
 */
export function assertSeen(task: TaskRow, seen: number | undefined, pointer: '/query/version' | '/body/version'): void {
  if (seen === undefined || seen === task.version) return
  throw workflowFailure('task-moved', 'Something happened to this task since you read it. Read it again, then act.', {
    pointer,
  })
}

export async function change(tx: TenantTx, task: TaskRow, columns: Updateable<WorkflowTables['task']>): Promise<void> {
  await tx
    .tables<WorkflowTables>()
    .updateTable('task')
    .set({ ...columns, version: task.version + 1 })
    .where('id', '=', task.id)
    .execute()
}

/** What a person did: an event, a fact and an audit entry of one moment. */
export interface Told {
  readonly what: TaskEventBody['what']
  readonly at: number
  /** As the task stands after it. */
  readonly status: TaskStatus
  readonly to?: readonly string[]
  readonly takenFrom?: string
  readonly detail?: { readonly key: DataKey; readonly sealed: Buffer }
}

export async function tell(tx: TenantTx, acting: Acting, task: TaskRow, told: Told): Promise<void> {
  const actor = `staff:${acting.staff}`
  const { what, at, status, to = [], detail } = told
  await tx
    .tables<WorkflowTables>()
    .insertInto('task_event')
    .values({
      ...{ task_id: task.id, what, at, actor, to_staff: [...to], taken_from: told.takenFrom ?? null },
      ...{ key_id: detail?.key.id ?? null, detail: detail?.sealed ?? null },
    })
    .execute()
  await tx.publish({ type: 'TaskChanged', task: task.id, subject: task.subject_id, status })
  const { requestId } = acting
  const entry = { actor, action: 'update', resource: 'task', id: task.id, subject: task.subject_id, requestId } as const
  await record(tx, purposed(acting.sight, entry))
}

const detailAad = (tenant: string, task: string) => `task-event:${tenant}:${task}`

/** What an event says beyond its kind, as it is kept. */
export const sealEventDetail = (key: DataKey, tenant: string, task: string, detail: object): Buffer =>
  key.seal(Buffer.from(JSON.stringify(detail)), detailAad(tenant, task))

export const openEventDetail = (key: DataKey, tenant: string, task: string, sealed: Uint8Array): { note?: string } =>
  JSON.parse(key.open(sealed, detailAad(tenant, task)).toString()) as { note?: string }
