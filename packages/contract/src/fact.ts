/**
 * Facts: what rooms tell each other, written to the outbox in the same transaction as the change they tell of.
 * They carry opaque ids only, never PHI. docs/facts.md lists them; a test holds the two together.
 */
import type { DeviceOddity } from './device-oddity.ts'

export interface FactBodies {
  /** A session ended or was locked, or what a person or service may do changed. `principal`: user id, or id of the service token. */
  AccessChanged: { principal: string }
  SubjectChanged: { subject: string }
  /** Somebody proposed to erase a subject for ever; another person decides. */
  ErasureProposed: { erasure: string; subject: string }
  ErasureDecided: { erasure: string; subject: string; status: 'refused' | 'withdrawn' }
  /** Its key is destroyed: whoever keeps anything of it in memory forgets it now. */
  SubjectErased: { subject: string }
  LegalHoldChanged: { subject: string }
  SiteChanged: { site: string }
  /** Members of a care team changed: what each of them may see of patients is read anew. */
  CareTeamChanged: { team: string }
  /** What one person may see of patients changed: a task, break-glass, an account, a consent. */
  SightChanged: { user: string }
  /** Somebody permitted, forbade or withdrew something: streams, notifications and exports are decided anew. */
  ConsentChanged: { consent: string; subject: string; grantee: string | null }
  EnrolmentChanged: { enrolment: string; subject: string; program: string }
  DeviceEnrolled: { device: string }
  DeviceChanged: { device: string }
  DeviceSettingsChanged: { device: string }
  CredentialRevoked: { device: string; credential: string }
  /** At most once a day a device and reason. */
  DeviceSuspicious: { device: string; reason: DeviceOddity }
  AssignmentChanged: { device: string; since: number }
  FrameQuarantined: { quarantine: string; reason: string }
  QuarantineReplayed: { quarantine: string; outcome: string }
  SeriesMoved: { device: string; from: string; to: string }
  GapChanged: { gap: string; series: string }
  /** A client wrote a FHIR resource; `kind` is its type, `rid` its opaque id. */
  ClinicalChanged: { kind: string; rid: string; subject?: string }
  /** An Observation of a device's readings lies outside of the usual. `resource`: its opaque id. */
  ReadingOutOfRange: { resource: string; subject: string }
  RuleActivated: { rule: string; version: number }
  /** `catchingUp`: the log was behind when it was decided; whoever pages asks again whether it still stands. */
  AlertRaised: {
    alert: string
    subject: string
    rule: string
    priority: string
    historic: boolean
    catchingUp?: boolean
  }
  /** `wasSeen`: somebody had acknowledged it; that is void now. */
  AlertRecurred: { alert: string; subject: string; catchingUp?: boolean; wasSeen?: boolean }
  AlertCleared: { alert: string; subject: string }
  AlertEvidenceChanged: { alert: string; subject: string; wrongSubject: boolean }
  AlertClosed: { alert: string; subject: string }
  AlertReopened: { alert: string; subject: string }
  /** `role`: nobody who works here has it, and the rule's owner or backup does. */
  RuleUnreachable: { rule: string; role: string }
  TaskOpened: { task: string; subject: string }
  TaskChanged: { task: string; subject: string; status: string }
  TaskHandedOff: { task: string; subject: string; to: string }
  /** The time limit of a task passed and nobody has completed it. Told once a limit. */
  TaskOverdue: { task: string; subject: string }
  /** A notification stands in somebody's pages. */
  Notified: { intent: string; task?: string; review?: string; recipient: string }
  /** The mail server did not take it, again and again; trying goes on. */
  DeliveryFailed: { intent: string; task: string }
  /** The endpoint of a subscription took nothing for too long. `subscription`: its opaque id. */
  SubscriptionFailed: { subscription: string; reason: string }
  /** `role`: who closes it. */
  ReviewOpened: { review: string; role: string }
  ReviewChanged: { review: string }
  /** Somebody took emergency access to a patient. */
  BreakGlassOpened: { access: string; subject: string; user: string; reason: string }
  /** Somebody tried again and again, and no one patient was found. */
  BreakGlassMissed: { miss: string; user: string }
  DisplayChanged: { display: string }
  /** Somebody saw very many records, that of a namesake, or one that is watched. A question, no judgement. */
  UnusualAccessFound: { finding: string; user: string; subject?: string; reason: string }
  BreachChanged: { breach: string }
}

export type FactType = keyof FactBodies

/** One fact as it is written. */
export type NewFact = { [T in FactType]: { type: T } & FactBodies[T] }[FactType]

/** One fact as it is read: `position` orders facts and is the SSE `Last-Event-ID`. */
export interface Fact<T extends FactType = FactType> {
  readonly position: string
  readonly tenant: string
  readonly type: T
  readonly body: FactBodies[T]
  readonly at: number
}
