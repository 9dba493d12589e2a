import {
  type Action,
  actions,
  type Resource,
  type Role,
  resources,
  roles,
  Scope,
  type SubjectKind,
} from '@careloop/contract'
import { describe, expect, test } from 'vitest'
import { allowedFor, may } from './may.ts'
import type { DevicePrincipal, ServicePrincipal, StaffPrincipal } from './principal.ts'
import { charts } from './role-grants.ts'

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

  test('who configures, oversees or mends reads nothing that is charted of a patient, attached or not', () => {
    for (const role of ['administrator', 'compliance', 'facilities', 'pharmacist', 'biomed', 'integrator'] as const)
      for (const resource of charts)
        for (const action of actions)
          for (const isAttached of [true, false])
            expect([
              role,
              resource,
              action,
              may(staff(role), action, resource, { kind: 'patient', isAttached }),
            ]).toEqual([...[role, resource, action, false]])
    for (const resource of charts) expect(may(staff('compliance'), 'read', resource)).toBe(false)
  })

  test('who treats reads and changes nothing charted of a patient to whom they are not attached', () => {
    for (const role of ['nurse', 'physician', 'patient', 'caregiver'] as const)
      for (const resource of charts)
        for (const action of actions)
          expect([role, resource, action, may(staff(role), action, resource, { kind: 'patient' })]).toEqual([
            ...[role, resource, action, false],
          ])
  })

  test('a patient reads of themselves, types readings and withdraws consents; a caregiver reads; neither changes anything else', () => {
    const changing = (role: 'patient' | 'caregiver') =>
      allowedFor(staff(role)).filter((word) => !word.endsWith(':read'))
    expect(changing('patient')).toEqual(['consent:update', 'reading:create'])
    // That they have seen what they were told.
    expect(changing('caregiver')).toEqual(['notification:act'])
    for (const resource of ['task', 'activity', 'device', 'user', 'audit', 'care-team'] as const)
      for (const role of ['patient', 'caregiver'] as const)
        expect([role, resource, may(staff(role), 'read', resource)]).toEqual([role, resource, false])
  })

  test("one patient's limit is changed by who treats, a program's by who orders, a thing's by administrators", () => {
    const may_ = (role: Role, resource: Resource, kind: SubjectKind) =>
      may(staff(role), 'update', resource, { kind, isAttached: true })
    const who = (resource: Resource, kind: SubjectKind) => roles.filter((role) => may_(role, resource, kind))
    expect(who('override', 'patient')).toEqual(['nurse', 'physician'])
    expect(who('override', 'asset')).toEqual(['administrator'])
    expect(who('rule', 'patient')).toEqual(['physician', 'administrator'])
    expect(who('rule', 'asset')).toEqual(['administrator'])
    expect(roles.filter((role) => may(staff(role), 'act', 'program', { kind: 'asset' }))).toEqual(['administrator'])
  })

  test('time spent is recorded by who works, and taken away by nobody who treats', () => {
    const who = (action: Action, kind: SubjectKind) =>
      roles.filter((role) => may(staff(role), action, 'activity', { kind, isAttached: true }))
    expect(who('create', 'patient')).toEqual(['nurse', 'physician'])
    expect(who('read', 'patient')).toEqual(['nurse', 'physician'])
    expect(who('delete', 'patient')).toEqual([])
    expect(who('delete', 'asset')).toEqual(['administrator'])
  })

  test('facilities and pharmacists change what is of things, and nothing of patients', () => {
    for (const role of ['facilities', 'pharmacist'] as const)
      for (const resource of ['subject', 'enrolment', 'reading', 'assignment', 'silence'] as const)
        for (const action of ['create', 'update', 'delete'] as const)
          expect([role, resource, action, may(staff(role), action, resource, { kind: 'patient' })]).toEqual([
            ...[role, resource, action, false],
          ])
    expect(may(staff('facilities'), 'create', 'assignment', { kind: 'asset' })).toBe(true)
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

  test('a third word narrows it to one kind of subject', () => {
    const narrow = service('series:read:asset')
    expect(may(narrow, 'read', 'series', { kind: 'asset' })).toBe(true)
    expect(may(narrow, 'read', 'series', { kind: 'patient', isAttached: true })).toBe(false)
    expect(Scope.safeParse('series:read:asset').success).toBe(true)
    for (const wrong of ['series:read:people', 'series:read:asset:more', 'series'])
      expect([wrong, Scope.safeParse(wrong).success]).toEqual([wrong, false])
  })

  test('a star opens all of its side', () => {
    expect(allowedFor(service('device:*'))).toEqual(actions.map((action) => `device:${action}`))
    expect(allowedFor(service('*:read'))).toEqual(resources.map((resource) => `${resource}:read`))
  })
})
