import { describe, expect, test } from 'vitest'
import { type FhirTree, parseFhir, toResource, Unreadable, withMeta, writeFhir } from './index.ts'

function refusal(text: string, bounds?: { maxLength: number; maxDepth: number }) {
  try {
    parseFhir(text, bounds)
  } catch (error) {
    if (error instanceof Unreadable) return error.issue
    throw error
  }
  throw new Error('was read')
}

const observation = (value: string) => `{"resourceType":"Observation","valueQuantity":{"value":${value},"unit":"kg"}}`

describe('fhir > json', () => {
  test.each([
    '1.00',
    '1e2',
    '1E+2',
    '0.000001',
    '0.0000001',
    '123456789012345678',
    '-0',
    '0.10',
    '1.0e-7',
    '1e400',
    '12345678901234.56789',
  ])('keeps the spelling of %s', (spelling) => {
    const text = observation(spelling)
    const tree = parseFhir(text)
    expect(writeFhir(tree)).toBe(text)
    expect((toResource(tree).valueQuantity as { value: number }).value).toBe(Number(spelling))
  })

  test('hands out the very same object as a resource when nothing is exact', () => {
    const tree = parseFhir(observation('98.6'))
    expect(toResource(tree)).toBe(tree)
  })

  test('makes numbers of exact ones inside lists, and leaves the tree as it was', () => {
    const text = '{"resourceType":"Observation","component":[{"a":[1,2.50]},{"b":3}],"c":{"d":[[7.0]]}}'
    const tree = parseFhir(text)
    expect(toResource(tree)).toEqual({
      resourceType: 'Observation',
      component: [{ a: [1, 2.5] }, { b: 3 }],
      c: { d: [[7]] },
    })
    expect(writeFhir(tree)).toBe(text)
  })

  test('refuses a member named twice and says where', () => {
    const text =
      '{"resourceType":"Observation","status":"final","component":[{},{"valueQuantity":{"value":1,"value":2}}]}'
    expect(refusal(text)).toMatchObject({
      code: 'structure',
      rule: 'duplicate',
      expression: ['Observation.component[1].valueQuantity.value'],
    })
    expect(refusal('{"resourceType":"Patient","id":"a" ,"\\u0069d":"b"}').expression).toEqual(['Patient.id'])
    expect(refusal('{"resourceType":"Patient","resourceType":"Patient"}').expression).toEqual(['Patient.resourceType'])
  })

  test('does not repeat a name that is no element name', () => {
    expect(refusal('{"resourceType":"Patient","Jane Doe":1,"Jane Doe":2}').expression).toEqual(['Patient.?'])
  })

  test('quotes, colons and brackets inside strings are text', () => {
    const text = '{"resourceType":"Basic","a":"x\\\\","b":"{\\"a\\":1.00,[[","c":{"a":":"}}'
    expect(writeFhir(parseFhir(text, { maxLength: 100, maxDepth: 2 }))).toBe(text)
  })

  test.each([
    ['{"resourceType":"Patient",}', 'json'],
    ['{"resourceType":"Patient","birthDate":Jane}', 'json'],
    ['{"resourceType":"Patient","x":01}', 'json'],
    ['{"resourceType":"Patient","x":NaN}', 'json'],
    ['{"resourceType":"Patient","x":"a', 'json'],
    ['', 'json'],
    ['[]', 'resource'],
    ['"Patient"', 'resource'],
    ['1.00', 'resource'],
    ['{"id":"a"}', 'resource'],
    ['{"resourceType":"patient/1"}', 'resource'],
  ])('refuses %s by the rule %s', (text, rule) => {
    expect(refusal(text)).toMatchObject({ code: 'structure', rule })
  })

  test('tells the place of bad JSON and nothing of its text', () => {
    const issue = refusal('{"resourceType":"Patient","name":Jane Doe}')
    expect(JSON.stringify(issue)).not.toContain('Jane')
  })

  test('refuses what is deeper or longer than the bounds before it is built', () => {
    expect(refusal(`{"resourceType":"Patient","a":${'['.repeat(100)}${']'.repeat(100)}}`)).toMatchObject({
      rule: 'depth',
      code: 'too-costly',
    })
    expect(refusal('['.repeat(1_000_000)).rule).toBe('depth')
    expect(refusal(observation('1'), { maxLength: 20, maxDepth: 9 })).toMatchObject({ rule: 'size', code: 'too-long' })
  })

  test('a member called __proto__ changes nothing', () => {
    const text = '{"resourceType":"Patient","__proto__":{"polluted":1.0},"constructor":{"prototype":{"polluted":true}}}'
    const tree = parseFhir(text)
    const stamped = withMeta(tree, { id: 'a', versionId: '1', lastUpdated: '2026-11-23T00:00:00Z' })
    toResource(stamped)
    expect(Object.getPrototypeOf(toResource(tree))).toBe(Object.prototype)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect(writeFhir(tree)).toBe(text)
  })

  test('stamps id, version and time, keeps other meta and every spelling', () => {
    const text =
      '{"id":"mine","resourceType":"Observation","meta":{"versionId":"9","profile":["http://p"],"tag":[{"code":"x"}]},"valueQuantity":{"value":1.00}}'
    const stamp = { id: 'b', versionId: '2', lastUpdated: '2026-11-23T00:00:00.000Z' }
    expect(writeFhir(withMeta(text, stamp))).toBe(
      '{"resourceType":"Observation","id":"b","meta":{"versionId":"2","lastUpdated":"2026-11-23T00:00:00.000Z","profile":["http://p"],"tag":[{"code":"x"}]},"valueQuantity":{"value":1.00}}',
    )
    expect(parseFhir(text).meta).toEqual({ versionId: '9', profile: ['http://p'], tag: [{ code: 'x' }] })
  })

  test('a tree of code is as good as one that was read', () => {
    const tree: FhirTree = { resourceType: 'Basic', id: 'a' }
    expect(parseFhir(`\ufeff${writeFhir(tree)}`)).toEqual(tree)
  })
})
