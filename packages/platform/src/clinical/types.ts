/** The types of the record: whose they are, and which of our rights opens them. Data; `rights.ts` and the store read it. */
import type { Resource as Right } from '@careloop/contract'

export interface ServedType {
  /** What of ours it shows: who may read, create, update or delete that may do so here. */
  readonly right: Right
  /** Elements that name whose it is, the first that is there decides. Without: of no subject. */
  readonly subject?: readonly string[]
  /** It must be of a patient, or of another subject, that is there. */
  readonly needsSubject?: true
  /** Of the organisation, not of a person: where it is of no subject, whoever has the right sees it. */
  readonly isCommon?: true
  /** Made, changed and ended by their room alone; clients read. */
  readonly isReadOnly?: true
  /** Served from the rows of its room: read and searched, without a history and without what is beside it. */
  readonly isElsewhere?: true
}

/** Whose the resource is, of the whole record of a person: of that name the resource itself is the subject. */
export const itself = 'itself'

export const servedTypes: Readonly<Record<string, ServedType>> = {
  AuditEvent: { right: 'audit', isCommon: true, isReadOnly: true },
  Binary: { right: 'reading', subject: ['securityContext'] },
  Bundle: { right: 'reading' },
  CarePlan: { right: 'enrolment', subject: ['subject'], needsSubject: true },
  CareTeam: { right: 'care-team', isCommon: true, subject: ['subject'] },
  Communication: { right: 'task', subject: ['subject'] },
  Consent: { right: 'consent', subject: ['patient'], needsSubject: true },
  DetectedIssue: { right: 'alert', subject: ['patient'] },
  Device: { right: 'device', isCommon: true, subject: ['patient'] },
  DeviceMetric: { right: 'device', isCommon: true },
  DeviceUseStatement: { right: 'assignment', subject: ['subject'], needsSubject: true },
  Encounter: { right: 'enrolment', subject: ['subject'], needsSubject: true },
  Flag: { right: 'alert', subject: ['subject'], needsSubject: true },
  Goal: { right: 'enrolment', subject: ['subject'], needsSubject: true },
  Group: { right: 'enrolment' },
  Location: { right: 'subject', isCommon: true, subject: [itself] },
  Observation: { right: 'reading', subject: ['subject'] },
  OperationOutcome: { right: 'system', isCommon: true, isReadOnly: true },
  Organization: { right: 'care-team', isCommon: true },
  Patient: { right: 'subject', subject: [itself] },
  PlanDefinition: { right: 'program', isCommon: true },
  Practitioner: { right: 'care-team', isCommon: true },
  PractitionerRole: { right: 'care-team', isCommon: true },
  Provenance: { right: 'reading', subject: ['target'] },
  Questionnaire: { right: 'program', isCommon: true },
  QuestionnaireResponse: { right: 'reading', subject: ['subject'] },
  RelatedPerson: { right: 'subject', subject: ['patient'], needsSubject: true },
  ServiceRequest: { right: 'task', subject: ['subject'], needsSubject: true },
  Subscription: { right: 'system', isCommon: true },
  Task: { right: 'task', subject: ['for'] },
}

/** Types that have a place of their own under the base; a Bundle is what is sent, an OperationOutcome what is answered. */
export const isServed = (type: string): boolean => Object.hasOwn(servedTypes, type)
