/** How a task ends: with what was done, sealed; and how whoever ended it takes that back within a minute. */
import { type CompleteTask, type DispositionCode, dispositions, type SubjectKind } from '@careloop/contract'
import { closeAlert, conditionOf } from '../alerting/index.ts'
import type { DataKey, Engine } from '../engine/index.ts'
import { workflowFailure } from './errors.ts'
import { type Act, type Acting, assertSeen, change, lockTask, readTask, takenFrom, tell } from './task-rows.ts'

/** What is kept, sealed, of how a task ended. */
export interface TaskOutcome {
  readonly disposition: DispositionCode
  readonly note: string
  readonly checked: readonly number[]
}

/**
 * Ends a task with what was done, and closes its alert.
 * @throws Failure `task-not-found`, `task-completed`, `task-moved`, `disposition-unfit`, `note-needed`, `rearm-unfit`
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
      ...{ status: 'completed', snoozed_until: null },
      ...(task.claimed_by === null ? { claimed_by: acting.staff, claimed_at: now } : {}),
      ...{ completed_by: acting.staff, completed_at: now },
      ...{ key_id: key.id, outcome: sealOutcome(key, acting.tenant, id, wanted) },
    })
    await closeAlert(engine, tx, task.alert_id, `staff:${acting.staff}`)
    await tell(tx, acting, task, { what: 'completed', at: now, status: 'completed' })
    return { done: true }
  })
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
