import { failures } from '@careloop/contract'

export const appErrors = {
  'config-invalid': { disposition: 'reject', status: 500, issue: 'invalid' },
  usage: { disposition: 'reject', status: 400, issue: 'invalid' },
} as const

export const appFailure = failures(appErrors)
