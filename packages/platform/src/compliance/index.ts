/** Compliance: who saw what, what is unusual about it, what went outside, whom a breach affects. Owns watched_record, unusual_access, breach. */
export { breachDeadlines } from './breach-deadlines.ts'
export { complianceErrors } from './errors.ts'
export { complianceFacts } from './facts.ts'
export { forgetWatch } from './forget-watch.ts'
export type { Colleague, ComplianceParts } from './office.ts'
