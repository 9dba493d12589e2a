import { failures } from '@careloop/contract'

/** Expected failures of the engine's ports; docs/errors.md says what each means. */
export const engineErrors = {
  'log-overloaded': { disposition: 'retry', status: 429, issue: 'throttled' },
  'log-closed': { disposition: 'retry', status: 503, issue: 'transient' },
  'log-unavailable': { disposition: 'retry', status: 503, issue: 'transient' },
  'log-damaged': { disposition: 'bug', status: 500, issue: 'exception' },
  'storage-low': { disposition: 'retry', status: 507, issue: 'no-store' },
  'fence-lost': { disposition: 'retry', status: 409, issue: 'conflict' },
  'cursor-moved': { disposition: 'retry', status: 409, issue: 'conflict' },
} as const

export const engineFailure = failures(engineErrors)
