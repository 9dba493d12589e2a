import { describe, expect, test } from 'vitest'
import { displayNameOf, emailOf, isOfDomain, provesSecondFactor, returnPathOf, rolesOfGroups } from './sso-claims.ts'
import type { SsoProvider } from './sso-provider.ts'

const provider: SsoProvider = {
  ...{ id: 'p', tenant: 't', slug: 's', name: 'S', issuer: 'https://i.example', clientId: 'c', clientSecret: null },
  ...{ groupsClaim: 'groups', emailDomains: ['ward.example'], linkExisting: false, isEnabled: true, updatedAt: 0 },
  ...{ mfaAcr: ['high'], mfaAmr: ['otp'] },
  roleMap: [
    { group: 'A', roles: ['nurse'] },
    { group: 'B', roles: ['nurse', 'biomed'] },
  ],
}

describe('return targets', () => {
  test.each([
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    'https://evil.example',
    'javascript:alert(1)',
    '/%5C../..//evil.example',
    '/..//evil.example',
    '/./..//evil.example/x',
    '/api/auth/sign-out',
    '',
    'worklist',
    `/${'x'.repeat(600)}`,
  ])('%j leads to the first page', (wanted) => {
    expect(returnPathOf(wanted)).toBe('/')
  })

  test('paths of ours stay', () => {
    expect(returnPathOf('/worklist?task=1')).toBe('/worklist?task=1')
    expect(returnPathOf(undefined)).toBe('/')
  })
})

describe('claims', () => {
  test('roles come from groups letter by letter', () => {
    expect(rolesOfGroups({ groups: ['B', 'a'] }, provider)).toEqual(['nurse', 'biomed'])
    expect(rolesOfGroups({ groups: 'A' }, provider)).toEqual(['nurse'])
    expect(rolesOfGroups({ groups: [{ A: 1 }, 7, null] }, provider)).toEqual([])
    expect(rolesOfGroups({}, provider)).toEqual([])
  })

  test('groups may stand inside, and nothing is taken from a prototype', () => {
    const inside = { ...provider, groupsClaim: 'realm_access.roles' }
    expect(rolesOfGroups({ realm_access: { roles: ['A'] } }, inside)).toEqual(['nurse'])
    expect(
      rolesOfGroups(
        {},
        { ...provider, groupsClaim: 'constructor.name', roleMap: [{ group: 'Object', roles: ['administrator'] }] },
      ),
    ).toEqual([])
  })

  test('a second factor is proved by named words only', () => {
    expect(provesSecondFactor({ amr: ['pwd', 'otp'] }, provider)).toBe(true)
    expect(provesSecondFactor({ acr: 'high' }, provider)).toBe(true)
    expect(provesSecondFactor({ acr: 'low', amr: ['pwd'] }, provider)).toBe(false)
    expect(provesSecondFactor({ amr: ['otp'] }, { ...provider, mfaAmr: [] })).toBe(false)
  })

  test('an e-mail is verified when the provider says so in so many words', () => {
    expect(emailOf({ email: 'A@Ward.Example', email_verified: true })).toEqual({
      email: 'a@ward.example',
      isVerified: true,
    })
    expect(emailOf({ email: 'a@ward.example', email_verified: 'true' })?.isVerified).toBe(false)
    expect(emailOf({ email: 'a@ward.example' })?.isVerified).toBe(false)
    expect(emailOf({ email: 'no address' })).toBeNull()
  })

  test('the domain is what stands behind the last @', () => {
    const of = (email: string) => isOfDomain({ email, isVerified: true }, provider)
    expect(of('a@ward.example')).toBe(true)
    expect(of('a@notward.example')).toBe(false)
    expect(of('ward.example@evil.example')).toBe(false)
    expect(isOfDomain(null, provider)).toBe(false)
  })

  test('a name carries no control characters', () => {
    expect(displayNameOf({ name: 'An\u0007na\u001b[31m' })).toBe('Anna[31m')
    expect(displayNameOf({})).toBe('Colleague')
  })
})
