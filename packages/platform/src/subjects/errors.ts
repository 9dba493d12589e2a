import { failures } from '@careloop/contract'

/** Expected failures of the subjects room; docs/errors.md says what each means. */
export const subjectErrors = {
  'subject-kind-refused': { disposition: 'reject', status: 403, issue: 'forbidden' },
  'subject-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'subject-moved': { disposition: 'reject', status: 409, issue: 'conflict' },
  'subject-kind-fixed': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'subject-too-large': { disposition: 'reject', status: 413, issue: 'too-long' },
  'subject-held': { disposition: 'reject', status: 409, issue: 'business-rule' },
  'erasure-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'erasure-proposed': { disposition: 'reject', status: 409, issue: 'duplicate' },
  'erasure-decided': { disposition: 'reject', status: 409, issue: 'conflict' },
  'erasure-needs-another': { disposition: 'reject', status: 403, issue: 'forbidden' },
  'erasure-not-yours': { disposition: 'reject', status: 403, issue: 'forbidden' },
  'legal-hold-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'legal-hold-released': { disposition: 'reject', status: 409, issue: 'conflict' },
  'ledger-broken': { disposition: 'reject', status: 503, issue: 'security' },
  'identifier-taken': { disposition: 'reject', status: 409, issue: 'duplicate' },
  'site-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'site-name-taken': { disposition: 'reject', status: 409, issue: 'duplicate' },
  'care-team-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'care-team-name-taken': { disposition: 'reject', status: 409, issue: 'duplicate' },
  'staff-not-found': { disposition: 'reject', status: 422, issue: 'not-found' },
  'program-not-active': { disposition: 'reject', status: 422, issue: 'not-found' },
  'enrolment-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'enrolment-unfit': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'enrolment-overlaps': { disposition: 'reject', status: 409, issue: 'conflict' },
  'enrolment-span-wrong': { disposition: 'reject', status: 422, issue: 'value' },
  'consent-not-found': { disposition: 'reject', status: 404, issue: 'not-found' },
  'consent-not-of-patient': { disposition: 'reject', status: 422, issue: 'business-rule' },
  'consent-grantee-unknown': { disposition: 'reject', status: 422, issue: 'not-found' },
  'consent-span-wrong': { disposition: 'reject', status: 422, issue: 'value' },
  'disclosure-refused': { disposition: 'reject', status: 404, issue: 'not-found' },
} as const

export const subjectFailure = failures(subjectErrors)
