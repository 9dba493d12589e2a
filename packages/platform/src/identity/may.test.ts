import { actions, type Resource, resources, roles } from '@careloop/contract'
import { describe, expect, test } from 'vitest'
import { allowedFor, may } from './may.ts'
import type { DevicePrincipal, ServicePrincipal, StaffPrincipal } from './principal.ts'

const staff = (...held: StaffPrincipal['roles']): StaffPrincipal => ({
  kind: 'staff',
  tenant: 't',
  id: 'u',
  displayName: 'Ana',
  roles: held,
  session: 's',
})
const service = (...scopes: ServicePrincipal['scopes']): ServicePrincipal => ({
  kind: 'service',
  tenant: 't',
  id: 'k',
  scopes,
})

describe('identity > what roles may do', () => {
  test('a nurse reads and handles tasks and alerts, and neither makes users nor activates rules', () => {
    const nurse = staff('nurse')
    expect(may(nurse, 'act', 'task')).toBe(true)
    expect(may(nurse, 'act', 'alert')).toBe(true)
    expect(may(nurse, 'read', 'series')).toBe(true)
    expect(may(nurse, 'create', 'user')).toBe(false)
    expect(may(nurse, 'act', 'rule')).toBe(false)
    expect(may(nurse, 'read', 'audit')).toBe(false)
  })

  test('a person with two roles may do what either may', () => {
    expect(may(staff('nurse', 'compliance'), 'read', 'audit')).toBe(true)
    expect(may(staff('nurse', 'compliance'), 'act', 'task')).toBe(true)
  })

  test('compliance reads everything it oversees and changes nothing', () => {
    const changing = allowedFor(staff('compliance')).filter((word) => !word.endsWith(':read'))
    expect(changing).toEqual([])
  })

  test('only administrators make users and tokens', () => {
    const makers = roles.filter(
      (role) => may(staff(role), 'create', 'user') || may(staff(role), 'create', 'service-token'),
    )
    expect(makers).toEqual(['administrator'])
  })

  test('what is unknown is refused: no role, no scope, a device, a resource of no grant', () => {
    const device = { kind: 'device', tenant: 't', id: 'd' } as DevicePrincipal
    for (const principal of [staff(), service(), device]) expect(allowedFor(principal)).toEqual([])
    expect(may(staff('nurse'), 'read', 'tenant-secrets' as Resource)).toBe(false)
  })
})

describe('identity > what scopes of service tokens open', () => {
  test('a scope opens exactly its action and resource', () => {
    expect(allowedFor(service('device:read', 'series:read'))).toEqual(['device:read', 'series:read'])
  })

  test('a star opens all of its side', () => {
    expect(allowedFor(service('device:*'))).toEqual(actions.map((action) => `device:${action}`))
    expect(allowedFor(service('*:read'))).toEqual(resources.map((resource) => `${resource}:read`))
  })
})
