/**
 * Roles, scopes, actions and resources: the words of access, and the HTTP bodies of sign-in, staff and service tokens.
 */
import { z } from 'zod'
import { type AnyRole as AnyRoleName, personRoles, type Role as RoleName, roles } from '../roles.ts'
import { Id, Instant } from './common.ts'

export const Role = z.enum(roles)
export type Role = RoleName
/** Of whoever is signed in: a member of staff, or the account of a patient or caregiver. */
export const AnyRole = z.enum([...roles, ...personRoles])
export type AnyRole = AnyRoleName

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
  /** Seeing a patient outside one's care teams in an emergency: with a reason, for a while, reviewed afterwards. */
  'break-glass',
  /** What an office has to look at besides clinical work: break-glass reviews, suspicious devices, unusual access. */
  'review',
  /** A screen on a wall: one board, read only. */
  'display',
  /** A one-time link by which somebody makes their own account. */
  'invitation',
  /** Where staff of an organisation sign in elsewhere (OpenID Connect). */
  'identity-provider',
  /** The account of a patient or caregiver. */
  'person-account',
  'erasure',
  'legal-hold',
  'key',
  'backup',
  /** An assessment of who was affected by a breach. */
  'breach',
  /** A program of others that speaks FHIR by SMART App Launch. */
  'app',
] as const
export type Resource = (typeof resources)[number]

/**
 * A scope of a service token: `<resource>:<action>`, `<resource>:*` or `*:*`. With a third word only of subjects of that kind:
 * `series:read:asset` reads refrigerators and no patient.
 */
export type Scope = `${Resource | '*'}:${Action | '*'}` | `${Resource | '*'}:${Action | '*'}:${ScopeKind}`
export const scopeKinds = ['patient', 'asset', 'location'] as const
type ScopeKind = (typeof scopeKinds)[number]
export const Scope = z.custom<Scope>(
  (value) => {
    if (typeof value !== 'string') return false
    const [resource, action, kind, rest] = value.split(':')
    if (rest !== undefined || resource === undefined || action === undefined) return false
    if (kind !== undefined && !(scopeKinds as readonly string[]).includes(kind)) return false
    const knownResource = resource === '*' || (resources as readonly string[]).includes(resource)
    return knownResource && (action === '*' || (actions as readonly string[]).includes(action))
  },
  {
    error:
      'Not a scope. Use <resource>:<action>, for example device:read; * stands for all; series:read:asset is of assets only.',
  },
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
    roles: z.array(AnyRole),
    tenant: z.object({ id: Id, name: z.string() }),
    /** Everything that is allowed, as `<resource>:<action>`: a page says why it disables the rest. */
    allowed: z.array(z.string()),
    /** ms without a human being after which the session is locked; null for a service. */
    idleLockMs: z.number().nullable(),
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
  /** They work with patients besides: administrators alone see none. */
  alsoWorksAs: z.enum(['nurse', 'physician']).optional(),
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
    /** An authenticator app or a passkey. */
    hasSecondFactor: z.boolean(),
  })
  .meta({ id: 'User' })
export type User = z.infer<typeof User>

/** GET /api/v1/colleagues: everybody who works here now, by name, as those who hand work to each other need it. No address. */
export const Colleague = z.object({ id: Id, displayName: z.string(), roles: z.array(Role) }).meta({ id: 'Colleague' })
export type Colleague = z.infer<typeof Colleague>
export const ColleagueList = z.object({ items: z.array(Colleague) })
export type ColleagueList = z.infer<typeof ColleagueList>

/** PUT /api/v1/users/{id}/roles */
export const UserRoles = z.strictObject({ roles: z.array(Role).min(1) })

/** A password that was made here: answered once, kept as a hash. */
export const OnePassword = z.object({ password: z.string() }).meta({ id: 'OnePassword' })

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

/**
 * What comes next. `signed-in`: nothing. `second-factor`: no session yet, a code or a passkey is wanted. `enrol-second-factor`: a
 * session that can do nothing but set up the second factor that the role demands. `change-password`: a session that can do nothing
 * but replace the password that was handed over. Tokens are in cookies only: no script and no log sees them.
 */
export const SignedIn = z
  .object({
    next: z.enum(['signed-in', 'second-factor', 'enrol-second-factor', 'change-password']),
    /** With which of them the second step can be passed. */
    factors: z.array(z.enum(['code', 'passkey'])).optional(),
    /** Who it is; not told before the second factor. */
    user: z.object({ id: Id, email: z.string(), name: z.string() }).optional(),
  })
  .meta({ id: 'SignedIn' })
export type SignedIn = z.infer<typeof SignedIn>

/** A code of the authenticator app (6 digits), or a backup code. Spaces and hyphens do not matter. */
const Code = z.string().trim().min(6).max(40)

/** POST /api/auth/sign-in/second-factor, /api/v1/second-factor/confirm and /backup-codes */
export const SecondFactorCode = z.strictObject({ code: Code })

const Base64Url = z
  .string()
  .max(8192)
  .regex(/^[A-Za-z0-9_-]*$/, 'Base64url is expected.')
/** Of extensions nothing is asked for and nothing is read; browsers send an object. */
const Unread = z.record(z.string().max(64), z.unknown())

/** What a browser says of a passkey that signed a challenge (WebAuthn's AuthenticationResponseJSON). */
export const PasskeyAnswer = z
  .object({
    id: Base64Url.min(1),
    rawId: Base64Url.min(1),
    type: z.literal('public-key'),
    response: z.object({
      clientDataJSON: Base64Url,
      authenticatorData: Base64Url,
      signature: Base64Url,
      userHandle: Base64Url.optional(),
    }),
    clientExtensionResults: Unread.default({}),
    authenticatorAttachment: z.enum(['platform', 'cross-platform']).optional(),
  })
  .meta({ id: 'PasskeyAnswer' })
export type PasskeyAnswer = z.infer<typeof PasskeyAnswer>

/** What a browser says of a passkey that it has just made (WebAuthn's RegistrationResponseJSON). */
export const MadePasskey = z
  .object({
    id: Base64Url.min(1),
    rawId: Base64Url.min(1),
    type: z.literal('public-key'),
    response: z.object({
      clientDataJSON: Base64Url,
      attestationObject: Base64Url,
      transports: z.array(z.string().max(20)).max(10).default([]),
    }),
    clientExtensionResults: Unread.default({}),
    authenticatorAttachment: z.enum(['platform', 'cross-platform']).optional(),
  })
  .meta({ id: 'MadePasskey' })

/** What the browser hands to the authenticator as it is (WebAuthn's ...OptionsJSON). */
export const PasskeyOptions = z.object({ options: z.record(z.string(), z.unknown()) }).meta({ id: 'PasskeyOptions' })
export type PasskeyOptions = z.infer<typeof PasskeyOptions>

/** POST /api/auth/sign-in/passkey: a passkey alone. */
export const PasskeySignIn = z.strictObject({
  passkey: PasskeyAnswer,
  /** false = the cookie ends with the browser. */
  rememberMe: z.boolean().default(true),
})

/** POST /api/auth/sign-in/second-factor/passkey: after the password. */
export const PasskeyStep = z.strictObject({ passkey: PasskeyAnswer })

/** POST /api/v1/passkeys: what it is called, for its owner's list. */
export const NewPasskey = z.strictObject({ name: z.string().trim().min(1).max(60), passkey: MadePasskey })

export const Passkey = z
  .object({
    id: Id,
    name: z.string(),
    createdAt: Instant,
    /** null = never yet */
    usedAt: Instant.nullable(),
    /** Kept by a provider on several machines, such as a telephone's cloud. */
    isSynced: z.boolean(),
    /** It looks as if there were a copy of it: it opens nothing any more. */
    isSuspected: z.boolean(),
  })
  .meta({ id: 'Passkey' })
export type Passkey = z.infer<typeof Passkey>

/** What proves again who asks; which is needed depends on what they have. */
export const Proof = z.strictObject({
  password: Password.optional(),
  code: Code.optional(),
  passkey: PasskeyAnswer.optional(),
})
export type Proof = z.infer<typeof Proof>

/** POST /api/v1/session/unlock: one of the three. */
export const Unlock = z.union([
  z.strictObject({ password: Password }),
  z.strictObject({ code: Code }),
  z.strictObject({ passkey: PasskeyAnswer }),
])
export type Unlock = z.infer<typeof Unlock>

/** POST /api/v1/session/step-up: one of the two. */
export const StepUp = z.union([z.strictObject({ code: Code }), z.strictObject({ passkey: PasskeyAnswer })])
export type StepUp = z.infer<typeof StepUp>

/** GET /api/v1/second-factor */
export const OwnSecondFactor = z
  .object({
    /** An app or a passkey. */
    isOn: z.boolean(),
    hasApp: z.boolean(),
    /** Those that open something. */
    passkeys: z.number().int(),
    /** The role demands one. */
    isNeeded: z.boolean(),
    backupCodesLeft: z.number().int(),
    /** Name of the identity provider at which this session's person can show again who they are; null = by nothing of theirs there. */
    atProvider: z.string().nullable(),
  })
  .meta({ id: 'OwnSecondFactor' })
export type OwnSecondFactor = z.infer<typeof OwnSecondFactor>

/** For an authenticator app: shown once, and of no worth before a code of it was given. */
export const OfferedSecret = z
  .object({
    /** Base32, for who cannot scan. */
    secret: z.string(),
    /** Key URI, for the QR code. */
    uri: z.string(),
  })
  .meta({ id: 'OfferedSecret' })
export type OfferedSecret = z.infer<typeof OfferedSecret>

/** Each opens once; shown once. */
export const BackupCodes = z.object({ codes: z.array(z.string()) }).meta({ id: 'BackupCodes' })
export type BackupCodes = z.infer<typeof BackupCodes>

/** POST /api/auth/change-password */
export const ChangePassword = z.strictObject({
  /** Not asked of who has just signed in with one that was handed over. */
  currentPassword: Password.optional(),
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
export type Session = z.infer<typeof Session>
