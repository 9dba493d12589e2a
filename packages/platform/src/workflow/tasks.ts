/** What people do with tasks that are open. Every act writes its event, its audit entry and its fact in one transaction. */
import type { HandOffTask, SnoozeTask, SubjectKind } from '@careloop/contract'
import { acknowledgeAlert, releaseAlert } from '../alerting/index.ts'
import type { Engine, TenantTx } from '../engine/index.ts'
import { workflowFailure } from './errors.ts'
import { tellLater } from './given-back.ts'
import { type TaskRow, toMs } from './schema.ts'
import { assertMayTake, type WorkingStaff } from './staff.ts'
import {
  type Act,
  type Acting,
  assertSeen,
  change,
  lockTask,
  readTask,
  sealEventDetail,
  takenFrom,
  tell,
} from './task-rows.ts'
import { showTask } from './task-sight.ts'

export interface Claiming {
  /** Version of the task as the page showed it; undefined = not checked. */
  readonly seen?: number | undefined
  /** From a colleague who has it, when its time limit has passed: they may have gone home. */
  readonly takeOver?: boolean
}

/**
 * Takes a task. Of two at once one wins and the other is told who. Whoever has it says by it that they saw it come back.
 * @throws Failure `task-not-found`, `task-completed`, `task-moved`
 */
export const claimTask = (engine: Engine, acting: Acting, id: string, claiming: Claiming = {}): Promise<Act> =>
  engine.db.asTenant(acting.tenant, async (tx) => {
    const task = await lockTask(tx, id, acting.sight)
    const taken = takenFrom(task, acting)
    const now = engine.clock.now()
    if (taken !== null && !(claiming.takeOver === true && now > toMs(task.due_at))) return taken
    return take(engine, tx, acting, task, claiming.seen)
  })

/**
 * "I have seen it and am on it": of one's own task, anew after its condition came back; of a free one it takes it.
 * @throws Failure `task-not-found`, `task-completed`, `task-moved`
 */
export const acknowledgeTask = (engine: Engine, acting: Acting, id: string, seen?: number): Promise<Act> =>
  claimTask(engine, acting, id, { seen })

async function take(engine: Engine, tx: TenantTx, acting: Acting, task: TaskRow, seen?: number): Promise<Act> {
  const isMine = task.claimed_by === acting.staff
  const isNew = await acknowledgeAlert(engine, tx, task.alert_id, `staff:${acting.staff}`)
  if (isMine && !isNew) return { done: true }
  assertSeen(task, seen, '/query/version')
  const now = engine.clock.now()
  const told = { at: now, status: 'claimed' } as const
  if (isMine) {
    await change(tx, task, {})
    await tell(tx, acting, task, { ...told, what: 'acknowledged' })
    return { done: true }
  }
  await change(tx, task, { status: 'claimed', claimed_by: acting.staff, claimed_at: now, snoozed_until: null })
  await tell(tx, acting, task, {
    ...{ ...told, what: 'claimed' },
    ...(task.claimed_by === null ? {} : { takenFrom: task.claimed_by }),
  })
  await showTask(engine, tx, task, [acting.staff], { actor: `staff:${acting.staff}`, how: 'taken' })
  return { done: true }
}

/**
 * Gives a task back: nobody is on it any more, so its alert counts as new, its owner is told again, and escalation
 * goes on, anew where everybody had been told.
 * @throws Failure `task-not-found`, `task-completed`, `task-moved`, `task-not-claimed`
 */
export const releaseTask = (engine: Engine, acting: Acting, id: string, seen?: number): Promise<Act> =>
  engine.db.asTenant(acting.tenant, async (tx) => {
    const task = await lockTask(tx, id, acting.sight)
    const taken = takenFrom(task, acting)
    if (taken !== null) return taken
    if (task.claimed_by === null) throw notClaimed('Nobody has this task: there is nothing to give back.')
    assertSeen(task, seen, '/query/version')
    const at = engine.clock.now()
    await releaseAlert(engine, tx, task.alert_id, `staff:${acting.staff}`)
    await change(tx, task, { ...unclaimed })
    await tell(tx, acting, task, { what: 'released', at, status: 'open' })
    await tellLater(engine, tx, id)
    return { done: true }
  })

/** Nobody has it; what one person put off is not put off for the next. */
const unclaimed = { status: 'open', claimed_by: null, claimed_at: null, snoozed_until: null } as const

/**
 * Puts one's own task off for a while, or (0 minutes) no longer: it shows so, and neither its due time nor escalation moves.
 * @throws Failure `task-not-found`, `task-completed`, `task-moved`, `task-not-claimed`, `snooze-refused`, `snooze-too-long`
 */
export const snoozeTask = (engine: Engine, acting: Acting, id: string, wanted: SnoozeTask): Promise<Act> =>
  engine.db.asTenant(acting.tenant, async (tx) => {
    const task = await lockTask(tx, id, acting.sight)
    const taken = takenFrom(task, acting)
    if (taken !== null) return taken
    if (task.claimed_by === null) throw notClaimed('Take the task first: only what is yours can be put off.')
    assertSeen(task, wanted.version, '/body/version')
    if (task.priority === 'high')
      throw workflowFailure(
        'snooze-refused',
        'A task of high priority is not put off. Act, or hand it to a colleague.',
        {
          pointer: '/params/id',
        },
      )
    // Whoever decides when to turn to it has seen it, also when it has come back.
    await acknowledgeAlert(engine, tx, task.alert_id, `staff:${acting.staff}`)
    const at = engine.clock.now()
    if (wanted.minutes === 0) {
      if (task.snoozed_until === null) return { done: true }
      // No longer put off: whoever has it turns back to it.
      await change(tx, task, { snoozed_until: null })
      await tell(tx, acting, task, { what: 'acknowledged', at, status: task.status })
      return { done: true }
    }
    const until = at + wanted.minutes * 60_000
    if (until > toMs(task.due_at))
      throw workflowFailure('snooze-too-long', 'That lies beyond the time limit of this task. Choose a shorter time.', {
        pointer: '/body/minutes',
      })
    await change(tx, task, { snoozed_until: until })
    await tell(tx, acting, task, { what: 'snoozed', at, status: task.status })
    return { done: true }
  })

const notClaimed = (message: string) => workflowFailure('task-not-claimed', message, { pointer: '/params/id' })

export interface HandingOff {
  readonly staff: WorkingStaff
  readonly kindOf: (subject: string) => Promise<SubjectKind>
}

/**
 * Gives a task to a colleague, who is told and answers for it from now on. They have not seen it yet: it waits for them to take
 * it, its alert counts as new, and the due time stays, so that a hand-off buys nobody time.
 * @throws Failure `task-not-found`, `task-completed`, `task-moved`, `hand-off-unfit`
 */
export async function handOffTask(
  engine: Engine,
  { staff, kindOf }: HandingOff,
  acting: Acting,
  id: string,
  wanted: HandOffTask,
): Promise<Act> {
  const seen = await engine.db.asTenant(acting.tenant, (tx) => readTask(tx, id, acting.sight))
  if (wanted.to === acting.staff)
    throw workflowFailure('hand-off-unfit', 'That is you. Choose a colleague.', { pointer: '/body/to' })
  await assertMayTake(staff, acting.tenant, wanted.to, await kindOf(seen.subject_id))
  const key = await engine.keys.keyFor('subject', seen.subject_id)
  const said = wanted.note.trim()
  const detail = said === '' ? null : { key, sealed: sealEventDetail(key, acting.tenant, id, { note: said }) }
  return engine.db.asTenant(acting.tenant, async (tx) => {
    const task = await lockTask(tx, id, acting.sight)
    const taken = takenFrom(task, acting)
    if (taken !== null) return taken
    assertSeen(task, wanted.version, '/body/version')
    const at = engine.clock.now()
    await releaseAlert(engine, tx, task.alert_id, `staff:${acting.staff}`)
    await change(tx, task, { ...unclaimed, owner_id: wanted.to })
    await tell(tx, acting, task, {
      ...{ what: 'handed-off', at, status: 'open', to: [wanted.to] },
      ...(detail === null ? {} : { detail }),
    })
    await showTask(engine, tx, task, [wanted.to], { actor: `staff:${acting.staff}`, how: 'given' })
    await tx.publish({ type: 'TaskHandedOff', task: id, subject: task.subject_id, to: wanted.to })
    return { done: true }
  })
}
