/** Identity: who asks, and what they may do. Owns schema `auth`. */
export { type Act, type ActedBy, byConsole } from './acted-by.ts'
export type { Asking, DeviceByToken } from './authenticate.ts'
export { identityErrors } from './errors.ts'
export { forgetPersons } from './forget-persons.ts'
export { type Identity, makeIdentity } from './identity.ts'
export { type InvitationMail, type Invitations, invitationTimer } from './invitations.ts'
export { may, type Thing } from './may.ts'
export { admits, type Filters, parseScope, scopeText } from './oauth/scopes.ts'
export type { SmartWorld } from './oauth/smart.ts'
export {
  type CaregiverSource,
  caregiverIdsAfter,
  caregiverIdsChanged,
  caregiverSources,
  type OrganisationSource,
  organisationSource,
  type StaffSource,
  staffSources,
} from './people-sources.ts'
export type { ActivatedPerson, PersonAccount, Persons } from './persons.ts'
export * from './principal.ts'
export { type About, charts, type Grant, roleGrants } from './role-grants.ts'
export * from './route.ts'
export { demandsSecondFactor, newSecret } from './second-factor.ts'
export type { NewServiceToken, ServiceToken } from './service-tokens.ts'
export { isPerson } from './session-hold.ts'
export type { FirstAdministrator } from './setup.ts'
export type { CreatedUser, Member, NewUser } from './staff.ts'
export { peerHeader } from './staff-auth.ts'
export { type Standing, standingPrincipal } from './standing-principal.ts'
export { assertProvedLately } from './step-up.ts'
export { currentCode } from './totp.ts'
