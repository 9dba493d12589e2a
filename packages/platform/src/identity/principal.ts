/**
 * Who asks. Four kinds, never one: a member of staff (a session), a program (a service token), a device and a wall
 * screen (each by its own credential).
 * A principal belongs to exactly one tenant for the life of a request.
 */
import type { AnyRole, DisplayBoard, Scope } from '@careloop/contract'
import type { SealedDetail } from '../audit/index.ts'

export interface StaffPrincipal {
  readonly kind: 'staff'
  readonly tenant: string
  /** User id: opaque, what audit entries carry. */
  readonly id: string
  /** Shown to colleagues. Never in logs, errors or URLs. */
  readonly displayName: string
  readonly roles: readonly AnyRole[]
  readonly session: string
  /** An authenticator app or a passkey. */
  readonly hasSecondFactor?: boolean
  /** ms: when a second factor was last proved in this session; absent: never. */
  readonly provedAt?: number
  /** Absent: free to act. Only routes with the policy `session` see somebody who is held. */
  readonly held?: Hold
  /** Of patients, what they are attached to; the api reads it for each request. Absent: no patient at all. */
  readonly reach?: Reach
  /** The app that asks in their name, by SMART: no more than both may. Only routes with the policy `fhir` see it. */
  readonly app?: AppGrant
}

/** What an app was granted by SMART App Launch. It narrows what its person or program may, and widens nothing. */
export interface AppGrant {
  /** Client id: opaque, what audit entries carry. */
  readonly client: string
  /** As its administrators registered it; shown to people. */
  readonly name: string
  readonly scopes: readonly SmartScope[]
  /** Subject id of the patient in context: all that scopes of a patient open. */
  readonly patient?: string
  /** The client id, sealed for the trail: every entry of what it does bears it. */
  readonly detail?: SealedDetail
}

/** create, read, update, delete, search. */
export type SmartAccess = 'c' | 'r' | 'u' | 'd' | 's'

/** One scope over resources; identity/oauth/scopes.ts parses it and asks it (`admits`). */
export interface SmartScope {
  readonly context: 'patient' | 'user' | 'system'
  /** A FHIR type, `*` = all. */
  readonly type: string
  readonly access: ReadonlySet<SmartAccess>
  /** Search parameters that a resource must match, all of them. */
  readonly filters: readonly (readonly [name: string, value: string])[]
}

/**
 * Which patients somebody is attached to, as it stands at one request. Subjects reads it (`readReach`); here only its shape stands,
 * because a principal carries it.
 */
export interface Reach {
  /** Care teams of which they are a member: the patients of these are theirs. */
  readonly teams: readonly string[]
  /** Patients in no care team are theirs too: a clinic that makes no care teams works as one. */
  readonly teamless: boolean
  /** Patients one by one, beyond their teams. */
  readonly subjects: ReadonlyMap<string, SubjectReach>
}

/** Why one patient is within reach. `owner`: owner or backup of an enrolment that has not ended. */
export type ReachReason = 'owner' | 'task' | 'break-glass' | 'self' | 'consent'

export interface SubjectReach {
  readonly why: ReadonlySet<ReachReason>
  /** Signals that may be seen of this patient; absent = all. What a consent leaves out is not there. */
  readonly signals?: ReadonlySet<string>
}

/**
 * `locked`: nobody was active, or somebody locked it. `password-change-needed`: somebody else knows the password.
 * `second-factor-needed`: the role demands one and there is none yet.
 */
export type Hold = 'locked' | 'password-change-needed' | 'second-factor-needed'

export interface ServicePrincipal {
  readonly kind: 'service'
  readonly tenant: string
  /** Id of the service token. */
  readonly id: string
  readonly scopes: readonly Scope[]
  /**
   * Of patients, those who consented to it; `every-patient`: a program of the organisation itself, which treats as its staff do. The
   * api reads it for each request. Absent: no patient at all.
   */
  readonly reach?: Reach | 'every-patient'
  /** The app that this is, when it came by SMART Backend Services. Only routes with the policy `fhir` see it. */
  readonly app?: AppGrant
}

/** What the fleet room tells of a device whose token was shown; the same fields as ingest's `DeviceIdentity`. */
export interface DeviceSpeaker {
  readonly tenant: string
  readonly device: string
  readonly name: string
  readonly profile: string
  readonly classification: 'wellness' | 'operational' | 'medical' | 'cyber-device'
  readonly credential: string
}

export interface DevicePrincipal {
  readonly kind: 'device'
  readonly tenant: string
  /** Device id. */
  readonly id: string
  readonly device: DeviceSpeaker
}

/** A screen on a wall. It reads its one board by routes of its own (`policy: 'display'`) and reaches nothing else. */
export interface DisplayPrincipal {
  readonly kind: 'display'
  readonly tenant: string
  /** Display id. */
  readonly id: string
  /** Where it hangs. */
  readonly name: string
  readonly board: DisplayBoard
  readonly expiresAt: number
}

export type Principal = StaffPrincipal | ServicePrincipal | DevicePrincipal | DisplayPrincipal

/** Who asks for clinical or operational work: anybody but a device or a wall screen. */
export type PersonOrService = StaffPrincipal | ServicePrincipal

/** What entries of the trail say of the app through which somebody acts. */
export const appDetailOf = (who: Principal | undefined): SealedDetail | undefined =>
  who?.kind === 'staff' || who?.kind === 'service' ? who.app?.detail : undefined

/** `staff:<id>`, `service:<id>`, `device:<id>` or `display:<id>`: how audit entries and log lines name who did it. */
export const actorOf = (principal: Principal): string => `${principal.kind}:${principal.id}`
