import { describe, expect, test } from 'vitest'
import { elementsOf, usesOf } from '../definitions/index.ts'
import { parseFhir, writeFhir } from '../json/index.ts'
import { officialExamples } from '../testing/material.ts'
import { summarised, withElements } from './index.ts'

const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }

const observation = parseFhir(
  `{"resourceType":"Observation","id":"o","meta":{"versionId":"3","tag":[{"code":"t"}]},"text":{"status":"generated","div":"<div>x</div>"},
    "extension":[{"url":"http://e","valueString":"x"}],"modifierExtension":[{"url":"http://m","valueBoolean":true}],
    "status":"final","_status":{"id":"s"},"code":{"id":"c","text":"t","extension":[{"url":"http://e"}]},
    "subject":{"reference":"Patient/p"},"valueQuantity":{"value":1.00,"extension":[{"url":"http://e"}]},
    "note":[{"text":"n"}],"component":[{"code":{"text":"c"},"valueQuantity":{"value":2.50},"referenceRange":[{"text":"r"}]}]}`,
)

describe('fhir > _elements and _summary', () => {
  test('shows the elements asked for, what is mandatory, what modifies meaning, and says that it is a part', () => {
    expect(writeFhir(withElements(observation, ['value', 'nonsense']))).toBe(
      '{"resourceType":"Observation","id":"o","meta":{"versionId":"3","tag":[{"code":"t"},{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]},' +
        '"modifierExtension":[{"url":"http://m","valueBoolean":true}],"status":"final","_status":{"id":"s"},"code":{"id":"c","text":"t","extension":[{"url":"http://e"}]},"valueQuantity":{"value":1.00,"extension":[{"url":"http://e"}]}}',
    )
  })

  test('takes a choice by its type and a name with the type before it', () => {
    expect(withElements(observation, ['valueQuantity'])).toHaveProperty('valueQuantity')
    expect(withElements(observation, ['Observation.subject'])).toHaveProperty('subject')
    expect(withElements(observation, ['Patient.subject'])).not.toHaveProperty('subject')
  })

  test('_summary=true keeps what the definitions mark at every depth, and no narrative', () => {
    expect(JSON.parse(writeFhir(summarised(observation, 'true')))).toEqual({
      resourceType: 'Observation',
      id: 'o',
      meta: { versionId: '3', tag: [{ code: 't' }, subsetted] },
      modifierExtension: [{ url: 'http://m', valueBoolean: true }],
      status: 'final',
      _status: { id: 's' },
      code: { text: 't' },
      subject: { reference: 'Patient/p' },
      valueQuantity: { value: 1 },
      component: [{ code: { text: 'c' }, valueQuantity: { value: 2.5 } }],
    })
    expect(writeFhir(summarised(observation, 'true'))).toContain('"value":2.50')
  })

  test('_summary=text shows the narrative and what is mandatory; data all but the narrative; false everything', () => {
    expect(Object.keys(summarised(observation, 'text'))).toEqual([
      'resourceType',
      'id',
      'meta',
      'text',
      'status',
      '_status',
      'code',
    ])
    const { text: _text, meta: _meta, ...data } = observation
    expect(summarised(observation, 'data')).toEqual({
      ...data,
      meta: { versionId: '3', tag: [{ code: 't' }, subsetted] },
    })
    expect(summarised(observation, 'false')).toBe(observation)
  })

  test('is marked once, also without meta, and the resource itself is not changed', () => {
    const bare = parseFhir('{"resourceType":"Patient","active":true}')
    const once = withElements(bare, [])
    expect(once.meta).toEqual({ tag: [subsetted] })
    expect(withElements(once, [])).toEqual(once)
    expect(bare.meta).toBeUndefined()
  })

  test('of every official example: no part has what is no summary, and all have what is mandatory', () => {
    for (const { name, text } of officialExamples()) {
      const tree = parseFhir(text)
      const part = summarised(tree, 'true')
      const uses = usesOf(tree.resourceType)
      for (const member of Object.keys(part).filter((each) => each !== 'resourceType' && !each.startsWith('_'))) {
        const use = uses.get(member)
        expect(
          use?.element.isSummary || use?.element.isModifier || (use?.element.min ?? 0) > 0,
          `${name} ${member}`,
        ).toBe(true)
      }
      const mandatory = elementsOf(tree.resourceType).filter(({ min, isChoice }) => min > 0 && !isChoice)
      for (const { name: member } of mandatory) expect(member in part, `${name} ${member}`).toBe(member in tree)
    }
  })
})
