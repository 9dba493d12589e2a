/** Workflow: who does what about an alert, by when, and what they did. Owns task, task_event, activity, notification_intent. */
export type { Activities, Telling } from './activity.ts'
export {
  cancelDeliverable,
  countAttempt,
  type Deliverable,
  lockDeliverable,
  markDelivered,
  markFailed,
} from './deliverable.ts'
export { workflowErrors } from './errors.ts'
export { workflowFacts } from './facts.ts'
export { workflowViews } from './fhir-views.ts'
export { forgetTasks } from './forget-tasks.ts'
export { emailTimer } from './intents.ts'
export { workflowProgress } from './open-tasks.ts'
export { mayTake, type Working, type WorkingStaff } from './staff.ts'
export { workflowStage } from './stages.ts'
export type { Act, Acting } from './task-rows.ts'
export { alertsOfTasks, openTasksOf, type TaskOfAlert } from './tasks-of-alerts.ts'
export { isReachable, type Reachable, type Ways } from './ways.ts'
export { makeWorkflow, type Workflow } from './workflow.ts'
