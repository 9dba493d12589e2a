/**
 * HTTP bodies of compliance: who saw what, what is unusual about it, what was disclosed, whom a breach affects. Patients stand here by
 * opaque id only; a search by identifier is a POST, since an MRN must not stand in a URL.
 */
import { z } from 'zod'
import { Id, Instant } from './common.ts'
import { Role } from './identity.ts'

/** Whose record: by opaque id, or by an identifier that somebody asks with. */
export const AboutWhom = z.union([
  z.strictObject({ subject: Id }),
  z.strictObject({
    /** Without a system: whichever numbering system it is of. */
    identifier: z.strictObject({ system: z.string().min(1).max(200).optional(), value: z.string().min(1).max(200) }),
  }),
])
export type AboutWhom = z.infer<typeof AboutWhom>

const span = { from: Instant.optional(), to: Instant.optional() }

/** POST /api/v1/audit/search. All that is given must hold; newest first. */
export const AuditSearch = z.strictObject({
  about: AboutWhom.optional(),
  /** `staff:<id>`, `service:<id>`, `device:<id>`, `cli` ... */
  actor: z
    .string()
    .regex(/^[a-z]+(:[A-Za-z0-9._-]{1,64})?$/)
    .optional(),
  action: z
    .string()
    .regex(/^[a-z-]{1,32}$/)
    .optional(),
  requestId: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/)
    .optional(),
  outcome: z.enum(['success', 'denied', 'failed']).optional(),
  ...span,
  before: z
    .string()
    .regex(/^\d{1,19}$/)
    .optional(),
  limit: z.int().min(1).max(200).default(100),
})
export type AuditSearch = z.infer<typeof AuditSearch>
export type AuditSearchInput = z.input<typeof AuditSearch>

export const AuditActor = z.object({
  actor: z.string(),
  /** Of a member of staff, also one who has left; null for anybody else. */
  name: z.string().nullable(),
  roles: z.array(Role),
})
export type AuditActor = z.infer<typeof AuditActor>

export const AuditLine = z
  .object({
    id: z.string(),
    at: Instant,
    by: AuditActor,
    action: z.string(),
    outcome: z.string(),
    resource: z.string(),
    resourceId: z.string().nullable(),
    subject: Id.nullable(),
    purpose: z.string(),
    requestId: z.string().nullable(),
    /** Refusals of one kind within a minute are one line with their number. */
    times: z.int(),
  })
  .meta({ id: 'AuditLine' })
export type AuditLine = z.infer<typeof AuditLine>
export const AuditLines = z.object({ items: z.array(AuditLine), next: z.string().nullable() })
export type AuditLines = z.infer<typeof AuditLines>

/** POST /api/v1/audit/who-looked */
export const WhoLooked = z.strictObject({ about: AboutWhom, ...span })
export type WhoLooked = z.infer<typeof WhoLooked>
export const Looker = z.object({
  by: AuditActor,
  times: z.int(),
  firstAt: Instant,
  lastAt: Instant,
  actions: z.array(z.string()),
  purposes: z.array(z.string()),
  /** Some of it was refused. */
  denied: z.boolean(),
})
export type Looker = z.infer<typeof Looker>
export const Lookers = z.object({ subject: Id, items: z.array(Looker) })
export type Lookers = z.infer<typeof Lookers>

/** POST /api/v1/audit/disclosures: the accounting of 45 CFR 164.528, at most six years back. */
export const DisclosureLine = z.object({
  id: Id,
  at: Instant,
  /** Kind of recipient, its opaque id, and the name where it has no account here. */
  recipient: z.object({ kind: z.string(), id: z.string().nullable(), name: z.string().nullable() }),
  purpose: z.string(),
  description: z.string(),
  /** The notice against redisclosure (42 CFR 2.32) went with it. */
  noticed: z.boolean(),
  by: AuditActor,
})
export type DisclosureLine = z.infer<typeof DisclosureLine>
export const Disclosures = z.object({ subject: Id, items: z.array(DisclosureLine) })
export type Disclosures = z.infer<typeof Disclosures>

// ---------------------------------------------------------------- unusual access
export const unusualKinds = ['volume', 'own-name', 'watched-record'] as const
export const UnusualKind = z.enum(unusualKinds)
export type UnusualKind = z.infer<typeof UnusualKind>

export const UnusualAccess = z
  .object({
    id: Id,
    kind: UnusualKind,
    /** UTC date of the access. */
    day: z.iso.date(),
    by: AuditActor,
    /** Null for a volume, which concerns many. */
    subject: Id.nullable(),
    /** Records seen that day, and what is usual for the person (median of 28 days); of a volume only. */
    count: z.int().nullable(),
    usual: z.number().nullable(),
    foundAt: Instant,
  })
  .meta({ id: 'UnusualAccess' })
export type UnusualAccess = z.infer<typeof UnusualAccess>
export const UnusualAccessList = z.object({ items: z.array(UnusualAccess), checkedUntil: z.iso.date().nullable() })
export type UnusualAccessList = z.infer<typeof UnusualAccessList>

/** Records that are looked after more closely: people in the public eye, staff who are patients. */
export const WatchedRecord = z.object({ subject: Id, since: Instant, by: AuditActor })
export type WatchedRecord = z.infer<typeof WatchedRecord>
export const WatchedRecords = z.object({ items: z.array(WatchedRecord) })
export type WatchedRecords = z.infer<typeof WatchedRecords>
export const WatchRecord = z.strictObject({ about: AboutWhom, reason: z.string().trim().min(3).max(500) })
export type WatchRecord = z.infer<typeof WatchRecord>

// ---------------------------------------------------------------- breach
/** Factors of 45 CFR 164.402(2): each is judged in words before a breach is found improbable. */
export const breachFactors = ['nature-of-data', 'who-received-it', 'acquired-or-viewed', 'mitigation'] as const
export const BreachFactor = z.enum(breachFactors)
export type BreachFactor = z.infer<typeof BreachFactor>

export const BreachScope = z
  .strictObject({
    /** Whose access it was: stolen account, curious colleague, lost device. Empty = everybody's. */
    actors: z
      .array(z.string().regex(/^[a-z]+(:[A-Za-z0-9._-]{1,64})?$/))
      .max(100)
      .default([]),
    /** Whose records, when they are known otherwise. Empty = all that the actors saw. */
    subjects: z.array(Id).max(10_000).default([]),
    from: Instant,
    to: Instant,
  })
  .refine(({ from, to }) => from < to, { error: 'The end is before the beginning.', path: ['to'] })
  .refine(({ actors, subjects }) => actors.length + subjects.length > 0, {
    error: 'Say whose access it was, or whose records: else it is everybody.',
    path: ['actors'],
  })
export type BreachScope = z.infer<typeof BreachScope>

export const NewBreach = z.strictObject({
  /** When it was first known, or would have been by reasonable diligence: the clock of 60 days runs from here. */
  discoveredAt: Instant,
  what: z.string().trim().min(10).max(5_000).describe('What happened. Kept sealed.'),
  scope: BreachScope,
})
export type NewBreach = z.infer<typeof NewBreach>
export type NewBreachInput = z.input<typeof NewBreach>

export const BreachDecision = z.strictObject({
  version: z.int(),
  outcome: z.enum(['notifiable', 'low-probability']),
  factors: z.record(BreachFactor, z.string().trim().min(10).max(5_000)).describe('Kept sealed'),
})
export type BreachDecision = z.infer<typeof BreachDecision>

export const BreachStep = z.strictObject({
  version: z.int(),
  step: z.enum(['individuals', 'hhs', 'media', 'closed']),
})
export type BreachStep = z.infer<typeof BreachStep>

const Deadline = z.object({ dueAt: Instant, doneAt: Instant.nullable() })

export const BreachView = z
  .object({
    id: Id,
    status: z.enum(['assessing', 'notifiable', 'low-probability', 'closed']),
    discoveredAt: Instant,
    what: z.string(),
    scope: z.object({ actors: z.array(z.string()), subjects: z.array(Id), from: Instant, to: Instant }),
    /** People whose record was seen within the scope, as the trail tells; computed anew on demand. */
    affected: z.int(),
    computedAt: Instant,
    factors: z.record(BreachFactor, z.string()).nullable(),
    /** Null where it does not apply. */
    deadlines: z.object({ individuals: Deadline, hhs: Deadline, media: Deadline.nullable() }),
    openedBy: AuditActor,
    version: z.int(),
  })
  .meta({ id: 'BreachView' })
export type BreachView = z.infer<typeof BreachView>
export const BreachList = z.object({ items: z.array(BreachView) })
export type BreachList = z.infer<typeof BreachList>
export const AffectedPeople = z.object({
  items: z.array(z.object({ subject: Id, firstAt: Instant, lastAt: Instant, times: z.int() })),
  next: Id.nullable(),
})
export type AffectedPeople = z.infer<typeof AffectedPeople>
