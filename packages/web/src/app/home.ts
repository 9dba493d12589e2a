/** The page that opens for a person: the one that answers their question. */
import type { Role } from '@careloop/contract'

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

export const homeOf = (roles: readonly Role[]): Home => homes.find(([role]) => roles.includes(role))?.[1] ?? '/worklist'
