/**
 * Whoever answers for a task, or is told of it, sees its patient while it is open, also from outside the care team: nobody is paged
 * for something that they cannot open.
 */
import type { Engine, TenantTx } from '../engine/index.ts'
import { endSight, grantSight, outsideTeam } from '../subjects/index.ts'
import type { TaskRow } from './schema.ts'

export async function showTask(
  engine: Engine,
  tx: TenantTx,
  task: Pick<TaskRow, 'id' | 'subject_id'>,
  people: readonly string[],
  actor = 'system:workflow',
): Promise<void> {
  for (const user of await outsideTeam(tx, task.subject_id, [...new Set(people)]))
    await grantSight(tx, {
      ...{ id: engine.ids.uuid(), subject: task.subject_id, user, why: 'task', source: task.id },
      ...{ from: engine.clock.now(), actor },
    })
}

/** @param at when it is over, ms since epoch: as long as a completion can be taken back, whoever completed it sees what they did */
export const hideTask = (tx: TenantTx, task: string, at: number, actor: string): Promise<number> =>
  endSight(tx, { why: 'task', source: task, at, actor })
