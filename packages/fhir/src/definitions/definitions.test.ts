import { describe, expect, test } from 'vitest'
import {
  constraint,
  elementAt,
  elementsOf,
  isResourceType,
  patientParametersOf,
  searchParametersOf,
  typeOf,
  valueSet,
} from './index.ts'

describe('definitions', () => {
  test('elements stand in the order of FHIR, what is inherited first', () => {
    const names = elementsOf('Observation').map((element) => element.name)
    expect(names.slice(0, 9)).toEqual([
      'id',
      'meta',
      'implicitRules',
      'language',
      'text',
      'contained',
      'extension',
      'modifierExtension',
      'identifier',
    ])
    expect(names.indexOf('status')).toBeLessThan(names.indexOf('code'))
    expect(names.at(-1)).toBe('component')
  })

  test('parts without a type of their own have elements too, also where they are defined elsewhere', () => {
    expect(elementsOf('Observation.component').map((element) => element.name)).toContain('referenceRange')
    const again = elementsOf('Observation.component').find((element) => element.name === 'referenceRange')
    expect(again?.types[0]?.content).toBe('Observation.referenceRange')
    expect(again?.rules).toEqual(['obs-3'])
    expect(elementAt('Questionnaire.item.item.item.linkId')?.element.path).toBe('Questionnaire.item.linkId')
  })

  test('an element is found by its path as instances spell it', () => {
    expect(elementAt('Observation.component.valueQuantity.code')?.type.code).toBe('code')
    expect(elementAt('Observation.effectiveDateTime')?.element).toMatchObject({
      name: 'effective',
      isChoice: true,
      max: 1,
    })
    expect(elementAt('Patient.id')?.type.code).toBe('id')
    expect(elementAt('Patient.contact.id')?.type.code).toBe('string')
    expect(elementAt('Observation.value')).toBeUndefined()
    expect(elementAt('Observation.code.nothing')).toBeUndefined()
    expect(elementAt('Nothing.at.all')).toBeUndefined()
  })

  test('cardinality, summary, modifiers and targets are those of R4', () => {
    expect(elementAt('Observation.status')?.element).toMatchObject({
      min: 1,
      max: 1,
      isSummary: true,
      isModifier: true,
    })
    expect(elementAt('Observation.category')?.element).toMatchObject({
      min: 0,
      max: Number.POSITIVE_INFINITY,
      isSummary: false,
    })
    expect(elementAt('Observation.device')?.type.targets).toEqual(['Device', 'DeviceMetric'])
    expect(elementAt('Observation.referenceRange.low')?.element.isSimple).toBe(true)
  })

  test('types are told from names that are none', () => {
    expect(isResourceType('Patient')).toBe(true)
    for (const name of ['Resource', 'DomainResource', 'HumanName', 'string', 'toString', '__proto__', '']) {
      expect(isResourceType(name)).toBe(false)
    }
    expect(typeOf('Age')?.base).toBe('Quantity')
    expect(elementsOf('constructor')).toEqual([])
  })

  test('required value sets are expanded', () => {
    const statuses = valueSet('http://hl7.org/fhir/ValueSet/observation-status')
    expect(statuses?.some(20)).toEqual([
      'registered',
      'preliminary',
      'final',
      'amended',
      'corrected',
      'cancelled',
      'entered-in-error',
      'unknown',
    ])
    expect(statuses?.has('http://hl7.org/fhir/observation-status', 'final')).toBe(true)
    expect(statuses?.has('http://example.org', 'final')).toBe(false)
    const types = valueSet('http://hl7.org/fhir/ValueSet/mimetypes')
    expect(types?.hasCode('application/fhir+json; charset=utf-8')).toBe(true)
    expect(types?.hasCode('a picture')).toBe(false)
    expect(valueSet('http://example.org/none')).toBeUndefined()
  })

  test('search parameters come with what every resource has, composites with their parts', () => {
    const parameters = new Map(searchParametersOf('Observation').map((parameter) => [parameter.code, parameter]))
    expect(parameters.get('_lastUpdated')?.type).toBe('date')
    expect(parameters.get('code-value-quantity')?.parts?.map((part) => part.code)).toEqual(['code', 'value-quantity'])
    expect(patientParametersOf('Observation')).toEqual(['subject', 'performer'])
    expect(patientParametersOf('Location')).toEqual([])
  })

  test('a constraint is found by its key, also where a key means two things', () => {
    expect(constraint('inv-1').expression).not.toBe(constraint('inv-1@Task').expression)
    expect(constraint('inv-1@Task').key).toBe('inv-1')
    expect(() => constraint('none-1')).toThrow('none-1')
  })
})
