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
