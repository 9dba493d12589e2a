/**
 * Requests and answers about subjects (patients, assets, locations), sites, teams and enrolments.
 * Bodies are FHIR R4 JSON, sealed at rest. Names, birth dates and identifiers are PHI: they travel in bodies, never in URLs.
 */
import { z } from 'zod'
import { Id, Instant } from './common.ts'

const zonePattern = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/

/** Whether `zone` is a name of the IANA time zone database that this runtime knows; offsets like `+01:00` are not. */
export function isTimeZone(zone: string): boolean {
  if (!zonePattern.test(zone)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

export const TimeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'Not an IANA time zone. Use a name such as Europe/Vienna or UTC.')
  .describe('IANA time zone name, e.g. Europe/Vienna')

export const SubjectKind = z.enum(['patient', 'asset', 'location'])
export type SubjectKind = z.infer<typeof SubjectKind>

// ---------------------------------------------------------------- FHIR parts
const text = (max: number) => z.string().trim().min(1).max(max)

export const FhirIdentifier = z.looseObject({
  system: z
    .string()
    .max(255)
    .regex(
      /^(https?:\/\/|urn:)\S+$/,
      'Give a URI that names the numbering system, e.g. urn:oid:2.16.840.1.113883.19.5',
    ),
  value: text(255),
})
export type FhirIdentifier = z.infer<typeof FhirIdentifier>

const HumanName = z.looseObject({
  use: z.enum(['usual', 'official', 'temp', 'nickname', 'anonymous', 'old', 'maiden']).optional(),
  text: text(255).optional(),
  family: text(255).optional(),
  given: z.array(text(255)).max(10).optional(),
})
const Address = z.looseObject({
  text: text(500).optional(),
  line: z.array(text(255)).max(5).optional(),
  city: text(255).optional(),
  district: text(255).optional(),
  state: text(255).optional(),
  postalCode: text(32).optional(),
  country: text(255).optional(),
})
const ContactPoint = z.looseObject({
  system: z.enum(['phone', 'fax', 'email', 'pager', 'url', 'sms', 'other']),
  value: text(255),
  use: z.enum(['home', 'work', 'temp', 'old', 'mobile']).optional(),
})
const identifiers = z.array(FhirIdentifier).max(50).optional()

export const PatientResource = z.looseObject({
  resourceType: z.literal('Patient'),
  identifier: identifiers,
  name: z.array(HumanName).min(1).max(10),
  telecom: z.array(ContactPoint).max(20).optional(),
  gender: z.enum(['male', 'female', 'other', 'unknown']).optional(),
  birthDate: z
    .string()
    .regex(/^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/, 'Use YYYY, YYYY-MM or YYYY-MM-DD.')
    .optional(),
  address: z.array(Address).max(10).optional(),
})

export const AssetResource = z.looseObject({
  resourceType: z.literal('Device'),
  identifier: identifiers,
  deviceName: z
    .array(z.looseObject({ name: text(255), type: z.string().max(64) }))
    .min(1)
    .max(10),
  manufacturer: text(255).optional(),
  modelNumber: text(255).optional(),
  serialNumber: text(255).optional(),
})

export const LocationResource = z.looseObject({
  resourceType: z.literal('Location'),
  identifier: identifiers,
  name: text(255),
  description: text(2000).optional(),
  address: Address.optional(),
})

/** What is typed in: a name that people can read, identifiers that say in whose numbering. */
export const NewSubjectResource = z.discriminatedUnion('resourceType', [
  PatientResource,
  AssetResource,
  LocationResource,
])
export type NewSubjectResource = z.infer<typeof NewSubjectResource>

/** An element as FHIR R4 allows it: what came from a record system may lack what we would ask a person for. */
const loosely = <Shape extends z.ZodRawShape>(shape: Shape) => z.array(z.looseObject(shape)).optional()
const word = z.string().optional()
const looseIdentifiers = loosely({ use: word, system: word, value: word })
const looseAddress = z.looseObject({
  ...{ text: word, line: z.array(z.string()).optional(), city: word, district: word },
  ...{ state: word, postalCode: word, country: word },
})

/** What is kept and shown: any Patient, Device or Location that is valid FHIR R4. */
export const SubjectResource = z.discriminatedUnion('resourceType', [
  z.looseObject({
    resourceType: z.literal('Patient'),
    identifier: looseIdentifiers,
    name: loosely({ use: word, text: word, family: word, given: z.array(z.string().nullable()).optional() }),
    telecom: loosely({ system: word, value: word, use: word }),
    ...{ gender: word, birthDate: word, address: z.array(looseAddress).optional() },
  }),
  z.looseObject({
    ...{ resourceType: z.literal('Device'), identifier: looseIdentifiers },
    deviceName: loosely({ name: word, type: word }),
    ...{ manufacturer: word, modelNumber: word, serialNumber: word },
  }),
  z.looseObject({
    ...{ resourceType: z.literal('Location'), identifier: looseIdentifiers, name: word, description: word },
    address: looseAddress.optional(),
  }),
])
export type SubjectResource = z.infer<typeof SubjectResource>

// ---------------------------------------------------------------- subjects
/** `kind` follows from `resource.resourceType`: Patient -> patient, Device -> asset, Location -> location. */
export const NewSubject = z.strictObject({
  timeZone: TimeZone,
  site: Id.optional(),
  team: Id.optional().describe('Care team'),
  letGo: z
    .boolean()
    .optional()
    .describe('Said by who gives a patient to a care team that is not theirs: they see the patient no longer'),
  resource: NewSubjectResource,
})
export type NewSubject = z.infer<typeof NewSubject>

/** The whole new state. `version` is the one that was read; another one meanwhile answers 409 `subject-moved`. */
export const SubjectUpdate = NewSubject.extend({ resource: SubjectResource, version: z.int().positive() })
export type SubjectUpdate = z.infer<typeof SubjectUpdate>

export const SubjectSummary = z.object({
  id: Id,
  kind: SubjectKind,
  /** Name to show to a person: PHI. */
  display: z.string(),
  birthDate: z.string().optional(),
  timeZone: z.string(),
  site: Id.nullable(),
  team: Id.nullable(),
})
export type SubjectSummary = z.infer<typeof SubjectSummary>

export const SubjectView = SubjectSummary.extend({
  version: z.int(),
  createdAt: Instant,
  updatedAt: Instant,
  resource: SubjectResource,
})
export type SubjectView = z.infer<typeof SubjectView>

const page = { after: Id.optional(), limit: z.coerce.number().int().min(1).max(500).default(100) }

export const SubjectListQuery = z.strictObject({
  kind: SubjectKind.optional(),
  site: Id.optional(),
  team: Id.optional(),
  ...page,
})
export type SubjectListQuery = z.infer<typeof SubjectListQuery>

/** `next` is the `after` of the next page, null on the last. */
export const SubjectList = z.object({ items: z.array(SubjectSummary), next: Id.nullable() })
export type SubjectList = z.infer<typeof SubjectList>

/** By words of name, address or birth date (each word a prefix, case and accents ignored), by exact identifier, or by ids. */
export const SubjectSearch = z
  .strictObject({
    text: text(200).optional(),
    identifier: z.strictObject({ system: z.string().max(255), value: text(255) }).optional(),
    phone: text(64).optional(),
    email: text(255).optional(),
    ids: z.array(Id).min(1).max(500).optional(),
    kind: SubjectKind.optional(),
    limit: z.int().min(1).max(500).default(50),
  })
  .refine(
    (q) => [q.text, q.identifier, q.phone, q.email, q.ids].filter((v) => v !== undefined).length === 1,
    'Give exactly one of text, identifier, phone, email and ids.',
  )
export type SubjectSearch = z.infer<typeof SubjectSearch>

export const SubjectFound = z.object({ items: z.array(SubjectSummary) })
export type SubjectFound = z.infer<typeof SubjectFound>

// ---------------------------------------------------------------- sites and teams
export const NewSite = z.strictObject({ name: text(120), timeZone: TimeZone })
export type NewSite = z.infer<typeof NewSite>
export const SiteView = NewSite.extend({ id: Id })
export type SiteView = z.infer<typeof SiteView>
export const SiteList = z.object({ items: z.array(SiteView) })
export type SiteList = z.infer<typeof SiteList>

/** Ids of staff users, as identity gives them. */
export const UserId = z.string().min(1).max(64)
export const NewCareTeam = z.strictObject({
  name: text(120),
  site: Id.optional(),
  members: z.array(UserId).max(500).default([]),
})
export type NewCareTeam = z.infer<typeof NewCareTeam>
export const CareTeamMembers = z.strictObject({
  members: z.array(UserId).max(500),
  /** Said that a team with patients is left without anybody: only owners of their enrolments see them then. */
  letGo: z.boolean().optional(),
})
export type CareTeamMembers = z.infer<typeof CareTeamMembers>
export const CareTeamView = z.object({
  id: Id,
  name: z.string(),
  site: Id.nullable(),
  members: z.array(UserId),
})
export type CareTeamView = z.infer<typeof CareTeamView>
export const CareTeamList = z.object({ items: z.array(CareTeamView) })
export type CareTeamList = z.infer<typeof CareTeamList>

// ---------------------------------------------------------------- enrolments
export const ProgramCode = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'Use the program code, e.g. home-blood-pressure.')

/** Takes a subject into a program. `owner` acts on its alerts; `backup` when the owner does not answer. */
export const NewEnrolment = z.strictObject({
  program: ProgramCode,
  owner: UserId,
  backup: UserId.optional(),
  from: Instant.optional().describe('Now, when absent'),
  to: Instant.optional().describe('Open, when absent'),
})
export type NewEnrolment = z.infer<typeof NewEnrolment>
export const EnrolmentUpdate = z.strictObject({ owner: UserId, backup: UserId.nullable() })
export type EnrolmentUpdate = z.infer<typeof EnrolmentUpdate>
export const EnrolmentEnd = z.strictObject({ to: Instant.optional().describe('Now, when absent') })
export type EnrolmentEnd = z.infer<typeof EnrolmentEnd>
export const EnrolmentView = z.object({
  id: Id,
  subject: Id,
  program: ProgramCode,
  owner: UserId,
  backup: UserId.nullable(),
  from: Instant,
  /** null = open */
  to: Instant.nullable(),
})
export type EnrolmentView = z.infer<typeof EnrolmentView>
export const EnrolmentList = z.object({ items: z.array(EnrolmentView) })
export type EnrolmentList = z.infer<typeof EnrolmentList>
