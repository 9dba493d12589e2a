import { describe, expect, test } from 'vitest'
import { elementAt } from '../definitions/index.ts'
import { bases } from './corpus/bases.ts'
import { defaultProfileOf, supportedProfiles } from './profiles/select.ts'
import { validate } from './validate.ts'

const R4 = 'http://hl7.org/fhir/StructureDefinition/'
const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition/'

describe('profiles', () => {
  test('of vital signs apply by the code, for which R4 asks them', () => {
    expect(defaultProfileOf(bases.bloodPressure)).toBe(`${R4}bp`)
    expect(defaultProfileOf(bases.heartRate)).toBe(`${R4}heartrate`)
    expect(defaultProfileOf(bases.observation)).toBeUndefined()
    expect(defaultProfileOf(bases.patient)).toBeUndefined()
    const local = {
      ...bases.bloodPressure,
      code: { coding: [{ system: 'urn:local', code: '85354-9' }] },
      component: [],
    }
    expect(validate(local).map((issue) => issue.rule)).toEqual(['empty'])
  })

  test('that are checked can be listed for each type', () => {
    expect(supportedProfiles('Observation')).toContain(`${US_CORE}us-core-pulse-oximetry`)
    expect(supportedProfiles('Device')).toContain('http://hl7.org/fhir/uv/phd/StructureDefinition/PhgDevice')
    expect(supportedProfiles('Binary')).toEqual([])
  })

  test('that are asked for are checked like those declared', () => {
    const asked = validate(bases.organization, { profiles: [`${US_CORE}us-core-organization|9.0.0`] })
    expect(asked.map((issue) => [issue.rule, issue.expression])).toEqual([
      ['us-core-organization.active', ['Organization.active']],
    ])
  })

  test('that are not known are a warning where they are declared, and refuse nothing', () => {
    const resource = { ...bases.flag, meta: { profile: [`${R4}Flag`, 'https://example.org/our-flag'] } }
    expect(validate(resource)).toMatchObject([
      { severity: 'warning', rule: 'profile', expression: ['Flag.meta.profile[1]'] },
    ])
    expect(validate(bases.flag, { profiles: ['https://example.org/our-flag'] })).toMatchObject([
      { severity: 'warning', rule: 'profile', expression: ['Flag'] },
    ])
  })

  test('that a result was made for are told of as warnings, to who asks for suggestions only', () => {
    const { meta: _, ...result } = bases.usCoreLab
    const foreign = {
      ...result,
      referenceRange: [{ low: { value: 70, unit: 'mg/dL', system: 'urn:x', code: 'mg/dL' } }],
    }
    expect(validate(foreign)).toEqual([])
    expect(validate(foreign, { suggest: true })).toMatchObject([{ severity: 'warning', rule: 'us-core-22' }])
    expect(validate(bases.usCoreLab, { suggest: true })).toEqual([])
    for (const none of [null, 3, {}, { resourceType: 4 }]) {
      expect(validate(none as never, { suggest: true })).toHaveLength(1)
    }
  })

  test('are checked in what is contained and in the entries of a Bundle', () => {
    const entry = { resource: { ...bases.heartRate, category: [{ text: 'vital' }] } }
    const rules = validate({ resourceType: 'Bundle', type: 'collection', entry: [entry] })
    expect(rules).toMatchObject([
      { rule: 'vitalsigns.category:VSCat', expression: ['Bundle.entry[0].resource.category'] },
    ])
  })

  test('a value that is only said to be absent counts as sent', () => {
    const absent = { extension: [{ url: `${R4}data-absent-reason`, valueCode: 'unknown' }] }
    const { birthDate: _, ...rest } = bases.patient
    expect(validate({ ...rest, _birthDate: absent })).toEqual([])
    expect(validate({ ...bases.task, intent: undefined, _intent: absent } as never).map((issue) => issue.rule)).toEqual(
      ['null'],
    )
    const { intent: __, ...task } = bases.task
    expect(validate({ ...task, _intent: absent })).toEqual([])
    const given = { given: ['An', null], _given: [null, absent] }
    expect(validate({ ...bases.patient, name: [given] })).toEqual([])
  })

  test('name elements that exist', () => {
    for (const type of ['Observation', 'Device', 'Patient', 'DeviceMetric', 'Provenance', 'CareTeam', 'Encounter']) {
      expect(elementAt(`${type}.meta.profile`)).toBeDefined()
      for (const profile of supportedProfiles(type)) {
        // A profile that names an element which its type does not have throws when it is first checked.
        expect(() => validate({ resourceType: type }, { profiles: [profile] })).not.toThrow()
      }
    }
  })
})
