/**
 * Who asks. Three kinds, never one: a member of staff (a session), a program (a service token), a device (its own credential).
 * A principal belongs to exactly one tenant for the life of a request.
 */
import type { Role, Scope } from '@careloop/contract'

export interface StaffPrincipal {
  readonly kind: 'staff'
  readonly tenant: string
  /** User id: opaque, what audit entries carry. */
  readonly id: string
  /** Shown to colleagues. Never in logs, errors or URLs. */
  readonly displayName: string
  readonly roles: readonly Role[]
  readonly session: string
  /** Absent: free to act. Only routes with the policy `session` see somebody who is held. */
  readonly held?: Hold
}

/** `locked`: nobody was active, or somebody locked it. `second-factor-needed`: the role demands one and there is none yet. */
export type Hold = 'locked' | 'second-factor-needed'

export interface ServicePrincipal {
  readonly kind: 'service'
  readonly tenant: string
  /** Id of the service token. */
  readonly id: string
  readonly scopes: readonly Scope[]
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

export type Principal = StaffPrincipal | ServicePrincipal | DevicePrincipal

/** Who asks for clinical or operational work: anybody but a device. */
export type PersonOrService = StaffPrincipal | ServicePrincipal

/** `staff:<id>`, `service:<id>` or `device:<id>`: how audit entries and log lines name who did it. */
export const actorOf = (principal: Principal): string => `${principal.kind}:${principal.id}`
