import type { Colleague, ProgramBody } from '@careloop/contract'
import { describe, expect, it } from 'vitest'
import { choicesFor, enrollable } from './owners.ts'

const colleague = (id: string, displayName: string, ...roles: Colleague['roles']): Colleague => ({
  id,
  displayName,
  roles,
})
const program = (over: Partial<ProgramBody>): ProgramBody => ({
  ...{ code: 'hypertension-rpm', title: 'Hypertension at home', use: '', notice: '', subjectKind: 'patient' },
  rules: [],
  ...over,
})
const rule = { ownerRole: 'nurse', backupRole: 'physician' } as ProgramBody['rules'][number]
const staff = [colleague('b', 'Bea', 'biomed'), colleague('n', 'Nora', 'nurse'), colleague('a', 'Ann', 'nurse')]

describe('who may own an enrolment', () => {
  it('offers those with the role of the rules first, by name, and never one person as both', () => {
    const { fitting, others } = choicesFor(staff, program({ rules: [rule] }), 'ownerRole', 'a')
    expect([fitting, others].map((each) => each.map(({ value }) => value))).toEqual([['n'], ['b']])
  })

  it('offers only active programs for this kind of subject, once', () => {
    const programs = [
      program({ state: 'active' }),
      program({ code: 'sleeping', state: 'inactive' }),
      program({ code: 'fridge', state: 'active', subjectKind: 'asset' }),
    ]
    expect(enrollable(programs, 'patient', new Set()).map(({ code }) => code)).toEqual(['hypertension-rpm'])
    expect(enrollable(programs, 'patient', new Set(['hypertension-rpm']))).toEqual([])
  })
})
