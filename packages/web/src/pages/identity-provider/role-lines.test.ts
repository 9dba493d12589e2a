import { expect, test } from 'vitest'
import { linesOf, mapOf } from './role-lines.ts'

const known = ['nurse', 'biomed'] as const

test('lines are read as they are written, LDAP names too', () => {
  const map = [
    { group: 'cn=ward nurses,ou=care', roles: ['nurse'] },
    { group: 'b', roles: ['nurse', 'biomed'] },
  ] as const
  expect(mapOf(linesOf(map), known)).toEqual({ roleMap: map })
})

test('a line that is none is named, with its place', () => {
  expect(mapOf('a = nurse\n\nb', known)).toEqual({ wrong: 'Line 3: group = role is expected.' })
  expect(mapOf('a = wizard', known)).toEqual({ wrong: 'Line 1: there is no role wizard.' })
  expect(mapOf(' ', known)).toEqual({ wrong: 'At least one group is needed.' })
})
