import { failures } from '@careloop/contract'

export const auditErrors = {
  'audit-not-opaque': { disposition: 'bug', status: 500, issue: 'exception' },
  'audit-key-missing': { disposition: 'reject', status: 503, issue: 'security' },
  'audit-key-unreadable': { disposition: 'reject', status: 503, issue: 'security' },
  'audit-key-foreign': { disposition: 'reject', status: 503, issue: 'security' },
  'audit-key-there': { disposition: 'reject', status: 409, issue: 'conflict' },
  'audit-trail-cut': { disposition: 'reject', status: 503, issue: 'security' },
  'audit-not-written': { disposition: 'reject', status: 503, issue: 'exception' },
  'audit-sink-refused': { disposition: 'retry', status: 502, issue: 'transient' },
  'audit-entry-unknown': { disposition: 'reject', status: 404, issue: 'not-found' },
} as const

export const auditFailure = failures(auditErrors)
