import { describe, expect, test } from 'vitest'
import { searchParametersOf } from '../definitions/index.ts'
import type { Resource } from '../resource.ts'
import { officialExamples } from '../testing/material.ts'
import { clinicalSpan } from './clinical-span.ts'
import { contentOf } from './content.ts'
import { keysOf } from './keys.ts'
import { lookupsOf, windowOf } from './lookup.ts'
import { matches } from './match.ts'
import { parametersOf } from './parameters.ts'
import { parseSearch } from './parse.ts'
import { readerOf } from './path.ts'
import type { SearchError } from './search-error.ts'

const types = [
  ...[
    'Patient',
    'RelatedPerson',
    'Practitioner',
    'PractitionerRole',
    'Organization',
    'Location',
    'CareTeam',
    'CarePlan',
  ],
  ...[
    'Goal',
    'Device',
    'DeviceMetric',
    'DeviceUseStatement',
    'Observation',
    'DetectedIssue',
    'Flag',
    'Task',
    'Consent',
  ],
  ...[
    'Communication',
    'Encounter',
    'Questionnaire',
    'QuestionnaireResponse',
    'PlanDefinition',
    'ServiceRequest',
    'Group',
  ],
  ...['Provenance', 'AuditEvent', 'Subscription', 'Binary', 'Bundle'],
]
const now = Date.parse('2026-02-01T00:00:00Z')
const pulse: Resource = {
  ...{ resourceType: 'Observation', id: 'p', status: 'final', effectiveDateTime: '2026-01-05' },
  category: [
    { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] },
  ],
  code: { coding: [{ system: 'http://loinc.org', code: '8867-4', display: 'Heart rate' }], text: 'Pulse' },
  subject: { reference: 'Patient/1' },
  device: { reference: 'Device/2' },
  identifier: [{ system: 'urn:x', value: 'A-1' }],
  valueQuantity: { value: 72.4, system: 'http://unitsofmeasure.org', code: '/min' },
}
const clauses = (query: string, type = 'Observation') =>
  parseSearch(type, new URLSearchParams(query), { now, isStrict: true, base: 'https://our.example/fhir/R4' }).clauses
const fits = (query: string, resource: Resource = pulse) => matches(resource, clauses(query, resource.resourceType))
const refusal = (query: string): string => {
  try {
    clauses(query)
    return 'understood'
  } catch (error) {
    return (error as SearchError).issue.rule
  }
}

describe('search > parameters', () => {
  test('every parameter of every type that is served can be read', () => {
    for (const type of types) {
      for (const { code, type: kind } of searchParametersOf(type))
        if (kind !== 'special' && !['_query'].includes(code))
          expect([type, parametersOf(type).has(code)]).toEqual([type, true])
      for (const { expression, components } of parametersOf(type).values()) {
        expect(() => readerOf(type, expression)).not.toThrow()
        for (const path of components === undefined ? [] : expression.split(' | '))
          for (const part of components ?? []) expect(() => readerOf(contentOf(path), part.expression)).not.toThrow()
      }
    }
  })

  test('an expression beyond the part of the language that is compiled fails, and is not misread', () => {
    expect(() => readerOf('Observation', 'Observation.code.select(coding)')).toThrow('No reader')
    expect(() => readerOf('Observation', 'Observation.colour')).toThrow('no `colour`')
  })
})

describe('search > one decision', () => {
  test('the digits of a number say how exact it is; order is by the number itself', () => {
    const unit = '|http://unitsofmeasure.org|/min'
    for (const [value, isFound] of [
      ['72', true],
      ['72.4', true],
      ['72.0', false],
      ['gt72.4', false],
      ['ge72.4', true],
      ['lt72.40', false],
      ['ap75', true],
      ['ne72', false],
    ] as const)
      expect([value, fits(`value-quantity=${value}${unit}`)]).toEqual([value, isFound])
    expect(fits('value-quantity=gt1.2|http://unitsofmeasure.org|/s')).toBe(true)
    expect(fits('value-quantity=72||/min')).toBe(true)
    expect(fits('value-quantity=72||bpm')).toBe(false)
  })

  test('a date is as long as what it leaves out', () => {
    for (const [value, isFound] of [
      ['2026-01', true],
      ['2026-01-05T10:00Z', false],
      ['ge2026-01-05T10:00Z', true],
      ['sa2026-01-04', true],
      ['sa2026-01-05', false],
      ['eb2026-01-06', true],
      ['gt2026', false],
      ['ap2026-01-04', true],
    ] as const)
      expect([value, fits(`date=${value}`)]).toEqual([value, isFound])
  })

  test('tokens by system, code, words, type and value set', () => {
    for (const query of [
      'code=8867-4',
      'code=http://loinc.org|8867-4',
      'code=http://loinc.org|',
      'code:text=heart',
      'status=http://hl7.org/fhir/observation-status|final',
      'code:not=1',
      'status:in=http://hl7.org/fhir/ValueSet/observation-status',
    ])
      expect([query, fits(query)]).toEqual([query, true])
    for (const query of ['code=|8867-4', 'code=urn:y|8867-4', 'code:text=rate', 'code:not=8867-4,1', 'identifier=a-1'])
      expect([query, fits(query)]).toEqual([query, false])
  })

  test('our own address may stand before a reference, on either side', () => {
    expect(fits('subject=https://our.example/fhir/R4/Patient/1')).toBe(true)
    expect(fits('subject=https://other.example/fhir/R4/Patient/1')).toBe(false)
    const absolute = { ...pulse, subject: { reference: 'https://our.example/fhir/R4/Patient/1' } }
    expect(matches(absolute, clauses('patient=1'), { base: 'https://our.example/fhir/R4' })).toBe(true)
    expect(matches(absolute, clauses('patient=1'), { base: 'https://else.example/fhir/R4' })).toBe(false)
  })
})

test('search > what cannot be understood is refused by its rule', () => {
  expect(
    [
      'code:above=x',
      'date=soon',
      'value-quantity=1|x',
      'value-quantity=1|http://unitsofmeasure.org|mmHg',
      'subject:Organization=1',
      'status.name=x',
      'code:in=urn:unknown',
      'unheard=1',
      '_sort=unheard',
      '_include=x',
      '_count=-1',
      'code-value-quantity=1',
    ].map(refusal),
  ).toEqual([
    ...[
      'search-modifier',
      'search-value',
      'search-value',
      'search-value',
      'search-modifier',
      'search-chain',
      'value-set',
    ],
    ...['search-parameter', 'search-sort', 'search-include', 'search-value', 'search-value'],
  ])
})

describe('search > index', () => {
  test('a vital sign has at most ten keys, and none of them says what it is not found by', () => {
    const keys = keysOf(pulse)
    expect(keys.length).toBeLessThanOrEqual(10)
    expect(keys.some((key) => key.includes('final'))).toBe(false)
  })

  test('what has no date, or lasts long, is in no window that leaves it out', () => {
    expect(clinicalSpan({ resourceType: 'Observation' })).toBeNull()
    const open: Resource = { ...pulse, effectiveDateTime: undefined, effectivePeriod: { start: '2020-01-01' } }
    expect(clinicalSpan(open)?.to).toBe(Number.POSITIVE_INFINITY)
    expect(keysOf(open).filter((key) => key.endsWith(' long')).length).toBe(keysOf(open).length / 2)
    expect(windowOf({ type: 'Observation', clauses: clauses('date=ge2026-01-01') }).endsAfter).toBe(
      Date.parse('2026-01-01'),
    )
  })

  test('each official example is found by the keys of its own codes, identifiers and references', () => {
    for (const { name, text } of officialExamples()) {
      const resource = JSON.parse(text) as Resource
      if (!types.includes(resource.resourceType) || typeof resource.id !== 'string') continue
      const keys = new Set(keysOf(resource))
      for (const query of ownQueries(resource)) {
        const asked = clauses(query, resource.resourceType)
        expect([name, query, matches(resource, asked)]).toEqual([name, query, true])
        for (const lookup of lookupsOf({ type: resource.resourceType, clauses: asked }))
          if (lookup.ids.length + lookup.patients.length === 0)
            expect([name, query, lookup.keys.some((key) => keys.has(key))]).toEqual([name, query, true])
      }
    }
  })
})

/** Searches for what a resource says itself. */
function ownQueries(resource: Resource): string[] {
  const queries: string[] = []
  for (const { code, type, expression } of parametersOf(resource.resourceType).values()) {
    if (type !== 'token' && type !== 'reference') continue
    readerOf(resource.resourceType, expression)(resource, (value) => {
      const held = value as { coding?: { code?: string }[]; reference?: string; value?: string; code?: string }
      const text = type === 'reference' ? held.reference : (held.coding?.[0]?.code ?? held.code ?? held.value)
      if (typeof text === 'string' && /^[A-Za-z0-9./-]+$/.test(text) && !text.includes('_history'))
        queries.push(`${code}=${encodeURIComponent(text)}`)
    })
  }
  return queries
}
