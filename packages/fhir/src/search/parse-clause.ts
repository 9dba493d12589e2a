/** One pair of a query as a clause: a parameter with its modifier, a chain, or a `_has`. */
import { isResourceType } from '../definitions/index.ts'
import { parametersOf } from './parameters.ts'
import { readValue, split } from './parse-value.ts'
import type { Clause, Modifier, ParameterType, SearchOptions, SearchParameter } from './search.ts'
import { notSupported, SearchError } from './search-error.ts'

/** Chains and `_has` go this deep: each level is a search of its own. */
const maxDepth = 4

/** @returns null when the type has no such parameter */
export function clauseOf(type: string, name: string, value: string, options: SearchOptions, depth = 0): Clause | null {
  if (depth > maxDepth) throw new SearchError('search-depth', `Chains of more than ${maxDepth} steps are not searched.`)
  if (name.startsWith('_has:')) return hasOf(type, name, value, options, depth)
  const [head = '', ...rest] = name.split('.')
  const [code = '', modifier, ...more] = head.split(':')
  const parameter = parametersOf(type).get(code)
  if (parameter === undefined || more.length > 0) return null
  if (rest.length > 0) return chainOf(parameter, modifier, rest.join('.'), value, options, depth)
  if (modifier === 'missing') return missingOf(parameter, value)
  const targets = targetsBy(parameter, modifier)
  const known = targets === null ? modifierOf(parameter, modifier) : undefined
  const values = split(value, ',').filter((one) => one !== '')
  if (values.length === 0) throw new SearchError('search-value', `\`${parameter.code}\` has no value.`)
  return {
    ...{ kind: 'parameter', parameter },
    ...(known === undefined ? {} : { modifier: known }),
    values: values.map((one) =>
      narrowed(readValue(parameter, known, one, options, targets ?? undefined), parameter, targets),
    ),
  }
}

/** `subject:Patient=Device/1` can never be. */
function narrowed<V extends ReturnType<typeof readValue>>(
  value: V,
  parameter: SearchParameter,
  targets: readonly string[] | null,
): V {
  if (targets === null || value.kind !== 'reference' || value.types.every((type) => targets.includes(type)))
    return value
  throw new SearchError('search-value', `A value of \`${parameter.code}\` is of another type than its modifier says.`)
}

const modifiers: Readonly<Record<ParameterType, readonly Modifier[]>> = {
  string: ['exact', 'contains'],
  token: ['not', 'text', 'in', 'of-type'],
  reference: ['identifier'],
  uri: ['above', 'below'],
  ...{ number: [], date: [], quantity: [], composite: [] },
}

function modifierOf(parameter: SearchParameter, modifier: string | undefined): Modifier | undefined {
  if (modifier === undefined) return undefined
  const known = modifiers[parameter.type].find((one) => one === modifier)
  if (known === undefined)
    throw notSupported(
      'search-modifier',
      `\`${parameter.code}\` has no modifier of this name here; it has ${told(parameter)}.`,
    )
  return known
}
const told = ({ type }: SearchParameter) => [...modifiers[type], 'missing'].map((name) => `\`:${name}\``).join(', ')

/** `subject:Patient`: the modifier is a type; null where it is none. */
function targetsBy(parameter: SearchParameter, modifier: string | undefined): readonly string[] | null {
  if (parameter.type !== 'reference' || modifier === undefined || !/^[A-Z]/.test(modifier)) return null
  if (parameter.targets?.includes(modifier) !== true)
    throw new SearchError(
      'search-modifier',
      `\`${parameter.code}\` does not point to the type that its modifier names.`,
    )
  return [modifier]
}

function missingOf(parameter: SearchParameter, value: string): Clause {
  if (value !== 'true' && value !== 'false')
    throw new SearchError('search-value', `\`${parameter.code}:missing\` is \`true\` or \`false\`.`)
  return { kind: 'missing', parameter, isMissing: value === 'true' }
}

function chainOf(
  parameter: SearchParameter,
  modifier: string | undefined,
  rest: string,
  value: string,
  options: SearchOptions,
  depth: number,
): Clause | null {
  if (parameter.type !== 'reference')
    throw new SearchError('search-chain', `\`${parameter.code}\` is no reference: nothing can be chained to it.`)
  const types = targetsBy(parameter, modifier) ?? (modifier === undefined ? (parameter.targets ?? []) : [])
  const targets = types.flatMap((type) => {
    const clause = clauseOf(type, rest, value, options, depth + 1)
    return clause === null ? [] : [{ type, clause }]
  })
  return targets.length === 0 ? null : { kind: 'chain', parameter, targets }
}

/** `_has:Observation:patient:code`. */
function hasOf(type: string, name: string, value: string, options: SearchOptions, depth: number): Clause | null {
  const [, from = '', code = '', ...rest] = name.split(':')
  const parameter = isResourceType(from) ? parametersOf(from).get(code) : undefined
  if (parameter?.type !== 'reference' || rest.length === 0) return null
  if (parameter.targets?.includes(type) !== true) return null
  const clause = clauseOf(from, rest.join(':'), value, options, depth + 1)
  return clause === null ? null : { kind: 'has', type: from, parameter, clause }
}
