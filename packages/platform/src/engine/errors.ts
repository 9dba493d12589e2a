import { failures } from '@careloop/contract'

/** Expected failures of the engine's ports; docs/errors.md says what each means. */
export const engineErrors = {
  'log-overloaded': { disposition: 'retry', status: 429, issue: 'throttled' },
  'log-closed': { disposition: 'retry', status: 503, issue: 'transient' },
  'log-damaged': { disposition: 'bug', status: 500, issue: 'exception' },
  'storage-low': { disposition: 'retry', status: 507, issue: 'no-store' },
  'fence-lost': { disposition: 'retry', status: 409, issue: 'conflict' },
  'cursor-moved': { disposition: 'retry', status: 409, issue: 'conflict' },
  'compute-overloaded': { disposition: 'retry', status: 429, issue: 'throttled' },
  'compute-died': { disposition: 'bug', status: 500, issue: 'exception' },
  'compute-closed': { disposition: 'retry', status: 503, issue: 'transient' },
  'master-key-unsafe': { disposition: 'reject', status: 503, issue: 'security' },
  'master-key-malformed': { disposition: 'reject', status: 503, issue: 'security' },
  'master-key-missing': { disposition: 'reject', status: 503, issue: 'security' },
  'key-unknown': { disposition: 'bug', status: 500, issue: 'exception' },
  'key-destroyed': { disposition: 'reject', status: 410, issue: 'expired' },
  'key-pending': { disposition: 'retry', status: 409, issue: 'conflict' },
  'key-exists': { disposition: 'reject', status: 409, issue: 'conflict' },
  'key-exhausted': { disposition: 'bug', status: 500, issue: 'exception' },
  'seal-broken': { disposition: 'bug', status: 500, issue: 'exception' },
  'blob-missing': { disposition: 'bug', status: 500, issue: 'exception' },
  'lease-lost': { disposition: 'retry', status: 409, issue: 'conflict' },
  'postgres-missing': { disposition: 'reject', status: 503, issue: 'processing' },
  'postgres-init': { disposition: 'reject', status: 503, issue: 'processing' },
  'postgres-start': { disposition: 'retry', status: 503, issue: 'transient' },
  'postgres-unreachable': { disposition: 'retry', status: 503, issue: 'transient' },
  'postgres-stop': { disposition: 'reject', status: 503, issue: 'processing' },
  'postgres-unsafe': { disposition: 'reject', status: 503, issue: 'security' },
  'data-dir-in-use': { disposition: 'reject', status: 409, issue: 'conflict' },
  'schema-newer': { disposition: 'reject', status: 503, issue: 'business-rule' },
  'schema-edited': { disposition: 'reject', status: 503, issue: 'business-rule' },
  'migration-failed': { disposition: 'reject', status: 503, issue: 'processing' },
} as const

export const engineFailure = failures(engineErrors)
