/** What can go wrong here that is not a bug in the caller. docs/errors.md says what to do about each. */
import { failures } from '@careloop/contract'

export const telemetryErrors = {
  'chunk-damaged': { disposition: 'bug', status: 500, issue: 'exception' },
  'chunk-format-unknown': { disposition: 'bug', status: 500, issue: 'exception' },
  'segment-vanished': { disposition: 'retry', status: 503, issue: 'transient' },
  'days-ahead': { disposition: 'retry', status: 503, issue: 'transient' },
  'range-invalid': { disposition: 'reject', status: 400, issue: 'value' },
  'series-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
} as const

export const fail = failures(telemetryErrors)
