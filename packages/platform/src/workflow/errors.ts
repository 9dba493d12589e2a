import { failures } from '@careloop/contract'

/** Expected failures of workflow; docs/errors.md says what each means. */
export const workflowErrors = {
  'task-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'task-claimed': { disposition: 'reject', status: 409, issue: 'conflict' },
  'task-moved': { disposition: 'reject', status: 409, issue: 'conflict' },
  'tasks-moved': { disposition: 'retry', status: 503, issue: 'transient' },
  'task-completed': { disposition: 'reject', status: 409, issue: 'conflict' },
  'staff-needed': { disposition: 'reject', status: 403, issue: 'forbidden' },
  'disposition-unfit': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'task-not-claimed': { disposition: 'reject', status: 409, issue: 'conflict' },
  'snooze-refused': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'snooze-too-long': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'reopen-refused': { disposition: 'reject', status: 409, issue: 'business-rule' },
  'hand-off-unfit': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'activity-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'activity-not-yours': { disposition: 'reject', status: 403, issue: 'forbidden' },
  'activity-span-wrong': { disposition: 'reject', status: 422, issue: 'value' },
  'activity-too-long': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'activity-ahead': { disposition: 'reject', status: 422, issue: 'value' },
  'activity-final': { disposition: 'reject', status: 409, issue: 'conflict' },
  'activity-differs': { disposition: 'reject', status: 409, issue: 'conflict' },
  'activity-task-unfit': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'activity-corrected': { disposition: 'reject', status: 409, issue: 'conflict' },
  'activity-open': { disposition: 'reject', status: 409, issue: 'conflict' },
  'note-needed': { disposition: 'reject', status: 422, issue: 'required' },
} as const

export const workflowFailure = failures(workflowErrors)
