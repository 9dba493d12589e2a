import { failures } from '@careloop/contract'

/** Expected failures of programs; docs/errors.md says what each means. */
export const programErrors = {
  'program-invalid': { disposition: 'reject', status: 400, issue: 'value' },
  'override-invalid': { disposition: 'reject', status: 422, issue: 'value' },
  'rule-incomplete': { disposition: 'reject', status: 422, issue: 'business-rule' },
} as const

export const programFailure = failures(programErrors)
