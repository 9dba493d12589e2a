import type { ConstraintRule, ElementRule, TypeRule, TypeUse } from './element.ts'
import { type ElementRow, generated, type TypeRow } from './generated.ts'

const children = new Map<string, readonly ElementRule[]>()
const uses = new Map<string, ReadonlyMap<string, ElementUse>>()

/** An element as it is spelled in JSON and XML: a choice has one of these for each of its types. */
export interface ElementUse {
  readonly element: ElementRule
  readonly type: TypeUse
  /** `valueQuantity`. */
  readonly spelling: string
}

/** A FHIR R4 type, or undefined when there is none of that name. */
export function typeOf(name: string): TypeRule | undefined {
  const row = rowOf(name)
  return row === undefined ? undefined : { name, kind: row.kind, base: row.base, rules: row.rules ?? [] }
}

/** True for the name of a resource type of FHIR R4 that an instance can have. */
export function isResourceType(name: string): boolean {
  const row = rowOf(name)
  return row?.kind === 'resource' && name !== 'Resource' && name !== 'DomainResource'
}

/**
 * The elements of a type (`Observation`, `HumanName`) or of a part without a type of its own (`Observation.component`),
 * inherited ones first, in the order in which FHIR XML writes them. Empty for a name that FHIR does not have.
 */
export function elementsOf(content: string): readonly ElementRule[] {
  const known = children.get(content)
  if (known !== undefined) return known
  const found = readElements(content)
  if (found.length > 0) children.set(content, found)
  return found
}

/** The elements of a type or part by their spelling: `valueQuantity`, `status`. */
export function usesOf(content: string): ReadonlyMap<string, ElementUse> {
  const known = uses.get(content)
  if (known !== undefined) return known
  const found = new Map<string, ElementUse>()
  for (const element of elementsOf(content)) {
    for (const type of element.types) {
      const spelling = element.isChoice ? element.name + capital(type.code) : element.name
      found.set(spelling, { element, type, spelling })
    }
  }
  if (found.size > 0) uses.set(content, found)
  return found
}

/** The element at a path as instances spell it (`Observation.component.valueQuantity.code`), through types as deep as it goes. */
export function elementAt(path: string): ElementUse | undefined {
  const [root = '', ...names] = path.split('.')
  let content: string | undefined = root
  let use: ElementUse | undefined
  for (const name of names) {
    use = content === undefined ? undefined : usesOf(content).get(name)
    if (use === undefined) return undefined
    content = use.type.content
  }
  return use
}

/** A constraint by the key that an element or type names. */
export function constraint(key: string): ConstraintRule {
  const rule = generated('rules')[key]
  if (rule === undefined) throw new Error(`The definitions have no constraint ${key}.`)
  return { key: key.split('@')[0]!, ...rule }
}

function rowOf(name: string): TypeRow | undefined {
  const types = generated('elements')
  return Object.hasOwn(types, name) ? types[name] : undefined
}

function readElements(content: string): readonly ElementRule[] {
  const [type = '', ...steps] = content.split('.')
  const rows = rowOf(type)?.elements ?? []
  const prefix = steps.map((step) => `${step}.`).join('')
  return rows
    .filter((row) => row[0].startsWith(prefix) && !row[0].slice(prefix.length).includes('.'))
    .map((row) => elementRule(type, row, rows))
}

function elementRule(type: string, row: ElementRow, rows: readonly ElementRow[]): ElementRule {
  const [path, min, max, types, flags = '', valueSet = '', rules = ''] = row
  const hasParts = rows.some((other) => other[0].startsWith(`${path}.`))
  const last = path.slice(path.lastIndexOf('.') + 1)
  return {
    name: last.replace('[x]', ''),
    path: `${type}.${path}`,
    min,
    max: max === 0 ? Number.POSITIVE_INFINITY : max,
    types: splitTypes(types).map((text) => typeUse(text, hasParts ? `${type}.${path}` : undefined)),
    isChoice: last.endsWith('[x]'),
    isSummary: flags.includes('s'),
    isModifier: flags.includes('m'),
    isSimple: flags.includes('q'),
    valueSet: valueSet === '' ? undefined : valueSet,
    rules: `${rules} ${rulesElsewhere(types, rows)}`.split(' ').filter((key) => key !== ''),
  }
}

/** What is defined at another element (`#Questionnaire.item`) keeps the rules of that element. */
function rulesElsewhere(types: string, rows: readonly ElementRow[]): string {
  if (!types.startsWith('#')) return ''
  const path = types.slice(types.indexOf('.') + 1)
  return rows.find((row) => row[0] === path)?.[6] ?? ''
}

/** `Quantity|Reference(Patient,Group)` to its parts. */
function splitTypes(text: string): readonly string[] {
  return text === '' ? [] : text.split('|')
}

function typeUse(text: string, partsAt: string | undefined): TypeUse {
  if (text.startsWith('#')) return { code: 'BackboneElement', targets: [], content: text.slice(1) }
  const [, code = text, targets = ''] = /^(\w+)(?:\((.*)\))?$/.exec(text) ?? []
  const isPrimitive = /^[a-z]/.test(code)
  const content = isPrimitive ? undefined : (partsAt ?? code)
  return { code, targets: targets === '' ? [] : targets.split(','), content }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
