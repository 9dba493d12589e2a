import { failures } from '@careloop/contract'

export const appErrors = {
  'config-invalid': { disposition: 'reject', status: 500, issue: 'invalid' },
  'database-logs-values': { disposition: 'reject', status: 503, issue: 'security' },
  'escrow-unfit': { disposition: 'reject', status: 400, issue: 'invalid' },
  'http-port-unavailable': { disposition: 'retry', status: 503, issue: 'transient' },
  'master-key-foreign': { disposition: 'reject', status: 503, issue: 'security' },
  'production-refused': { disposition: 'reject', status: 503, issue: 'security' },
  'backup-failed': { disposition: 'retry', status: 503, issue: 'transient' },
  usage: { disposition: 'reject', status: 400, issue: 'invalid' },
} as const

export const appFailure = failures(appErrors)
