/**
 * What each role may do: data, read top to bottom; what is not written here is refused. A later issue makes it finer
 * (care team, site, consent); rooms already ask through `may` only.
 */

import { type Action, actions, type Resource, type Role, resources, type SubjectKind } from '@careloop/contract'
import { createMongoAbility, type MongoAbility, subject as tagged } from '@casl/ability'
import type { Principal } from './principal.ts'

/** `about`: only with things of these kinds of subject. Without one named, a question is answered for the kind that may. */
type Grant = readonly [
  actions: readonly (Action | 'manage')[],
  resources: readonly (Resource | 'all')[],
  about?: readonly SubjectKind[],
]

/** What is watched and is nobody: of people these roles see no name, no number and no task. */
const things: readonly SubjectKind[] = ['asset', 'location']
const people: readonly SubjectKind[] = ['patient']

const seeWork: Grant = [
  ['read'],
  [
    'live',
    'alert',
    'task',
    'team',
    'shift',
    'program',
    'rule',
    'silence',
    'override',
    'board',
    'vocabulary',
    'profile',
  ],
]
const seeWorkOnThings: readonly Grant[] = [
  [['read'], ['live', 'team', 'shift', 'program', 'rule', 'silence', 'board', 'vocabulary', 'profile']],
  [['read'], ['alert', 'task', 'override'], things],
]
const seePatients: Grant = [
  ['read'],
  ['subject', 'site', 'care-team', 'enrolment', 'consent', 'device', 'assignment', 'reading', 'series', 'gap'],
]
const seeThings: readonly Grant[] = [
  [['read'], ['site', 'device', 'gateway', 'assignment']],
  [['read'], ['subject', 'enrolment', 'reading', 'series', 'gap'], things],
]
const handleWork: Grant = [
  ['act', 'create', 'update'],
  ['task', 'alert'],
]
const handleWorkOnThings: Grant = [['act', 'create', 'update'], ['task', 'alert'], things]
/** Whoever handles work is told of it, and says for themselves that they have seen it (`act`). Whose it is, the room checks. */
const hearOfWork: Grant = [['read', 'act'], ['notification']]
/**
 * Time spent is recorded by who spends it (create), and put right by them (update); never taken back by anybody: billing rests on
 * it. Facilities and biomed record theirs on things too, so that the worklist's timer is the same for all.
 */
const tellOfTime: Grant = [['read', 'create', 'update'], ['activity']]
const tellOfTimeOnThings: Grant = [['read', 'create', 'update'], ['activity'], things]
const runDevices: Grant = [
  ['create', 'read', 'update', 'delete', 'act'],
  ['device', 'gateway', 'certificate', 'credential', 'assignment', 'quarantine'],
]

const grants: Readonly<Record<Role, readonly Grant[]>> = {
  nurse: [
    seeWork,
    seePatients,
    handleWork,
    hearOfWork,
    tellOfTime,
    [
      ['create', 'update'],
      ['subject', 'enrolment', 'care-team', 'assignment', 'reading', 'silence'],
    ],
    // One patient's limit, with author, reason and end; the program's own limits are the physician's.
    [['create', 'update'], ['override'], people],
  ],
  physician: [
    seeWork,
    seePatients,
    handleWork,
    hearOfWork,
    tellOfTime,
    [
      ['create', 'update'],
      ['subject', 'enrolment', 'care-team', 'assignment', 'reading', 'silence', 'consent'],
    ],
    [['create', 'update'], ['override'], people],
    // Limits of patients' programs are a medical order. How cold a refrigerator must be is not theirs: an administrator's.
    [['create', 'update', 'act'], ['rule', 'program'], people],
  ],
  // What cold chain and cabinets are held to comes from outside (manufacturer, vaccine programme): who keeps the stock and the
  // building handles what happens, and does not move the limit that would tell on them. An administrator does.
  pharmacist: [
    ...seeWorkOnThings,
    ...seeThings,
    handleWorkOnThings,
    hearOfWork,
    tellOfTimeOnThings,
    [['create', 'update'], ['subject', 'enrolment'], things],
    [['create'], ['reading'], things],
  ],
  facilities: [
    ...seeWorkOnThings,
    ...seeThings,
    handleWorkOnThings,
    hearOfWork,
    tellOfTimeOnThings,
    [['create', 'update'], ['subject', 'enrolment', 'reading', 'silence', 'assignment'], things],
  ],
  // Devices of every kind of subject, patients' too: a broken cuff is taken off and replaced by who mends it, by opaque id,
  // without a name and without a reading.
  biomed: [...seeWorkOnThings, ...seeThings, handleWorkOnThings, hearOfWork, tellOfTimeOnThings, runDevices],
  // People, and activation of programs, of patients' and of things'.
  administrator: [[['manage'], ['all']]],
  compliance: [
    seeWork,
    seePatients,
    [['read'], ['activity', 'notification', 'audit', 'user', 'service-token', 'quarantine', 'system']],
  ],
  integrator: [
    ...seeWorkOnThings,
    runDevices,
    [['read'], ['site', 'system']],
    [['read'], ['subject', 'series'], things],
  ],
}

const abilities = new Map<string, MongoAbility>()

/** Whether the principal may do the action with this kind of thing, or (with `thing`) with this one. Default is no. */
export function may(
  principal: Principal,
  action: Action,
  resource: Resource,
  thing?: Readonly<Record<string, unknown>>,
): boolean {
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
  readonly conditions?: { readonly kind: { readonly $in: readonly SubjectKind[] } }
}

function rulesOfRoles(roles: readonly Role[]): RawRule[] {
  return roles
    .flatMap((role) => grants[role])
    .map(([actions, resources, about]) => ({
      ...{ action: [...actions], subject: [...resources] },
      ...(about === undefined ? {} : { conditions: { kind: { $in: about } } }),
    }))
}

function rulesOfScopes(scopes: readonly string[]): RawRule[] {
  return scopes.map((scope) => {
    const [resource, action] = scope.split(':')
    return { action: action === '*' ? 'manage' : action!, subject: resource === '*' ? 'all' : resource! }
  })
}
