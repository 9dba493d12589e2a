/**
 * May they? One question for all: by role and by what the thing is, decided by the data of role-grants.ts. What is not written there
 * is refused.
 */
import { type Action, type AnyRole, actions, type Resource, resources, type SubjectKind } from '@careloop/contract'
import { createMongoAbility, type MongoAbility, subject as tagged } from '@casl/ability'
import type { Principal } from './principal.ts'
import { type About, roleGrants } from './role-grants.ts'

/** What of a subject decides. */
export interface Thing {
  readonly kind: SubjectKind
  /** The person is attached to this patient; left out: not. Asked of patients only. */
  readonly isAttached?: boolean
}

const abilities = new Map<string, MongoAbility>()

/**
 * Whether the principal may do the action with this resource at all, or (with `thing`) with that of this subject. Default is no.
 * Which patients somebody is attached to, subjects knows (`sightOf`); lists and single things are asked of there.
 */
export function may(principal: Principal, action: Action, resource: Resource, thing?: Thing): boolean {
  const ability = abilityOf(principal)
  return thing === undefined ? ability.can(action, resource) : ability.can(action, tagged(resource, { ...thing }))
}

/** Everything a principal may do, as `<resource>:<action>`, for pages that say why something is not offered. */
export const allowedFor = (principal: Principal): string[] =>
  resources.flatMap((resource) =>
    actions.filter((action) => may(principal, action, resource)).map((action) => `${resource}:${action}`),
  )

/** Roles and scopes are few and repeat: their abilities are built once. */
function abilityOf(principal: Principal): MongoAbility {
  if (principal.kind === 'device' || principal.kind === 'display') return nobody
  const words = principal.kind === 'staff' ? principal.roles : principal.scopes
  const key = `${principal.kind} ${[...words].sort().join(' ')}`
  const known = abilities.get(key)
  if (known !== undefined) return known
  const ability = createMongoAbility(principal.kind === 'staff' ? rulesOfRoles(principal.roles) : rulesOfScopes(words))
  abilities.set(key, ability)
  return ability
}

/** A device reaches its own door (`policy: 'device'`), a wall screen its board (`policy: 'display'`), and nothing else. */
const nobody: MongoAbility = createMongoAbility([])

interface RawRule {
  readonly action: string | string[]
  readonly subject: string | string[]
  readonly conditions?: Conditions
}
type Conditions = Readonly<Record<string, unknown>>

const conditionsOf: Readonly<Record<About, Conditions>> = {
  things: { kind: { $in: ['asset', 'location'] satisfies SubjectKind[] } },
  'own-patients': { kind: 'patient' satisfies SubjectKind, isAttached: true },
}

const rulesOfRoles = (roles: readonly AnyRole[]): RawRule[] =>
  roles
    .flatMap((role) => roleGrants[role])
    .map(({ actions, resources, about }) => ({
      ...{ action: [...actions], subject: [...resources] },
      ...(about === undefined ? {} : { conditions: conditionsOf[about] }),
    }))

/** A scope opens what it names of all subjects, or (with a third word) of one kind: `series:read:asset`. */
const rulesOfScopes = (scopes: readonly string[]): RawRule[] =>
  scopes.map((scope) => {
    const [resource, action, kind] = scope.split(':')
    return {
      ...{ action: action === '*' ? 'manage' : action!, subject: resource === '*' ? 'all' : resource! },
      ...(kind === undefined ? {} : { conditions: { kind } }),
    }
  })
