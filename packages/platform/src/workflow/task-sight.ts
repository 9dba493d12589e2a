/**
 * Whoever answers for a task, has it, or is told of it, sees its patient while it is open, also from outside the care team: nobody is
 * paged for something that they cannot open, and who took it finishes it.
 */
import type { Engine, TenantTx } from '../engine/index.ts'
import { endSight, grantSight, outsideTeam } from '../subjects/index.ts'
import type { TaskRow } from './schema.ts'

export type ShownTask = Pick<TaskRow, 'id' | 'subject_id' | 'enrolment_id'>

export interface Showing {
  readonly actor?: string
  /**
   * `given`: somebody put it into their hands, which makes them of its program's team (42 CFR Part 2), also inside the care team.
   * `taken`: they took it themselves, and what its program protects stays as it was for them. Else: they were told of it.
   */
  readonly how?: 'given' | 'taken'
}

export async function showTask(
  engine: Engine,
  tx: TenantTx,
  task: ShownTask,
  people: readonly string[],
  { actor = 'system:workflow', how }: Showing = {},
): Promise<void> {
  const named = how === 'taken' ? {} : { enrolment: task.enrolment_id }
  for (const user of await outsideTeam(tx, task.subject_id, [...new Set(people)], how === 'given'))
    await grantSight(tx, {
      ...{ id: engine.ids.uuid(), subject: task.subject_id, user, why: 'task', source: task.id },
      ...{ from: engine.clock.now(), actor, ...named },
    })
}

/** The patient is in another team, its members or the owners of enrolments changed: who answers for an open task, or has it, keeps it. */
export async function showOpenTasks(
  engine: Engine,
  tx: TenantTx,
  of: { readonly subject: string } | { readonly team: string },
): Promise<void> {
  const { rows } = await tx.client.query<ShownTask & Pick<TaskRow, 'owner_id' | 'claimed_by'>>(
    `select t.id, t.subject_id, t.enrolment_id, t.owner_id, t.claimed_by from tenant.task t
      where t.tenant_id = $1 and t.status <> 'completed' and t.subject_id ${
        'subject' in of
          ? '= $2'
          : 'in (select s.id from tenant.subject s where s.tenant_id = $1 and s.team_id = $2 and s.erased_at is null)'
      }`,
    [tx.tenant, 'subject' in of ? of.subject : of.team],
  )
  for (const task of rows) {
    await showTask(engine, tx, task, [task.owner_id])
    if (task.claimed_by !== null) await showTask(engine, tx, task, [task.claimed_by], { how: 'taken' })
  }
}

/** @param at when it is over, ms since epoch: as long as a completion can be taken back, whoever completed it sees what they did */
export const hideTask = (tx: TenantTx, task: string, at: number, actor: string): Promise<number> =>
  endSight(tx, { why: 'task', source: task, at, actor })
