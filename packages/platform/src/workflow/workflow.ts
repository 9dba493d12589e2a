/** The workflow room as other rooms and `app` hold it. */
import type { CompleteTask, TaskBody, Worklist } from '@careloop/contract'
import type { StaffNames } from '../alerting/index.ts'
import type { Engine } from '../engine/index.ts'
import type { By, Subjects } from '../subjects/index.ts'
import { workflowFailure } from './errors.ts'
import { type Act, type Acting, claimTask, completeTask } from './tasks.ts'
import { taskBody, worklist } from './worklist.ts'

export interface Workflow {
  worklist(by: By): Promise<Worklist>
  /** @throws Failure `task-not-found` */
  task(by: By, id: string): Promise<TaskBody>
  /** @param seen version of the task as it was shown @throws Failure `task-not-found`, `task-completed`, `task-moved` */
  claim(acting: Acting, id: string, seen?: number): Promise<Act>
  /** @throws Failure `task-not-found`, `task-completed`, `task-moved`, `disposition-unfit`, `note-needed` */
  complete(acting: Acting, id: string, wanted: CompleteTask): Promise<Act>
  /** Display names of staff, for telling who has a task. */
  staffName(tenant: string, id: string): Promise<string>
}

/** @param staff who works here, by name: identity's `members` */
export function makeWorkflow(engine: Engine, subjects: Pick<Subjects, 'names'>, staff: StaffNames): Workflow {
  const parts = { engine, subjects, staff }
  const kindOf = (tenant: string) => async (subject: string) => {
    const named = (await subjects.names(tenant, [subject])).get(subject)
    if (named !== undefined) return named.kind
    throw workflowFailure('task-not-found', 'The subject of this task was erased.', { pointer: '/params/id' })
  }
  return {
    worklist: (by) => worklist(parts, by),
    task: (by, id) => taskBody(parts, by, id),
    claim: (acting, id, seen) => claimTask(engine, acting, id, seen),
    complete: (acting, id, wanted) => completeTask(engine, acting, id, kindOf(acting.tenant), wanted),
    staffName: async (tenant, id) => (await staff(tenant)).find((member) => member.id === id)?.displayName ?? id,
  }
}
