import { failures } from '@careloop/contract'

/** Expected failures of the built-in certificate authority; docs/errors.md says what each means. */
export const caErrors = {
  'csr-malformed': { disposition: 'reject', status: 422, issue: 'invalid' },
  'csr-unproven': { disposition: 'reject', status: 422, issue: 'security' },
  'csr-key-weak': { disposition: 'reject', status: 422, issue: 'security' },
  'server-name-malformed': { disposition: 'reject', status: 422, issue: 'value' },
  'certificate-malformed': { disposition: 'reject', status: 401, issue: 'security' },
  'certificate-foreign': { disposition: 'reject', status: 401, issue: 'security' },
  'certificate-expired': { disposition: 'reject', status: 401, issue: 'expired' },
} as const

export const caFailure = failures(caErrors)
