/** The page that opens for a person: the one that answers their question. */
import type { AnyRole, Role } from '@careloop/contract'

export type Home = '/worklist' | '/board' | '/devices' | '/reviews'

/** Whoever handles patients opens on what needs them, also when they hold other roles. */
const homes: readonly (readonly [Role, Home])[] = [
  ['nurse', '/worklist'],
  ['physician', '/worklist'],
  ['facilities', '/board'],
  ['pharmacist', '/board'],
  ['biomed', '/devices'],
  ['administrator', '/devices'],
  ['integrator', '/devices'],
  ['compliance', '/reviews'],
]

/** A patient or caregiver: they have a page of their own and none of staff. */
export const isPerson = (roles: readonly AnyRole[]): boolean =>
  roles.length > 0 && roles.every((role) => role === 'patient' || role === 'caregiver')

export const homeOf = (roles: readonly AnyRole[]): Home =>
  homes.find(([role]) => roles.includes(role))?.[1] ?? '/worklist'
