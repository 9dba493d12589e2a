import { describe, expect, test } from 'vitest'
import type { Resource } from '../resource.ts'
import { hasMaterial, materialText, officialExamples } from '../testing/material.ts'
import { validate } from './validate.ts'

/** Examples of R4 that break rules of R4, none of a type in use; each with the rule, and what is wrong there. */
const INVALID: Readonly<Record<string, { readonly rules: readonly string[]; readonly reason: string }>> = {
  'ActivityDefinition/heart-valve-replacement': { rules: ['txt-2'], reason: 'its narrative is empty' },
  'Claim/760151': { rules: ['ucum'], reason: 'the unit TAB is not of UCUM' },
  'MedicationDispense/meddisp0313': { rules: ['ucum', 'ucum'], reason: 'the unit mEq is not of UCUM (meq is)' },
  'MedicationDispense/meddisp0318': { rules: ['ucum'], reason: 'a counted unit is said to be of UCUM' },
  'MedicationRequest/medrx0304': { rules: ['ucum'], reason: 'a counted unit is said to be of UCUM' },
  'MedicationRequest/medrx0328': { rules: ['ucum'], reason: 'the unit mcg is not of UCUM (ug is)' },
}

interface InvariantTest {
  readonly id: string
  readonly invariant: string
  readonly expect: 'pass' | 'fail'
  readonly resource: Resource
}

const examples = officialExamples().map(({ text }) => {
  const resource = JSON.parse(text) as Resource
  return { name: `${resource.resourceType}/${resource.id}`, resource }
})
const invariantTests = JSON.parse(materialText('fhir/us-core-invariant-tests.json') ?? '[]') as readonly InvariantTest[]

describe.runIf(hasMaterial)('examples of HL7', () => {
  const invalid = new Set(Object.keys(INVALID))

  test('there are enough of them', () => expect(examples.length).toBeGreaterThan(250))

  test.each(examples.filter(({ name }) => !invalid.has(name)))('$name is valid', ({ resource }) => {
    expect(validate(resource).filter((issue) => issue.severity === 'error')).toEqual([])
  })

  test.each(examples.filter(({ name }) => invalid.has(name)))(
    '$name breaks just the rule that it is known to break',
    ({ name, resource }) => {
      const errors = validate(resource).filter((issue) => issue.severity === 'error')
      expect(errors.map((issue) => issue.rule)).toEqual(INVALID[name]?.rules)
    },
  )

  test.each(invariantTests)('US Core: $id is flagged as it should be', ({ invariant, expect: expected, resource }) => {
    // Three of them do not declare the profile whose invariant they test.
    const isFlagged = validate(resource, { suggest: true }).some((issue) => issue.rule === invariant)
    expect(isFlagged).toBe(expected === 'fail')
  })
})
