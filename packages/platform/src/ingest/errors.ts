import { failures } from '@careloop/contract'

/** Expected failures of ingest; docs/errors.md says what each means. */
export const ingestErrors = {
  'taken-over': { disposition: 'retry', status: 409, issue: 'conflict' },
  'quarantine-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'quarantine-settled': { disposition: 'reject', status: 409, issue: 'conflict' },
  'quarantine-not-replayable': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'ingest-empty': { disposition: 'reject', status: 400, issue: 'required' },
  'ingest-invalid': { disposition: 'reject', status: 400, issue: 'invalid' },
  'message-set-aside': { disposition: 'reject', status: 422, issue: 'invalid' },
  'ingest-service-only': { disposition: 'reject', status: 403, issue: 'forbidden' },
  'reading-staff-only': { disposition: 'reject', status: 403, issue: 'forbidden' },
  'ingest-overloaded': { disposition: 'retry', status: 429, issue: 'throttled' },
  'ingest-storage-low': { disposition: 'retry', status: 507, issue: 'no-store' },
  'ingest-stopping': { disposition: 'retry', status: 503, issue: 'transient' },
  'device-quota': { disposition: 'retry', status: 429, issue: 'throttled' },
  'reading-invalid': { disposition: 'reject', status: 422, issue: 'value' },
} as const

export const ingestFailure = failures(ingestErrors)
