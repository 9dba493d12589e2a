/**
 * Consents over HTTP: what a person allowed or forbade, to whom, of what, from when until when. The record is a FHIR R4 Consent;
 * these are the words in which it is taken and shown.
 */
import { z } from 'zod'
import { signalClasses } from '../vocabulary/signal-class.ts'
import { Id, Instant } from './common.ts'

const SharedClass = z.enum(signalClasses)

/** Codes of HL7 v3 ActReason: treatment, payment, operations, the patient's own request, research, legal proceedings. */
export const consentPurposes = ['TREAT', 'HPAYMT', 'HOPERAT', 'PATRQT', 'HRESCH', 'HLEGAL'] as const
export const ConsentPurpose = z.enum(consentPurposes)
export type ConsentPurpose = z.infer<typeof ConsentPurpose>

/** Codes of HL7 v3 ActCode that mark records under 42 CFR Part 2. */
export const part2Labels = ['ETH', 'SUD'] as const
export const Part2Label = z.enum(part2Labels)
export type Part2Label = z.infer<typeof Part2Label>

export const granteeKinds = ['caregiver', 'integration', 'research', 'treatment'] as const
export const GranteeKind = z.enum(granteeKinds)
export type GranteeKind = z.infer<typeof GranteeKind>

/** How it was made sure that the person, or who may speak for them, said so. */
export const consentVerifications = ['signed-paper', 'verbal-with-witness', 'own-account'] as const
export const ConsentVerification = z.enum(consentVerifications)
export type ConsentVerification = z.infer<typeof ConsentVerification>

export const consentStatuses = ['active', 'inactive', 'entered-in-error'] as const
export const ConsentStatus = z.enum(consentStatuses)

/** POST /api/v1/subjects/{id}/consents */
export const NewConsent = z
  .strictObject({
    decision: z.enum(['permit', 'deny']),
    grantee: z.strictObject({
      kind: GranteeKind,
      /** Account of the caregiver, service token of the system, or the study; absent for `treatment`. */
      id: z.string().trim().min(1).max(64).optional(),
    }),
    /** Empty = all classes. */
    classes: z.array(SharedClass).max(signalClasses.length).default([]),
    /** Empty = those that fit the grantee. */
    purposes: z.array(ConsentPurpose).max(consentPurposes.length).default([]),
    /** Records under 42 CFR Part 2 are shared only where this is said. */
    part2: z.boolean().default(false),
    /** Default: now. */
    from: Instant.optional(),
    /** Absent = until it is withdrawn. */
    until: Instant.optional(),
    verification: z.strictObject({
      how: ConsentVerification,
      /** Who witnessed it, where the paper lies. Sealed. */
      note: z.string().trim().min(1).max(500).optional(),
    }),
  })
  .meta({ id: 'NewConsent' })
export type NewConsent = z.input<typeof NewConsent>

/** POST /api/v1/subjects/{id}/consents/{consent}/withdraw */
export const WithdrawConsent = z.strictObject({
  /** Sealed. A person need give none for their own. */
  reason: z.string().trim().min(1).max(500).optional(),
  /** It was never given: a mistake in recording. */
  enteredInError: z.boolean().default(false),
})
export type WithdrawConsent = z.input<typeof WithdrawConsent>

export const ConsentView = z
  .object({
    id: Id,
    subject: Id,
    version: z.int(),
    status: ConsentStatus,
    /** Whether it counts now: active, begun, not over. */
    inForce: z.boolean(),
    decision: z.enum(['permit', 'deny']),
    grantee: z.object({ kind: GranteeKind, id: z.string().optional(), name: z.string().optional() }),
    classes: z.array(SharedClass),
    purposes: z.array(ConsentPurpose),
    part2: z.boolean(),
    from: Instant,
    until: Instant.optional(),
    endedAt: Instant.optional(),
    verification: z.object({ how: ConsentVerification, note: z.string().optional() }),
    recordedAt: Instant,
    /** As in the audit trail: `staff:<id>`. */
    recordedBy: z.string(),
  })
  .meta({ id: 'Consent' })
export type ConsentView = z.infer<typeof ConsentView>

export const ConsentList = z.object({ items: z.array(ConsentView) })
export type ConsentList = z.infer<typeof ConsentList>

/** One version of a consent: who wrote it and the FHIR R4 Consent itself. */
export const ConsentVersion = z.object({
  version: z.int(),
  at: Instant,
  by: z.string(),
  reason: z.string().optional(),
  resource: z.looseObject({ resourceType: z.literal('Consent') }),
})
export const ConsentHistory = z.object({ items: z.array(ConsentVersion) })
export type ConsentHistory = z.infer<typeof ConsentHistory>

/** GET and PUT /api/v1/consent-settings */
export const ConsentSettings = z
  .strictObject({
    /** The organisation runs a program under 42 CFR Part 2: what is marked so is for that program's team only. */
    holdsPart2: z.boolean(),
    /** Service tokens of the organisation's own programs: they treat without consent, as staff do. All others need a consent. */
    ownServices: z.array(Id).max(100),
  })
  .meta({ id: 'ConsentSettings' })
export type ConsentSettings = z.infer<typeof ConsentSettings>

/** 42 CFR 2.32(a)(1): accompanies every disclosure of records under Part 2, word for word. */
export const redisclosureNotice =
  'This record which has been disclosed to you is protected by federal confidentiality rules (42 CFR part 2). These rules prohibit you ' +
  'from using or disclosing this record, or testimony that describes the information contained in this record, in any civil, criminal, ' +
  'administrative, or legislative proceedings by any Federal, State, or local authority, against the patient, unless authorized by the ' +
  'consent of the patient, except as provided at 42 CFR 2.12(c)(5) or as authorized by a court in accordance with 42 CFR 2.64 or 2.65. ' +
  'In addition, the federal rules prohibit you from making any other use or disclosure of this record unless at least one of the ' +
  'following applies: (i) Further use or disclosure is expressly permitted by the written consent of the individual whose information is ' +
  'being disclosed in this record or as otherwise permitted by 42 CFR part 2. (ii) You are a covered entity or business associate and ' +
  'have received the record pursuant to a consent for treatment, payment, or health care operations. (iii) You have received the record ' +
  'from a covered entity or business associate as permitted by 45 CFR part 164, subparts A and E.'

/** 42 CFR 2.32(a)(2): the short form, in the header `careloop-notice` of an answer that holds such records. */
export const redisclosureMark = '42 CFR part 2 prohibits unauthorized use or disclosure of these records.'
