/** Subjects: who and what is looked after. Owns subject, subject_identifier, site, care_team, enrolment. */
export { audited, type By, byConsole, byOf, isOfKind, kindsOf } from './by.ts'
export { subjectErrors } from './errors.ts'
export type { NamedSubject } from './name-index.ts'
export { assertSite } from './sites.ts'
export { assertSubject, type Subject, type SubjectFilter } from './subject-store.ts'
export { makeSubjects, type Subjects } from './subjects.ts'
