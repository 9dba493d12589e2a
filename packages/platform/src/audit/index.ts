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
export { record } from './record.ts'
export { readTrail, type TrailQuery } from './trail.ts'
