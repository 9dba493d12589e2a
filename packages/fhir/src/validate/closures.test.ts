import { describe, expect, test } from 'vitest'
import { constraint, elementsOf, typeOf, usesOf } from '../definitions/index.ts'
import type { Resource } from '../resource.ts'
import { officialExamples } from '../testing/material.ts'
import { type Base, bases } from './corpus/bases.ts'
import { changed } from './corpus/change.ts'
import { ruleCases } from './corpus/rule-cases.ts'
import { structureCases } from './corpus/structure-cases.ts'
import { loose } from './invariant.ts'
import { holdsByFhirpath } from './invariants/fhirpath.ts'
import { closures } from './invariants/index.ts'
import { Names } from './names.ts'
import type { Frame } from './run.ts'

/** Rules whose closure says more than the library can, each with the reason. */
const BY_CLOSURE_ONLY: Readonly<Record<string, string>> = {
  'txt-1': 'the library has no htmlChecks()',
  'txt-2': 'the library has no htmlChecks()',
  'que-7': '`Boolean` is a type of FHIRPath, not of FHIR: to the letter no answer would do',
  'dom-3': 'the library refuses as() of a list',
  'ctm-1': 'the library resolves references only asynchronously',
}

/** Where they differ on what is invalid, and why ours is the one to keep. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  'bdl-3 Bundle': 'a Bundle without type breaks its cardinality, and that is told already',
  'bdl-4 Bundle': 'the same',
  'que-13 Questionnaire.item': 'an item that does not say `repeats` does not: several initial values need it',
  'ref-1 Reference': '# names the container, and what is not contained has none (R5)',
  'rng-2 Range': 'two numbers without a unit are compared as numbers',
}

type Visit = (key: string, base: string, value: unknown, frame: Frame) => void

/** Visits every element of a resource with each rule that the definitions have for it. */
function visitRules(value: unknown, content: string, frame: Frame, visit: Visit): void {
  for (const key of typeOf(content)?.rules ?? []) visit(key, content, value, frame)
  for (const [name, child] of Object.entries(loose(value))) {
    const use = usesOf(content).get(name)
    if (use === undefined) continue
    for (const item of Array.isArray(child) ? child : [child]) {
      for (const key of use.element.rules) visit(key, use.element.path, item, frame)
      if (use.type.content === 'Resource') visitResource(item, frame, name === 'contained', visit)
      else if (use.type.content !== undefined) visitRules(item, use.type.content, frame, visit)
    }
  }
}

function visitResource(resource: unknown, outer: Frame | undefined, isContained: boolean, visit: Visit): void {
  const type = loose(resource).resourceType
  if (typeof type !== 'string' || elementsOf(type).length === 0) return
  const own = resource as Resource
  const frame: Frame = {
    resource: own,
    root: isContained && outer !== undefined ? outer.root : own,
    bundle: undefined,
    names: new Names(),
  }
  visitRules(own, type, frame, visit)
}

/** Rules on which closure and library differ for these resources, and how often each rule was looked at. */
function compare(resources: readonly unknown[]): {
  readonly differing: string[]
  readonly seen: Map<string, Set<boolean>>
} {
  const differing = new Set<string>()
  const seen = new Map<string, Set<boolean>>()
  const visit: Visit = (key, base, value, frame) => {
    const closure = closures[key]
    if (closure === undefined || key in BY_CLOSURE_ONLY) return
    const ours = closure(loose(value), frame, value)
    seen.set(key, (seen.get(key) ?? new Set()).add(ours))
    if (ours !== holdsByFhirpath(base, constraint(key).expression, value, frame)) differing.add(`${key} ${base}`)
  }
  for (const resource of resources) visitResource(resource, undefined, false, visit)
  return { differing: [...differing].sort(), seen }
}

describe('rules as closures', () => {
  const invalid = [...structureCases, ...ruleCases].map(([base, path, to]) => changed(bases[base], path, to))

  test('each is a rule of the definitions', () => {
    expect(Object.keys(closures).filter((key) => constraint(key) === undefined)).toEqual([])
  })

  test('say what their FHIRPath says of our own resources, valid and invalid', () => {
    const { differing, seen } = compare([...Object.values(bases), ...invalid])
    expect(differing).toEqual(Object.keys(DIFFERENCES))
    const never = Object.keys(closures).filter((key) => !(key in BY_CLOSURE_ONLY) && seen.get(key)?.has(false) !== true)
    expect(never).toEqual([])
  })

  test('say what their FHIRPath says of every example of HL7', () => {
    expect(compare(officialExamples().map(({ text }) => JSON.parse(text))).differing).toEqual([])
  })

  test('are named for bases that exist', () => {
    expect([...structureCases, ...ruleCases].every(([base]) => (base satisfies Base) in bases)).toBe(true)
  })
})
