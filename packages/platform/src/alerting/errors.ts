import { failures } from '@careloop/contract'

/** Expected failures of alerting; docs/errors.md says what each means. */
export const alertingErrors = {
  'alert-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
} as const

export const alertingFailure = failures(alertingErrors)
