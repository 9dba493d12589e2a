/**
 * Roles, scopes, actions and resources: the words of access, and the HTTP bodies of sign-in, staff and service tokens.
 */
import { z } from 'zod'
import { Id, Instant } from './common.ts'

/** What a person does in an organisation. A person may hold several. */
export const roles = [
  'nurse',
  'physician',
  'facilities',
  'pharmacist',
  'biomed',
  'administrator',
  'compliance',
  'integrator',
] as const
export type Role = (typeof roles)[number]
export const Role = z.enum(roles)

/** What may be done with a resource. `act` = handle (claim, acknowledge, complete, close, replay, activate). */
export const actions = ['read', 'create', 'update', 'delete', 'act'] as const
export type Action = (typeof actions)[number]

/** What a policy protects. Singular, one word per thing as in the glossary. */
export const resources = [
  'subject',
  'site',
  'care-team',
  'enrolment',
  'consent',
  'device',
  'gateway',
  'certificate',
  'assignment',
  'credential',
  'reading',
  'series',
  'gap',
  'quarantine',
  'program',
  'rule',
  'alert',
  'silence',
  'task',
  'team',
  'shift',
  'live',
  'audit',
  'user',
  'service-token',
  'tenant',
  'system',
  'vocabulary',
  'profile',
  /** What staff did and for how long: who, for whom, from, to. */
  'activity',
  /** What tells a member of staff that something waits; each reads and settles their own. */
  'notification',
  /** A limit of one subject that differs from its program's. */
  'override',
  /** The wall view of places and things: cold chain, cabinets. */
  'board',
] as const
export type Resource = (typeof resources)[number]

/** A scope of a service token: `<resource>:<action>`, `<resource>:*` or `*:*`. */
export type Scope = `${Resource | '*'}:${Action | '*'}`
export const Scope = z.custom<Scope>(
  (value) => {
    if (typeof value !== 'string') return false
    const [resource, action, rest] = value.split(':')
    if (rest !== undefined || resource === undefined || action === undefined) return false
    const knownResource = resource === '*' || (resources as readonly string[]).includes(resource)
    return knownResource && (action === '*' || (actions as readonly string[]).includes(action))
  },
  { error: 'Not a scope. Use <resource>:<action>, for example device:read; * stands for all.' },
)

/** Name of a person or organisation, as staff see it. */
const Name = z.string().trim().min(1).max(200)
const Email = z.email().max(254)
const Password = z.string().min(1).max(1024)

/** GET /api/v1/me: who is signed in, and what the pages may offer. */
export const Me = z
  .object({
    kind: z.enum(['staff', 'service']),
    /** User id, or the service token's. */
    id: Id,
    displayName: z.string(),
    roles: z.array(Role),
    tenant: z.object({ id: Id, name: z.string() }),
    /** Everything that is allowed, as `<resource>:<action>`: a page says why it disables the rest. */
    allowed: z.array(z.string()),
  })
  .meta({ id: 'Me' })
export type Me = z.infer<typeof Me>

/** POST /api/v1/setup: the first administrator, with the one-time token of the link that the first start prints. */
export const SetUp = z.strictObject({
  token: z.string().min(8).max(200),
  tenantName: Name,
  displayName: Name,
  email: Email,
  password: Password,
})
export type SetUp = z.infer<typeof SetUp>

export const User = z
  .object({
    id: Id,
    email: z.string(),
    displayName: z.string(),
    roles: z.array(Role),
    createdAt: Instant,
    /** null = works here now */
    endedAt: Instant.nullable(),
  })
  .meta({ id: 'User' })

/** GET /api/v1/colleagues: everybody who works here now, by name, as those who hand work to each other need it. No address. */
export const Colleague = z.object({ id: Id, displayName: z.string(), roles: z.array(Role) }).meta({ id: 'Colleague' })
export type Colleague = z.infer<typeof Colleague>
export const ColleagueList = z.object({ items: z.array(Colleague) })
export type ColleagueList = z.infer<typeof ColleagueList>

/** POST /api/v1/users */
export const NewUser = z.strictObject({
  email: Email,
  displayName: Name,
  roles: z.array(Role).min(1),
  /** Left out: one is made and answered, once. */
  password: Password.optional(),
})

export const ServiceToken = z
  .object({
    id: Id,
    name: z.string(),
    scopes: z.array(Scope),
    createdAt: Instant,
    expiresAt: Instant.nullable(),
    revokedAt: Instant.nullable(),
  })
  .meta({ id: 'ServiceToken' })

/** POST /api/v1/service-tokens */
export const NewServiceToken = z.strictObject({
  name: Name,
  scopes: z.array(Scope).min(1).max(100),
  /** Left out: good until revoked. */
  expiresAt: Instant.optional(),
})

/** POST /api/auth/sign-in/email */
export const SignIn = z.strictObject({
  email: z.string().min(1).max(254),
  password: Password,
  /** false = the cookie ends with the browser. */
  rememberMe: z.boolean().default(true),
})

/** The session's token is in the cookie only: no script and no log sees it. */
export const SignedIn = z
  .object({ user: z.object({ id: Id, email: z.string(), name: z.string() }) })
  .meta({ id: 'SignedIn' })

/** POST /api/auth/change-password */
export const ChangePassword = z.strictObject({
  currentPassword: Password,
  newPassword: Password,
  revokeOtherSessions: z.boolean().default(true),
})

/** One sign-in of a person that has not ended. */
export const Session = z
  .object({
    id: Id,
    isThis: z.boolean(),
    createdAt: Instant,
    expiresAt: Instant,
    ip: z.string().nullable(),
    userAgent: z.string().nullable(),
  })
  .meta({ id: 'Session' })
