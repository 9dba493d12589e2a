import { failures } from '@careloop/contract'

export const identityErrors = {
  'not-signed-in': { disposition: 'reject', status: 401, issue: 'login' },
  'token-refused': { disposition: 'reject', status: 401, issue: 'login' },
  'not-allowed': { disposition: 'reject', status: 403, issue: 'forbidden' },
  'no-membership': { disposition: 'reject', status: 403, issue: 'forbidden' },
  'user-exists': { disposition: 'reject', status: 409, issue: 'duplicate' },
  'user-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'tenant-exists': { disposition: 'reject', status: 409, issue: 'duplicate' },
  'tenant-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'password-weak': { disposition: 'reject', status: 422, issue: 'value' },
  'sign-in-refused': { disposition: 'reject', status: 401, issue: 'login' },
  'sign-in-invalid': { disposition: 'reject', status: 400, issue: 'invalid' },
  'sign-in-throttled': { disposition: 'retry', status: 429, issue: 'throttled' },
  'session-locked': { disposition: 'reject', status: 423, issue: 'login' },
  'second-factor-needed': { disposition: 'reject', status: 403, issue: 'security' },
  'second-factor-refused': { disposition: 'reject', status: 401, issue: 'login' },
  'second-factor-not-offered': { disposition: 'reject', status: 409, issue: 'conflict' },
  'second-factor-off': { disposition: 'reject', status: 409, issue: 'conflict' },
  'second-factor-invalid': { disposition: 'reject', status: 422, issue: 'value' },
  'challenge-over': { disposition: 'reject', status: 401, issue: 'expired' },
  'session-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'setup-refused': { disposition: 'reject', status: 403, issue: 'security' },
  'display-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'display-over': { disposition: 'reject', status: 409, issue: 'conflict' },
  'display-link-refused': { disposition: 'reject', status: 403, issue: 'security' },
  'service-token-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
} as const

export const fail = failures(identityErrors)
