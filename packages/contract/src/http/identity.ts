/**
 * Roles, scopes, actions and resources: the words of access, and the HTTP bodies of sign-in, staff and service tokens.
 */
import { z } from 'zod'

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
