import { expect, it } from 'vitest'
import { colleaguesFor } from './colleagues.ts'

const all = [
  { id: 'me', displayName: 'Me', roles: ['nurse' as const] },
  { id: 'zoe', displayName: 'Zoe', roles: ['nurse' as const] },
  { id: 'ann', displayName: 'Ann', roles: ['physician' as const] },
  { id: 'ben', displayName: 'Ben', roles: ['facilities' as const] },
  { id: 'ida', displayName: 'Ida', roles: ['integrator' as const] },
]
const teams = [{ id: 't', name: 'T', site: null, members: ['me', 'zoe'] }]

it('offers who handles this kind of subject, the own team first, never oneself', () => {
  expect(colleaguesFor(all, teams, 'me', 'patient').map(({ id }) => id)).toEqual(['zoe', 'ann'])
  expect(colleaguesFor(all, teams, 'me', 'asset').map(({ id }) => id)).toEqual(['zoe', 'ann', 'ben'])
})
