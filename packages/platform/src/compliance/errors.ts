import { failures } from '@careloop/contract'

/** Expected failures of the compliance room; docs/errors.md says what each means. */
export const complianceErrors = {
  'record-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'too-many-misses': { disposition: 'retry', status: 429, issue: 'throttled' },
  'breach-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'breach-not-yet': { disposition: 'reject', status: 422, issue: 'value' },
  'breach-moved': { disposition: 'reject', status: 409, issue: 'conflict' },
  'breach-step-unfit': { disposition: 'reject', status: 422, issue: 'business-rule' },
} as const

export const complianceFailure = failures(complianceErrors)
