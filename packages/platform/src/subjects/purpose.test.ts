import { expect, test } from 'vitest'
import type { ReachReason } from '../identity/index.ts'
import { purposed } from './purpose.ts'

const sightOf = (of: Readonly<Record<string, readonly ReachReason[]>>) => ({
  kinds: [],
  reach: {
    ...{ teams: [], teamless: false },
    subjects: new Map(Object.entries(of).map(([id, why]) => [id, { why: new Set(why) }])),
  },
})
const entry = { actor: 'staff:nora', action: 'read', resource: 'task', id: 't' } as const

test('purpose > whom somebody sees by emergency access alone is told apart from all others', () => {
  const sight = sightOf({ a: ['break-glass'], b: ['task'] })
  expect(purposed(sight, { ...entry, subjects: ['a', 'b', 'c'] })).toEqual([
    { ...entry, subjects: ['a'], purpose: 'ETREAT' },
    { ...entry, subjects: ['b', 'c'] },
  ])
  expect(purposed(sight, { ...entry, subject: 'a' })).toEqual([{ ...entry, subjects: ['a'], purpose: 'ETREAT' }])
})

test('purpose > a task or an enrolment is a reason of its own, and what is said stays said', () => {
  const sight = sightOf({ a: ['break-glass', 'task'], b: ['break-glass'] })
  expect(purposed(sight, { ...entry, subject: 'a' })).toEqual([{ ...entry, subject: 'a' }])
  const said = { ...entry, subject: 'b', purpose: 'HOPERAT' } as const
  expect(purposed(sight, said)).toEqual([said])
  expect(purposed(undefined, { ...entry, subject: 'b' })).toEqual([{ ...entry, subject: 'b' }])
})
