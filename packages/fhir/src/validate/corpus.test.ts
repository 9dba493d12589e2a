import { describe, expect, test } from 'vitest'
import type { Resource } from '../resource.ts'
import { type Base, bases } from './corpus/bases.ts'
import { changed } from './corpus/change.ts'
import type { Case } from './corpus/invalid.ts'
import { profileCases } from './corpus/profile-cases.ts'
import { ruleCases } from './corpus/rule-cases.ts'
import { structureCases } from './corpus/structure-cases.ts'
import { validate } from './validate.ts'

const corpus: readonly Case[] = [...structureCases, ...ruleCases, ...profileCases]

function titleOf([base, path, to, rule, expression]: Case): string {
  const change = to === undefined ? `without ${path}` : `${path} ${JSON.stringify(to).slice(0, 60)}`
  return `${base} ${change} breaks ${rule} at ${expression}`
}

describe('resources that are as they should be', () => {
  test.each(Object.keys(bases) as Base[])('%s is valid, and stays as it was', (name) => {
    const resource: Resource = structuredClone(bases[name])
    expect(validate(resource)).toEqual([])
    expect(resource).toEqual(bases[name])
  })
})

describe('resources with one thing wrong', () => {
  test('are at least 250, each told from the others', () => {
    expect(corpus.length).toBeGreaterThanOrEqual(250)
    expect(new Set(corpus.map(titleOf)).size).toBe(corpus.length)
  })

  test.each(corpus.map((entry) => [titleOf(entry), entry] as const))(
    '%s',
    (_title, [base, path, to, rule, expression]) => {
      const resource = changed(bases[base], path, to) as unknown as Resource
      const issues = validate(resource)
      const told = issues.map((issue) => [issue.rule, issue.expression?.[0]])
      expect(told).toContainEqual([rule, expression])
    },
  )
})
