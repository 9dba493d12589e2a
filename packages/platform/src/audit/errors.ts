import { failures } from '@careloop/contract'

export const auditErrors = {
  'audit-not-opaque': { disposition: 'bug', status: 500, issue: 'exception' },
} as const

export const auditFailure = failures(auditErrors)
