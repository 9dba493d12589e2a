/**
 * Nobody gives what they do not have: who may add staff or make tokens could otherwise make one that may more than they, and go
 * on with it.
 */
import type { Role, Scope } from '@careloop/contract'
import { fail } from './errors.ts'
import { allowedFor } from './may.ts'
import type { PersonOrService } from './principal.ts'

/** @throws Failure `not-allowed` at `/body/roles/N` */
export function assertMayGrantRoles(asker: PersonOrService, roles: readonly Role[]): void {
  const held = new Set(allowedFor(asker))
  for (const [place, role] of roles.entries()) {
    const granted = {
      kind: 'staff',
      tenant: asker.tenant,
      id: '',
      displayName: '',
      session: '',
      roles: [role],
    } as const
    assertHeld(held, allowedFor(granted), `/body/roles/${place}`, `The role ${role}`)
  }
}

/** @throws Failure `not-allowed` at `/body/scopes/N` */
export function assertMayGrantScopes(asker: PersonOrService, scopes: readonly Scope[]): void {
  const held = new Set(allowedFor(asker))
  for (const [place, scope] of scopes.entries()) {
    const granted = { kind: 'service', tenant: asker.tenant, id: '', scopes: [scope] } as const
    assertHeld(held, allowedFor(granted), `/body/scopes/${place}`, `The scope ${scope}`)
  }
}

function assertHeld(held: ReadonlySet<string>, granted: readonly string[], pointer: string, what: string): void {
  const missing = granted.find((word) => !held.has(word))
  if (missing === undefined) return
  throw fail(
    'not-allowed',
    `${what} grants ${missing}, which you do not hold. Grant less, or ask somebody who holds it.`,
    { pointer },
  )
}
