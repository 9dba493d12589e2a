/** Roles without their schema: pages list them and need no zod for it. */

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

/** What somebody is towards one patient: themselves, or whom they let in. Nobody assigns these in the list of staff. */
export const personRoles = ['patient', 'caregiver'] as const
export type PersonRole = (typeof personRoles)[number]

/** Whoever may be signed in as a person. */
export type AnyRole = Role | PersonRole
