/** Subjects: who and what is looked after. Owns subject, subject_identifier, site, care_team, enrolment. */
export { wordsIn } from './body.ts'
export { audited, type By, byConsole, byOf, trailOf } from './by.ts'
export type { ConsentParts, Consents, Gate, Sharing, Telling } from './consent/consents.ts'
export type { Asker, Decision } from './consent/decide.ts'
export type { Disclosure, NewDisclosure } from './consent/disclosure.ts'
export type { ProgramSignals } from './consent/programs.ts'
export type { Shown, Thing } from './consent/shown.ts'
export type { Erased, Forget } from './erasure/erase.ts'
export { type Erasures, makeErasures } from './erasure/erasures.ts'
export { heldSubjects } from './erasure/holds.ts'
export {
  type ErasedEntry,
  exportLedger,
  headOf,
  type LedgerCopy,
  type LedgerHead,
  verifyLedger,
} from './erasure/ledger.ts'
export { assertNoneErased, keepLedgerFile, readLedgerFile } from './erasure/ledger-file.ts'
export { reapplyErasures } from './erasure/reapply.ts'
export { subjectErrors } from './errors.ts'
export { type ConsentSource, consentSources } from './fhir/consent-sources.ts'
export {
  type CareTeamSource,
  careTeamSources,
  patientsOfTeam,
  type SiteSource,
  siteSources,
} from './fhir/place-sources.ts'
export {
  consentIdsAfter,
  type EnrolmentSource,
  enrolmentIdsAfter,
  enrolmentSources,
  enrolmentsEnded,
  type SubjectSource,
  subjectIdsAfter,
  subjectSources,
} from './fhir/subject-sources.ts'
export { createByFhir, type FhirWrite, updateByFhir } from './fhir/write-subject.ts'
export type { NamedSubject } from './name-index.ts'
export { purposed } from './purpose.ts'
export { withReach } from './reach.ts'
export {
  assertSubject,
  isSeen,
  placesOf,
  type Sight,
  type Sighted,
  seenOf,
  seenThrough,
  sees,
  seesKind,
  sightCondition,
  sightOf,
  subjectNotFound,
} from './sight.ts'
export {
  endSight,
  type GrantReason,
  grantSight,
  outsideTeam,
  type SightEnding,
  type SightGranting,
} from './sight-grants.ts'
export { assertSite } from './sites.ts'
export { openSubjects, type Subject, type SubjectFilter } from './subject-store.ts'
export { makeSubjects, type Subjects } from './subjects.ts'
