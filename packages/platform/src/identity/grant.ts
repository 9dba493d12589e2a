/**
 * Nobody gives what they do not have: who may add staff or make tokens could otherwise make one that may more than they, and go
 * on with it.
 */
import { actions, type Role, resources, type Scope } from '@careloop/contract'
import { fail } from './errors.ts'
import { may, type Thing } from './may.ts'
import type { PersonOrService, Principal } from './principal.ts'

/** @throws Failure `not-allowed` at `/body/roles/N` */
export function assertMayGrantRoles(asker: PersonOrService, roles: readonly Role[]): void {
  if (isAdministrator(asker)) return
  const held = new Set(rightsOf(asker))
  for (const [place, role] of roles.entries()) {
    const granted = {
      kind: 'staff',
      tenant: asker.tenant,
      id: '',
      displayName: '',
      session: '',
      roles: [role],
    } as const
    assertHeld(held, rightsOf(granted), `/body/roles/${place}`, `The role ${role}`)
  }
}

/** @throws Failure `not-allowed` at `/body/scopes/N` */
export function assertMayGrantScopes(asker: PersonOrService, scopes: readonly Scope[]): void {
  if (isAdministrator(asker)) return
  const held = new Set(rightsOf(asker))
  for (const [place, scope] of scopes.entries()) {
    const granted = { kind: 'service', tenant: asker.tenant, id: '', scopes: [scope] } as const
    assertHeld(held, rightsOf(granted), `/body/scopes/${place}`, `The scope ${scope}`)
  }
}

/** Who is who, and which program reads what, is an administrator's office, though they read no chart themselves. */
const isAdministrator = (asker: PersonOrService): boolean =>
  asker.kind === 'staff' && asker.roles.includes('administrator')

const things: readonly (readonly [words: string, thing?: Thing])[] = [
  [''],
  [' of assets', { kind: 'asset' }],
  [' of places', { kind: 'location' }],
  [' of patients', { kind: 'patient' }],
  [' of one’s own patients', { kind: 'patient', isAttached: true }],
]

/** Everything a principal may do, of whom, in words. */
const rightsOf = (principal: Principal): string[] =>
  resources.flatMap((resource) =>
    actions.flatMap((action) =>
      things
        .filter(([, thing]) => may(principal, action, resource, thing))
        .map(([words]) => `${resource}:${action}${words}`),
    ),
  )

function assertHeld(held: ReadonlySet<string>, granted: readonly string[], pointer: string, what: string): void {
  const missing = granted.find((word) => !held.has(word))
  if (missing === undefined) return
  throw fail(
    'not-allowed',
    `${what} grants ${missing}, which you do not hold. Grant less, or ask somebody who holds it.`,
    { pointer },
  )
}
