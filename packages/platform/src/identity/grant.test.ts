import { roles } from '@careloop/contract'
import { expect, test } from 'vitest'
import { assertMayGrantRoles, assertMayGrantScopes } from './grant.ts'
import type { ServicePrincipal, StaffPrincipal } from './principal.ts'

const staff = (...held: StaffPrincipal['roles']): StaffPrincipal => ({
  ...{ kind: 'staff', tenant: 't', id: 'u', displayName: 'Ana', session: 's', roles: held },
})
const service = (...scopes: ServicePrincipal['scopes']): ServicePrincipal => ({
  ...{ kind: 'service', tenant: 't', id: 'k', scopes },
})
const refusedAt = (pointer: string) => expect.objectContaining({ code: 'not-allowed', pointer })

test('grants > an administrator grants every role and scope', () => {
  expect(() => assertMayGrantRoles(staff('administrator'), roles)).not.toThrow()
  expect(() => assertMayGrantScopes(staff('administrator'), ['*:*', 'series:read'])).not.toThrow()
})

test('grants > a program that may make tokens makes none that may more than itself', () => {
  const program = service('service-token:create', 'series:read')
  expect(() => assertMayGrantScopes(program, ['series:read'])).not.toThrow()
  expect(() => assertMayGrantScopes(program, ['series:read', 'subject:read'])).toThrow(refusedAt('/body/scopes/1'))
  expect(() => assertMayGrantScopes(program, ['*:read'])).toThrow(refusedAt('/body/scopes/0'))
  expect(() => assertMayGrantScopes(program, ['series:*'])).toThrow(refusedAt('/body/scopes/0'))
  expect(() => assertMayGrantScopes(program, ['*:*'])).toThrow(refusedAt('/body/scopes/0'))
})

test('grants > who may add staff adds none with more than their own rights', () => {
  const program = service('user:create')
  expect(() => assertMayGrantRoles(program, ['administrator'])).toThrow(refusedAt('/body/roles/0'))
  expect(() => assertMayGrantRoles(staff('nurse'), ['nurse', 'physician'])).toThrow(refusedAt('/body/roles/1'))
})

test('grants > a program that reads assets makes no token that reads patients', () => {
  const program = service('service-token:create', 'series:read:asset')
  expect(() => assertMayGrantScopes(program, ['series:read:asset'])).not.toThrow()
  expect(() => assertMayGrantScopes(program, ['series:read'])).toThrow(refusedAt('/body/scopes/0'))
})
