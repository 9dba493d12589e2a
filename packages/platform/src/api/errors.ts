import { failures } from '@careloop/contract'

export const apiErrors = {
  'request-invalid': { disposition: 'reject', status: 400, issue: 'invalid' },
  'body-not-json': { disposition: 'reject', status: 400, issue: 'structure' },
  'body-broken': { disposition: 'reject', status: 400, issue: 'structure' },
  'body-too-large': { disposition: 'reject', status: 413, issue: 'too-long' },
  'media-type-unsupported': { disposition: 'reject', status: 415, issue: 'structure' },
  'encoding-unsupported': { disposition: 'reject', status: 415, issue: 'structure' },
  'cross-origin': { disposition: 'reject', status: 403, issue: 'security' },
  'route-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'too-many-requests': { disposition: 'retry', status: 429, issue: 'throttled' },
  'tls-unusable': { disposition: 'reject', status: 503, issue: 'security' },
  'shutting-down': { disposition: 'retry', status: 503, issue: 'transient' },
  internal: { disposition: 'bug', status: 500, issue: 'exception' },
} as const

export const fail = failures(apiErrors)
