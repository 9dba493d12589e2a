import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Resource } from '../resource.ts'
import { bases } from './corpus/bases.ts'
import { validate } from './validate.ts'

/** Where in a resource something is, as steps; every place of it, lists and items included. */
function placesOf(value: unknown, steps: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [steps]
  const below = Object.entries(value).flatMap(([name, child]) => placesOf(child, [...steps, name]))
  return steps.length === 0 ? below : [steps, ...below]
}

function replaced(resource: Resource, steps: readonly (string | number)[], value: unknown): Resource {
  const copy = structuredClone(resource) as unknown as Record<string | number, unknown>
  let at = copy
  for (const step of steps.slice(0, -1)) at = at[step] as Record<string | number, unknown>
  at[steps.at(-1)!] = value
  return copy as unknown as Resource
}

const resources = Object.values(bases) as readonly Resource[]
const anyChange = fc
  .constantFrom(...resources)
  .chain((resource) =>
    fc.tuple(fc.constant(resource), fc.constantFrom(...placesOf(resource)), fc.jsonValue({ maxDepth: 3 })),
  )
const SECRET = 'Zebedee Quux'

describe('validation', () => {
  test('never throws, whatever one element becomes, and each issue says where and what', () => {
    fc.assert(
      fc.property(anyChange, ([resource, steps, value]) => {
        for (const issue of validate(replaced(resource, steps, value))) {
          expect(issue.rule).not.toBe('')
          expect(issue.diagnostics).not.toBe('')
          expect(issue.expression?.[0]).toMatch(/^[A-Za-z]+/)
        }
      }),
      { numRuns: 1_500 },
    )
  })

  test('never throws on what is no resource at all', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(validate(value as unknown as Resource).length).toBeGreaterThan(0)
      }),
      { numRuns: 300 },
    )
  })

  test('never repeats a value, nor a name that may be one', () => {
    fc.assert(
      fc.property(anyChange, fc.boolean(), ([resource, steps], isName) => {
        const value = isName ? { [SECRET]: 1 } : SECRET
        expect(JSON.stringify(validate(replaced(resource, steps, value)))).not.toContain('Zebedee')
      }),
      { numRuns: 1_500 },
    )
  })

  test('ends on what nests without end, and tells so', () => {
    let extension: object = { url: 'a', valueString: 'x' }
    for (let level = 0; level < 5_000; level++) extension = { url: 'a', extension: [extension] }
    const issues = validate({ resourceType: 'Patient', extension: [extension] })
    expect(issues.map((issue) => issue.rule)).toContain('depth')
  })

  test('reads narratives that were made to be read again and again, and forms of thousands, to their end', () => {
    const start = '<div xmlns="http://www.w3.org/1999/xhtml">'
    for (const div of [
      start + '<!--'.repeat(200_000),
      `${start}<a${' '.repeat(500_000)}`,
      start + '<p>'.repeat(100_000),
    ]) {
      const rules = validate({ resourceType: 'Patient', text: { status: 'generated', div } }).map((issue) => issue.rule)
      expect(rules).toContain('txt-1')
    }
    const item = Array.from({ length: 10_000 }, (_, index) => ({ linkId: `${index % 9_999}`, type: 'string' }))
    const rules = validate({ resourceType: 'Questionnaire', status: 'active', item }).map((issue) => issue.rule)
    expect(rules).toEqual(['que-2'])
  })

  test('tells at most 200 issues', () => {
    const name = Array.from({ length: 5_000 }, () => ({ use: 'wrong' }))
    expect(validate({ resourceType: 'Patient', name })).toHaveLength(200)
  })
})
