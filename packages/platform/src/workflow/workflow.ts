/** The workflow room as other rooms and `app` hold it. */
import type { CompleteTask, HandOffTask, NotificationList, SnoozeTask, TaskBody, Worklist } from '@careloop/contract'
import type { Engine } from '../engine/index.ts'
import type { By, Subjects } from '../subjects/index.ts'
import { type Activities, makeActivities } from './activity.ts'
import { type BreakingGlass, makeBreakGlass } from './break-glass/break-glass.ts'
import { notificationsOfCaregiver } from './caregivers.ts'
import { completeTask, reopenTask } from './complete-task.ts'
import { workflowFailure } from './errors.ts'
import { markSeen, notificationsOf, notificationsOfTask } from './notifications.ts'
import { makeReviews, type Reviews } from './reviews/reviews.ts'
import type { WorkingStaff } from './staff.ts'
import type { Act, Acting } from './task-rows.ts'
import { acknowledgeTask, type Claiming, claimTask, handOffTask, releaseTask, snoozeTask } from './tasks.ts'
import { taskBody, worklist } from './worklist.ts'

export interface Workflow {
  readonly reviews: Reviews
  readonly breakGlass: BreakingGlass
  readonly activities: Activities
  worklist(by: By): Promise<Worklist>
  /** @throws Failure `task-not-found` */
  task(by: By, id: string): Promise<TaskBody>
  /** @throws Failure `task-not-found`, `task-completed`, `task-moved` */
  claim(acting: Acting, id: string, claiming?: Claiming): Promise<Act>
  /** @param seen version of the task as it was shown @throws as `claim` */
  acknowledge(acting: Acting, id: string, seen?: number): Promise<Act>
  /** @throws as `claim`, and Failure `task-not-claimed` */
  release(acting: Acting, id: string, seen?: number): Promise<Act>
  /** @throws as `release`, and Failure `snooze-refused`, `snooze-too-long` */
  snooze(acting: Acting, id: string, wanted: SnoozeTask): Promise<Act>
  /** @throws as `claim`, and Failure `hand-off-unfit` */
  handOff(acting: Acting, id: string, wanted: HandOffTask): Promise<Act>
  /** @throws Failure `task-not-found`, `task-completed`, `task-moved`, `disposition-unfit`, `note-needed`, `rearm-invalid` */
  complete(acting: Acting, id: string, wanted: CompleteTask): Promise<Act>
  /** @param seen version of the task as it was shown @throws Failure `task-not-found`, `task-moved`, `reopen-refused`, `alert-superseded` */
  reopen(acting: Acting, id: string, seen?: number): Promise<Act>
  /** What a member of staff was told in the pages. */
  notifications(tenant: string, staff: string): Promise<NotificationList>
  /** They have seen these of theirs. */
  seen(tenant: string, staff: string, ids: readonly string[]): Promise<void>
  /** Of a caregiver: what consent lets them see. */
  caregiverNotifications(by: By, user: string): Promise<NotificationList>
  /** @throws Failure `task-not-found` */
  taskNotifications(by: By, task: string): Promise<NotificationList>
  /** Display names of staff, for telling who has a task. */
  staffName(tenant: string, id: string): Promise<string>
}

/** @param staff who works here, by name: identity's `members` */
export function makeWorkflow(
  engine: Engine,
  subjects: Pick<Subjects, 'names' | 'consents' | 'exactPatient'>,
  staff: WorkingStaff,
): Workflow {
  const parts = { engine, subjects, staff }
  const kindOf = (tenant: string) => async (subject: string) => {
    const named = (await subjects.names(tenant, [subject])).get(subject)
    if (named !== undefined) return named.kind
    throw workflowFailure('task-not-found', 'The subject of this task was erased.', { pointer: '/params/id' })
  }
  return {
    reviews: makeReviews(engine, staff),
    breakGlass: makeBreakGlass(engine, subjects),
    activities: makeActivities(engine, staff),
    worklist: (by) => worklist(parts, by),
    task: (by, id) => taskBody(parts, by, id),
    claim: (acting, id, claiming) => claimTask(engine, acting, id, claiming),
    acknowledge: (acting, id, seen) => acknowledgeTask(engine, acting, id, seen),
    release: (acting, id, seen) => releaseTask(engine, acting, id, seen),
    snooze: (acting, id, wanted) => snoozeTask(engine, acting, id, wanted),
    handOff: (acting, id, wanted) => handOffTask(engine, { staff, kindOf: kindOf(acting.tenant) }, acting, id, wanted),
    complete: (acting, id, wanted) => completeTask(engine, acting, id, kindOf(acting.tenant), wanted),
    reopen: (acting, id, seen) => reopenTask(engine, acting, id, seen),
    notifications: (tenant, person) => notificationsOf(engine, tenant, person),
    seen: (tenant, person, ids) => markSeen(engine, tenant, person, ids),
    caregiverNotifications: (by, user) => notificationsOfCaregiver(engine, subjects.consents, by, user),
    taskNotifications: (by, task) => notificationsOfTask(engine, staff, by, task),
    staffName: async (tenant, id) => (await staff(tenant)).find((member) => member.id === id)?.displayName ?? id,
  }
}
