/** Accounts of patients and caregivers: invited at a chart, made by a code on paper. */
import { z } from 'zod'
import { Id, Instant } from './common.ts'

export const PersonKind = z.enum(['patient', 'caregiver'])
export type PersonKind = z.infer<typeof PersonKind>

/** What a caregiver is to the patient. */
export const Relationship = z.enum([
  'partner',
  'parent',
  'child',
  'sibling',
  'friend',
  'guardian',
  'professional',
  'other',
])
export type Relationship = z.infer<typeof Relationship>

/** POST /api/v1/subjects/{id}/accounts */
export const InvitePerson = z
  .strictObject({
    kind: PersonKind,
    relationship: Relationship.optional(),
  })
  .refine(({ kind, relationship }) => (kind === 'caregiver') === (relationship !== undefined), {
    path: ['relationship'],
    error: 'Say what a caregiver is to the patient; a patient is themselves.',
  })
export type InvitePerson = z.infer<typeof InvitePerson>

/** The code to print or write down: answered once. */
export const PersonInvited = z.object({ id: Id, code: z.string(), expiresAt: Instant }).meta({ id: 'PersonInvited' })
export type PersonInvited = z.infer<typeof PersonInvited>

export const PersonAccount = z
  .object({
    id: Id,
    kind: PersonKind,
    relationship: Relationship.nullable(),
    /** Of a caregiver, as they wrote it; null for the patient and before the account is made. */
    name: z.string().nullable(),
    state: z.enum(['invited', 'expired', 'active', 'ended']),
    createdAt: Instant,
    expiresAt: Instant,
    activatedAt: Instant.nullable(),
    /** Whom consents and grants name; null before the account is made. */
    user: Id.nullable(),
  })
  .meta({ id: 'PersonAccount' })
export type PersonAccount = z.infer<typeof PersonAccount>
export const PersonAccountList = z.object({ items: z.array(PersonAccount) })
export type PersonAccountList = z.infer<typeof PersonAccountList>

/** POST /api/auth/person/activate */
export const ActivatePerson = z.strictObject({
  /** Case, blanks and hyphens do not matter. */
  code: z.string().trim().min(8).max(40),
  /** The patient's, also for a caregiver. */
  birthDate: z.iso.date(),
  /** E-mail or telephone number: what they will sign in with. */
  login: z.string().trim().min(5).max(254),
  /** A caregiver's own name; a patient's stands in the chart. */
  name: z.string().trim().min(1).max(200).optional(),
  password: z.string().min(1).max(1024),
})
export type ActivatePerson = z.infer<typeof ActivatePerson>

/** GET /api/v1/me/person: what the account of a patient or caregiver is for. */
export const OwnPerson = z
  .object({
    kind: PersonKind,
    /** A caregiver's own name; null for the patient, whose name is their chart's. */
    name: z.string().nullable(),
    /** The patient themselves; null for a caregiver, who sees whom a consent lets them see. */
    subject: Id.nullable(),
  })
  .meta({ id: 'OwnPerson' })
export type OwnPerson = z.infer<typeof OwnPerson>
