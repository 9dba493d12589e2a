import { failures } from '@careloop/contract'

/** Expected failures of alerting; docs/errors.md says what each means. */
export const alertingErrors = {
  'alert-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'alert-superseded': { disposition: 'reject', status: 409, issue: 'conflict' },
  'rearm-invalid': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'program-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'program-not-yours': { disposition: 'reject', status: 403, issue: 'forbidden' },
  'rule-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'rule-moved': { disposition: 'reject', status: 409, issue: 'conflict' },
  'rule-unedited': { disposition: 'reject', status: 409, issue: 'conflict' },
  'edit-empty': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'owner-unreachable': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'limit-invalid': { disposition: 'reject', status: 422, issue: 'value' },
  'override-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'override-expiry': { disposition: 'reject', status: 422, issue: 'value' },
} as const

export const alertingFailure = failures(alertingErrors)
