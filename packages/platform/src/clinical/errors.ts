import { failures } from '@careloop/contract'

/** Expected failures of the clinical room; docs/errors.md says what each means. */
export const clinicalErrors = {
  'resource-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'resource-gone': { disposition: 'reject', status: 410, issue: 'not-found' },
  'resource-invalid': { disposition: 'reject', status: 422, issue: 'invalid' },
  'resource-derived': { disposition: 'reject', status: 405, issue: 'business-rule' },
  'resource-unreadable': { disposition: 'reject', status: 400, issue: 'structure' },
  'type-not-served': { disposition: 'reject', status: 404, issue: 'not-found' },
  'type-not-yours': { disposition: 'reject', status: 403, issue: 'forbidden' },
  'operation-not-served': { disposition: 'reject', status: 404, issue: 'not-found' },
  'interaction-not-served': { disposition: 'reject', status: 405, issue: 'business-rule' },
  'id-mismatch': { disposition: 'reject', status: 400, issue: 'invalid' },
  'id-illegal': { disposition: 'reject', status: 400, issue: 'value' },
  'patient-unknown': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'version-moved': { disposition: 'reject', status: 412, issue: 'conflict' },
  'version-unsaid': { disposition: 'reject', status: 400, issue: 'invalid' },
  'condition-ambiguous': { disposition: 'reject', status: 412, issue: 'duplicate' },
  'condition-missing': { disposition: 'reject', status: 400, issue: 'required' },
  'format-unacceptable': { disposition: 'reject', status: 406, issue: 'invalid' },
  'bundle-wrong': { disposition: 'reject', status: 400, issue: 'structure' },
  'export-async-needed': { disposition: 'reject', status: 400, issue: 'invalid' },
  'export-parameter': { disposition: 'reject', status: 400, issue: 'invalid' },
  'export-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'export-too-many': { disposition: 'retry', status: 429, issue: 'throttled' },
  'export-failed': { disposition: 'reject', status: 500, issue: 'processing' },
} as const

export const clinicalFailure = failures(clinicalErrors)
