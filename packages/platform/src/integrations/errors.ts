import { failures } from '@careloop/contract'

/** Expected failures of the integrations room; docs/errors.md says what each means. */
export const integrationsErrors = {
  'subscription-invalid': { disposition: 'reject', status: 422, issue: 'value' },
  'subscription-unfit': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'subscription-too-many': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'subscription-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'subscription-not-stopped': { disposition: 'reject', status: 409, issue: 'conflict' },
} as const

export const integrationsFailure = failures(integrationsErrors)
