import { describe, expect, test } from 'vitest'
import type { AppGrant } from '../principal.ts'
import { grantable, isScope, lessOf, wantsPatient } from './grantable.ts'
import { admits, parseScope, scopeText } from './scopes.ts'

const grant = (scopes: string, patient?: string): AppGrant => ({
  ...{ client: 'c', name: 'n', scopes: scopes.split(' ').map((text) => parseScope(text)!) },
  ...(patient === undefined ? {} : { patient }),
})

describe('smart scopes', () => {
  test.each([
    ['patient/Observation.rs', 'patient/Observation.rs'],
    ['user/*.cruds', 'user/*.cruds'],
    ['system/Patient.s', 'system/Patient.s'],
    ['patient/Observation.read', 'patient/Observation.rs'],
    ['patient/Observation.write', 'patient/Observation.cud'],
    ['user/*.*', 'user/*.cruds'],
    ['patient/Observation.rs?category=vital-signs', 'patient/Observation.rs?category=vital-signs'],
    [
      'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
      'patient/Observation.rs?category=http%3A%2F%2Fterminology.hl7.org%2FCodeSystem%2Fobservation-category%7Claboratory',
    ],
    ['user/Observation.r?category=a&code=b', 'user/Observation.r?category=a&code=b'],
  ])('%s is read, and written %s', (text, written) => {
    expect(scopeText(parseScope(text)!)).toBe(written)
    expect(scopeText(parseScope(written)!)).toBe(written)
  })

  test.each([
    ...[
      'patient/observation.rs',
      'Patient/Observation.rs',
      'patient/Observation.sr',
      'patient/Observation.',
      'patient/Observation',
    ],
    ...[
      'patient/Observation.READ',
      'patient/Observation.rr',
      'patient/*',
      'patient/*.rs?',
      'patient/Observation.rs?category',
    ],
    ...[
      'patient/Observation.rs?=x',
      'patient/Observation.rs?category=',
      'patient/Observation.read?category=x',
      'tenant/*.rs',
    ],
    ...['openid', 'launch/patient', '', 'patient/Observation.rs?a=%zz', 'patient/Obs-x.rs', ' patient/*.rs'],
  ])('%j is none', (text) => {
    expect(parseScope(text)).toBeNull()
  })

  test('an administrator can register those of resources and the five that are of none', () => {
    for (const text of ['openid', 'fhirUser', 'launch', 'launch/patient', 'offline_access', 'system/*.read'])
      expect([text, isScope(text)]).toEqual([text, true])
    for (const text of ['profile', 'launch/encounter', 'online_access', 'patient/x.rs'])
      expect([text, isScope(text)]).toEqual([text, false])
  })
})

describe('smart scopes > admits', () => {
  test('by type and letter; a scope without conditions stands alone', () => {
    const app = grant('user/Observation.rs user/Observation.r?category=x user/Device.c')
    expect(admits(app, 'Observation', 'r')).toEqual([{ params: [] }])
    expect(admits(app, 'Observation', 's')).toEqual([{ params: [] }])
    expect(admits(app, 'Observation', 'u')).toBeNull()
    expect(admits(app, 'Device', 'c')).toEqual([{ params: [] }])
    expect(admits(app, 'Device', 'r')).toBeNull()
    expect(admits(app, 'Patient', 'r')).toBeNull()
  })

  test('filters are alternatives between scopes, and all count within one', () => {
    const app = grant(
      'patient/Observation.rs?category=a&code=b patient/Observation.r?category=c user/*.r?category=d',
      'p',
    )
    expect(admits(app, 'Observation', 'r')).toEqual([
      {
        patient: 'p',
        params: [
          ['category', 'a'],
          ['code', 'b'],
        ],
      },
      { patient: 'p', params: [['category', 'c']] },
      { params: [['category', 'd']] },
    ])
    expect(admits(app, 'Observation', 's')).toHaveLength(1)
  })

  test('a patient’s scope opens nothing without a patient, and only that patient with one', () => {
    expect(admits(grant('patient/*.cruds'), 'Observation', 'r')).toBeNull()
    expect(admits(grant('patient/*.cruds', 'p'), 'Observation', 'r')).toEqual([{ patient: 'p', params: [] }])
  })
})

describe('smart scopes > what can be granted', () => {
  const allowed = [
    'openid',
    'launch/patient',
    'patient/*.rs',
    'user/Observation.cruds?category=vital-signs',
    'system/*.rs',
  ]

  test('no more than was registered, spelt as it was asked where nothing is taken off', () => {
    expect(grantable('openid fhirUser launch/patient', allowed, 'staff')).toEqual(['openid', 'launch/patient'])
    expect(grantable('patient/Observation.read patient/Device.rs', allowed, 'staff')).toEqual([
      ...['patient/Observation.read', 'patient/Device.rs'],
    ])
    expect(grantable('patient/Observation.*  patient/Observation.*', allowed, 'staff')).toEqual([
      'patient/Observation.rs',
    ])
    expect(grantable('patient/*.write offline_access x', allowed, 'staff')).toEqual([])
  })

  test('filters of the registration stay on whatever is asked', () => {
    expect(grantable('user/*.rs', allowed, 'staff')).toEqual(['user/Observation.rs?category=vital-signs'])
    expect(grantable('user/Observation.rs?code=x', allowed, 'staff')).toEqual([
      'user/Observation.rs?code=x&category=vital-signs',
    ])
    expect(grantable('user/Observation.rs?category=vital-signs', allowed, 'staff')).toEqual([
      'user/Observation.rs?category=vital-signs',
    ])
  })

  test('who asks decides which kinds there are', () => {
    const all = 'openid patient/*.rs user/Observation.r?category=vital-signs system/*.rs'
    expect(grantable(all, allowed, 'person')).toEqual(['openid', 'patient/*.rs'])
    expect(grantable(all, allowed, 'staff')).toHaveLength(3)
    expect(grantable(all, allowed, 'system')).toEqual(['system/*.rs'])
  })

  test('a refresh asks for what was given, or narrower: fewer letters, one type, more filters', () => {
    const given = ['openid', 'patient/*.rs', 'user/Observation.rs?category=x']
    for (const less of [
      'openid',
      'patient/*.read',
      'patient/Device.r',
      'user/Observation.r?category=x&code=y',
      given.join(' '),
    ])
      expect([less, lessOf(less, given)]).toEqual([less, less.split(' ')])
    for (const more of [
      '',
      'fhirUser',
      'patient/*.cruds',
      'user/Observation.rs',
      'user/*.r?category=x',
      'patient/x.rs',
      'openid user/*.rs',
    ])
      expect([more, lessOf(more, given)]).toEqual([more, null])
  })

  test('a patient is chosen where a scope is of one', () => {
    expect(wantsPatient(['openid', 'user/*.rs'])).toBe(false)
    for (const scope of ['launch', 'launch/patient', 'patient/Device.r']) expect(wantsPatient([scope])).toBe(true)
  })
})
