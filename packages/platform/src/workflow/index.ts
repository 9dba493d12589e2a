/** Workflow: who does what about an alert, by when, and what they did. Owns task, task_event, activity. */
export type { Activities, Telling } from './activity.ts'
export { workflowErrors } from './errors.ts'
export { workflowFacts } from './facts.ts'
export { workflowProgress } from './open-tasks.ts'
export { mayTake, type Working, type WorkingStaff } from './staff.ts'
export { workflowStage } from './stages.ts'
export type { Act, Acting } from './task-rows.ts'
export { makeWorkflow, type Workflow } from './workflow.ts'
