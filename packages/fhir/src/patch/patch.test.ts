import { describe, expect, test } from 'vitest'
import { type FhirTree, type FhirValue, parseFhir, parseJson, Unreadable, writeFhir } from '../json/index.ts'
import { materialText } from '../testing/material.ts'
import { applyPatch, patchJson } from './index.ts'

interface SpecTest {
  readonly comment?: string
  readonly doc: FhirValue
  readonly patch: FhirValue
  readonly expected?: FhirValue
  readonly error?: string
  readonly disabled?: boolean
}

const specTests = JSON.parse(materialText('json-patch/spec_tests.json') ?? '[]') as readonly SpecTest[]

const patient = () =>
  parseFhir('{"resourceType":"Patient","id":"p","name":[{"family":"A","given":["B","C"]}],"active":true}')

function refusal(tree: FhirTree, patch: string) {
  const before = writeFhir(tree)
  try {
    applyPatch(tree, parseJson(patch))
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    expect(writeFhir(tree)).toBe(before)
    return error.issue
  }
  throw new Error('was applied')
}

describe('fhir > json patch', () => {
  for (const { comment, doc, patch, expected, error, disabled } of specTests) {
    // The disabled case is an operation with two members `op`: the reader of JSON refuses it, see the next test.
    if (disabled) continue
    test(`RFC 6902 ${comment}`, () => {
      const before = structuredClone(doc)
      if (error === undefined) expect(patchJson(doc, patch)).toEqual(expected)
      else expect(() => patchJson(doc, patch)).toThrow(Unreadable)
      expect(doc).toEqual(before)
    })
  }

  test('an operation with two members op is refused by its path', () => {
    expect(() => parseJson('[{"op":"add","path":"/baz","value":"qux","op":"remove"}]')).toThrow('named twice')
  })

  test.each([
    ['[{"op":"remove","path":"/name/0/given/2"}]', 'patch-target', 'Patient.name[0].given[2]'],
    [
      '[{"op":"replace","path":"/active","value":false},{"op":"remove","path":"/birthDate"}]',
      'patch-target',
      'Patient.birthDate',
    ],
    ['[{"op":"replace","path":"/name/-/family","value":"x"}]', 'patch-target', 'Patient.name.?.family'],
    ['[{"op":"remove","path":"/name/-"}]', 'patch-target', 'Patient.name.?'],
    ['[{"op":"add","path":"/name/2","value":{}}]', 'patch-target', 'Patient.name[2]'],
    ['[{"op":"add","path":"/name/01","value":{}}]', 'patch-index', 'Patient.name[01]'],
    ['[{"op":"add","path":"/contact/0/name","value":{}}]', 'patch-target', 'Patient.contact[0].name'],
    ['[{"op":"add","path":"/active/x","value":1}]', 'patch-target', 'Patient.active.x'],
    ['[{"op":"test","path":"/active","value":"true"}]', 'patch-test', 'Patient.active'],
    ['[{"op":"test","path":"/constructor","value":{}}]', 'patch-target', 'Patient.constructor'],
    ['[{"op":"move","from":"/name","path":"/name/0"}]', 'patch-move', 'Patient.name[0]'],
    ['[{"op":"copy","path":"/active"}]', 'patch-pointer', 'Patient.active'],
    ['[{"op":"add","path":"/active"}]', 'patch-op', 'Patient.active'],
    ['[{"op":"add","path":"/Jane Doe","value":1},{"op":"spam","path":"/Jane Doe"}]', 'patch-op', 'Patient.?'],
    ['[{"op":"add","path":"/a~2","value":1}]', 'patch-pointer', 'Patient.?'],
    ['[{"op":"remove","path":""}]', 'patch-target', 'Patient'],
  ])('%s is refused by %s at %s', (patch, rule, path) => {
    expect(refusal(patient(), patch)).toMatchObject({ rule, expression: [path] })
  })

  test.each([
    ['[{"op":"add","path":"active","value":1}]', 'patch-pointer'],
    ['{"op":"add"}', 'patch'],
    ['[1]', 'patch-op'],
    ['[{"op":"replace","path":"/id","value":"q"}]', 'patch-identity'],
    ['[{"op":"replace","path":"/resourceType","value":"Basic"}]', 'patch-identity'],
    ['[{"op":"replace","path":"","value":[]}]', 'patch-identity'],
  ])('%s is refused by %s', (patch, rule) => {
    expect(refusal(patient(), patch).rule).toBe(rule)
  })

  test('names the operation that failed', () => {
    const issue = refusal(patient(), '[{"op":"test","path":"/id","value":"p"},{"op":"remove","path":"/x"}]')
    expect(issue.diagnostics).toContain('Operation 2')
  })

  test('tests numbers by value and writes them as spelled', () => {
    const tree = parseFhir('{"resourceType":"Basic","a":1.00,"b":-0.0,"c":123456789012345678901}')
    const patch =
      '[{"op":"test","path":"/a","value":100e-2},{"op":"test","path":"/b","value":0},{"op":"test","path":"/c","value":123456789012345678901},{"op":"add","path":"/d","value":2.50}]'
    expect(writeFhir(applyPatch(tree, parseJson(patch)))).toBe(
      '{"resourceType":"Basic","a":1.00,"b":-0.0,"c":123456789012345678901,"d":2.50}',
    )
    expect(refusal(tree, '[{"op":"test","path":"/c","value":123456789012345678902}]').rule).toBe('patch-test')
  })

  test('a member __proto__ becomes a member and pollutes nothing', () => {
    const after = applyPatch(patient(), parseJson('[{"op":"add","path":"/__proto__","value":{"polluted":1}}]'))
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect(Object.hasOwn(after, '__proto__')).toBe(true)
    expect(refusal(patient(), '[{"op":"add","path":"/__proto__/polluted","value":1}]').rule).toBe('patch-target')
  })

  test('copies of copies end before they fill the memory or the stack', () => {
    const doubling = [
      { op: 'add', path: '/a', value: [1] },
      ...Array(60).fill({ op: 'copy', from: '/a', path: '/a/-' }),
    ]
    expect(['patch-size', 'depth']).toContain(refusal(patient(), JSON.stringify(doubling)).rule)
    const wide = [
      { op: 'add', path: '/a', value: Array(1000).fill(0) },
      ...Array(1200).fill({ op: 'copy', from: '/a', path: '/b' }),
    ]
    expect(refusal(patient(), JSON.stringify(wide)).rule).toBe('patch-size')
    expect(refusal(patient(), JSON.stringify(Array(10_001).fill({ op: 'remove', path: '/a' }))).rule).toBe('patch-size')
  })
})
