/** The audit room: who did what, to whom, when and why. It is the first room, so that every other can record. */
export { openDetail, sealDetail } from './detail.ts'
export type {
  AuditAction,
  AuditEntry,
  AuditOutcome,
  PurposeOfUse,
  RecordedEntry,
  SealedDetail,
} from './entry.ts'
export { auditErrors } from './errors.ts'
export { type AuditEvent, toAuditEvent } from './fhir/audit-event.ts'
export { fhirTrail } from './fhir/fhir-trail.ts'
export { record } from './record.ts'
export { beginAnew } from './seal/begin-anew.ts'
export { NO_LINK } from './seal/checkpoint.ts'
export { findKeyFile } from './seal/find-key-file.ts'
export { openSigningKey, type SigningKey } from './seal/signing-key.ts'
export { sealingState } from './sealing-state.ts'
export { type Acknowledged, type AuditHealth, auditHealth, auditTrouble } from './sinks/acknowledged.ts'
export { type AuditSinkSettings, describeSinks, isElsewhere, readAuditSink } from './sinks/sink-settings.ts'
export { readTrail, type TrailQuery } from './trail.ts'
export {
  type DailyReach,
  dailyReach,
  failedSearches,
  pairsSeen,
  recordsTouched,
  type TouchedRecord,
  type TrailLooker,
  trailLookers,
} from './trail-sums.ts'
export type { Proof } from './verify/export-format.ts'
export { type ExportRange, exportTrail } from './verify/export-trail.ts'
export type { Finding } from './verify/finding.ts'
export { proveEntry, wrongWithProof } from './verify/prove.ts'
export { readSinkRecords } from './verify/sink-records.ts'
export { type VerifyReport, verifyExport } from './verify/verify-export.ts'
